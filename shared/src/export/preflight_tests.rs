//! Tests of the check before an export.

use std::collections::BTreeMap;

use serde_json::json;

use super::fault::FaultCode;
use super::intent::{Booked, Intent, Purpose, booked};
use super::preflight::{AccountState, Batch, Candidate, LedgerFacts, Preflight, check};
use super::samples::{intent, mapping, organization, reimbursement, reimbursement_json};
use super::step::State;
use crate::model::{RecordId, Reimbursement};

fn facts() -> LedgerFacts {
    let accounts = [
        ("7140", AccountState::Open),
        ("7142", AccountState::Locked),
        ("2711", AccountState::Open),
        ("2910", AccountState::Open),
    ];
    LedgerFacts {
        accounts: Some(accounts.map(|(account, state)| (account.into(), state)).into()),
        open_periods: Some(vec![
            "2026-02-01".parse().unwrap()..="2026-02-28".parse().unwrap(),
        ]),
        subledgers: Some(["50012".into()].into()),
    }
}

fn checked(
    candidates: &[Candidate],
    ledger: &LedgerFacts,
    exported: &BTreeMap<RecordId, Vec<Intent>>,
) -> Preflight {
    check(&Batch {
        organization: &organization(),
        mapping: &mapping(),
        ledger,
        exported,
        candidates,
    })
}

fn found(id: &str) -> Candidate {
    Candidate::Found(reimbursement(id, "101.00"))
}

fn codes(preflight: &Preflight) -> Vec<(&str, Vec<FaultCode>)> {
    let codes = |refused: &super::preflight::Refused| refused.faults.iter().map(|fault| fault.code).collect();
    preflight
        .refused
        .iter()
        .map(|refused| (refused.reimbursement.as_str(), codes(refused)))
        .collect()
}

#[test]
fn a_day_that_the_settings_say_is_closed_is_refused_before_anything_is_asked() {
    for (until, expected) in [("2026-02-16", 1), ("2026-02-17", 0)] {
        let mut mapping = mapping();
        mapping.closed_until = Some(until.parse().unwrap());
        let preflight = check(&Batch {
            organization: &organization(),
            mapping: &mapping,
            ledger: &LedgerFacts::default(),
            exported: &BTreeMap::new(),
            // Approved half past midnight on the 17th, where the organization is.
            candidates: &[found("1")],
        });
        assert_eq!(preflight.ready.len(), expected, "{until}");
        assert_eq!(preflight.unchecked, ["accounts", "subledgers"]);
        if expected == 0 {
            assert_eq!(codes(&preflight), [("1", vec![FaultCode::ClosedPeriod])]);
        }
    }
}

#[test]
fn what_can_be_exported_is_ready_once_however_often_it_is_named() {
    let preflight = checked(&[found("1"), found("2"), found("1")], &facts(), &BTreeMap::new());
    let ready: Vec<_> = preflight
        .ready
        .iter()
        .map(|ready| ready.reimbursement.as_str())
        .collect();
    assert_eq!(ready, ["1", "2"]);
    assert_eq!((preflight.refused, preflight.unchecked), (vec![], vec![]));
}

#[test]
fn the_faults_of_all_are_told_at_once() {
    let mut unapproved = reimbursement("3", "101.00");
    unapproved.approval = None;
    let mut elsewhere = reimbursement_json("101.00");
    elsewhere["claimant"]["code"] = json!("1");
    elsewhere["approval"]["at"] = json!("2026-03-01T12:00:00Z");
    elsewhere["lines"][0]["expenseType"] = json!("toll");
    let malformed = Reimbursement::from_json("5".parse().unwrap(), &json!({})).unwrap_err();
    let candidates = [
        found("1"),
        Candidate::Missing("2".parse().unwrap()),
        Candidate::Found(unapproved),
        Candidate::Found(Reimbursement::from_json("4".parse().unwrap(), &elsewhere).unwrap()),
        Candidate::Malformed("5".parse().unwrap(), malformed),
    ];
    let preflight = checked(&candidates, &facts(), &BTreeMap::new());
    assert_eq!(preflight.ready.len(), 1);
    assert_eq!(
        codes(&preflight),
        [
            ("2", vec![FaultCode::Missing]),
            ("3", vec![FaultCode::Unapproved]),
            (
                "4",
                vec![
                    FaultCode::LockedAccount,
                    FaultCode::ClosedPeriod,
                    FaultCode::UnknownClaimant
                ]
            ),
            ("5", vec![FaultCode::Malformed; 4]),
        ]
    );
}

#[test]
fn what_is_not_known_of_a_ledger_is_not_checked_and_is_said_so() {
    let preflight = checked(&[found("1")], &LedgerFacts::default(), &BTreeMap::new());
    assert_eq!(preflight.ready.len(), 1);
    assert_eq!(preflight.unchecked, ["accounts", "openPeriods", "subledgers"]);
    let mut facts = facts();
    facts.accounts = Some(BTreeMap::new());
    let none_known = checked(&[found("1")], &facts, &BTreeMap::new());
    assert_eq!(codes(&none_known), [("1", vec![FaultCode::UnknownAccount; 3])]);
}

#[test]
fn what_was_exported_is_not_exported_again() {
    for (state, amount, expected) in [
        (State::Posted, "101.00", Some(FaultCode::AlreadyExported)),
        (State::Accepted, "101.00", Some(FaultCode::AlreadyExported)),
        (State::Posted, "99.00", Some(FaultCode::ChangedSinceExport)),
        (State::Intended, "101.00", Some(FaultCode::UnderWay)),
        (State::Sending, "101.00", Some(FaultCode::UnderWay)),
        (State::Review, "101.00", Some(FaultCode::InReview)),
        (State::Rejected, "101.00", Some(FaultCode::RejectedByLedger)),
        (State::Refused, "101.00", None),
        (State::Cancelled, "101.00", None),
    ] {
        let mut before = intent("1", amount);
        before.progress.state = state;
        let exported = BTreeMap::from([("1".parse().unwrap(), vec![before])]);
        let preflight = checked(&[found("1")], &facts(), &exported);
        let codes: Vec<_> = preflight
            .refused
            .iter()
            .flat_map(|refused| &refused.faults)
            .map(|fault| fault.code)
            .collect();
        assert_eq!(codes, expected.into_iter().collect::<Vec<_>>(), "{state:?}");
    }
}

fn voucher(revision: u16, purpose: Purpose, state: State) -> Intent {
    let mut intent = intent("1", "101.00");
    intent.revision = revision.try_into().unwrap();
    intent.purpose = purpose;
    intent.progress.state = state;
    intent
}

fn reversal(revision: u16, of: u16, state: State) -> Intent {
    let of = of.try_into().unwrap();
    voucher(revision, Purpose::Reversal { of }, state)
}

#[test]
fn what_stands_is_what_was_booked_and_not_undone() {
    let first = voucher(0, Purpose::Booking, State::Posted);
    let undone = reversal(1, 0, State::Posted);
    assert_eq!(booked(&[]), Booked::Nothing);
    assert_eq!(booked(std::slice::from_ref(&first)), Booked::Standing(&first));
    assert_eq!(booked(&[first.clone(), undone.clone()]), Booked::Nothing);
    let again = voucher(2, Purpose::Booking, State::Accepted);
    let all = [first.clone(), undone.clone(), again.clone()];
    assert_eq!(booked(&all), Booked::Standing(&again));
    let twice = [first.clone(), undone, again, reversal(3, 2, State::Posted)];
    assert_eq!(booked(&twice), Booked::Nothing);
    let queued = [first.clone(), reversal(1, 0, State::Accepted)];
    assert!(
        matches!(booked(&queued), Booked::UnderWay(_)),
        "a reversal that is only queued may yet be refused"
    );
    let refused = [first.clone(), reversal(1, 0, State::Refused)];
    assert_eq!(
        booked(&refused),
        Booked::Standing(&first),
        "a reversal that was refused undoes nothing"
    );
    let doubtful = [first, reversal(1, 0, State::Review)];
    assert!(matches!(booked(&doubtful), Booked::InDoubt(_)));
}
