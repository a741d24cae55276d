//! Tests of vouchers: exact on paper, and balanced whatever is booked.

use serde_json::json;

use super::fault::FaultCode;
use super::mapping::{Dimension, Mapping};
use super::reference::{Reference, Revision};
use super::samples::{mapping, mapping_json, organization, reimbursement, reimbursement_json, voucher};
use super::voucher::Voucher;
use crate::model::{ExpenseLine, Money, Reimbursement};

fn codes(reimbursement: &Reimbursement, mapping: &Mapping) -> Vec<(FaultCode, String)> {
    let faults = Voucher::of(&organization(), reimbursement, Revision::FIRST, mapping).unwrap_err();
    faults
        .into_iter()
        .map(|fault| (fault.code, fault.field))
        .collect()
}

#[test]
fn a_reimbursement_is_booked_with_its_tax_taken_out_and_owed_to_the_claimant() {
    let voucher = voucher("4711", "101.00");
    let lines: Vec<_> = voucher
        .named_lines()
        .map(|(name, line)| {
            (
                name,
                &*line.account,
                line.amount.amount(),
                line.tax_rule.as_deref(),
                line.subledger.as_deref(),
            )
        })
        .collect();
    let name = |line| format!("RE-5ZPX21XKG8XK1RB1RZ-0-{line}");
    assert_eq!(
        lines,
        [
            (name(1), "7140", "90.18".to_owned(), Some("11"), None),
            (name(2), "2711", "10.82".to_owned(), None, None),
            (name(3), "2910", "-101.00".to_owned(), None, Some("50012")),
        ]
    );
    let expense = &voucher.lines()[0];
    assert_eq!(&*expense.text, "travel 4711");
    assert_eq!(&*expense.dimensions[&Dimension::Project], "P10");
    assert_eq!(&*expense.dimensions[&Dimension::GlObject1], "200");
    assert_eq!((voucher.entity(), voucher.voucher_type()), (Some("23001"), "GL"));
    assert_eq!(voucher.owed().to_string(), "101.00 NOK");
    // Half past eleven in the evening in UTC is the next day in Oslo.
    assert_eq!(voucher.date().to_string(), "2026-02-17");
}

#[test]
fn a_tax_without_an_account_is_left_to_the_ledger() {
    let mut json = reimbursement_json("101.00");
    json["lines"][0]["vatCode"] = json!("reverse");
    let reimbursement = Reimbursement::from_json("4711".parse().unwrap(), &json).unwrap();
    let voucher = Voucher::of(&organization(), &reimbursement, Revision::FIRST, &mapping()).unwrap();
    assert_eq!(voucher.lines().len(), 2);
    assert_eq!(voucher.lines()[0].tax_rule.as_deref(), Some("81"));
    assert_eq!(voucher.lines()[0].amount.amount(), "101.00");
}

#[test]
fn a_credit_is_booked_the_other_way_and_nothing_is_left_out() {
    let credit = voucher("4711", "-101.00");
    assert_eq!(credit.owed().amount(), "-101.00");
    assert_eq!(credit.lines()[1].amount.amount(), "-10.82");
    let mut with_nothing = reimbursement("4711", "101.00");
    let nothing = ExpenseLine {
        id: "2".parse().unwrap(),
        amount: Money::zero(with_nothing.currency),
        ..with_nothing.lines[0].clone()
    };
    with_nothing.lines.push(nothing);
    let voucher = Voucher::of(&organization(), &with_nothing, Revision::FIRST, &mapping()).unwrap();
    assert_eq!(voucher.lines().len(), 3, "a line of nothing is not booked");
}

#[test]
fn a_reversal_undoes_every_line() {
    let voucher = voucher("4711", "101.00");
    let next = Revision::FIRST.next().unwrap();
    let reference = Reference::of(&organization(), &"4711".parse().unwrap(), next);
    let reversal = voucher.reversed(reference.clone(), "2026-03-01".parse().unwrap());
    for (line, undone) in voucher.lines().iter().zip(reversal.lines()) {
        assert!(line.amount.plus(undone.amount).unwrap().is_zero());
        assert_eq!(
            (&line.account, &line.dimensions),
            (&undone.account, &undone.dimensions)
        );
    }
    assert_eq!(
        (reversal.reference(), reversal.owed()),
        (&reference, voucher.owed().negated())
    );
    assert_ne!(reversal.number(), voucher.number());
}

#[test]
fn a_voucher_reads_back_and_one_that_does_not_balance_is_not_read() {
    let voucher = voucher("4711", "101.00");
    let json = serde_json::to_string(&voucher).unwrap();
    let again: Voucher = serde_json::from_str(&json).unwrap();
    assert_eq!(again, voucher);
    assert_eq!(again.fingerprint(), voucher.fingerprint());
    assert_eq!(
        voucher.clone().numbered(7.try_into().unwrap()).fingerprint(),
        voucher.fingerprint()
    );
    assert!(serde_json::from_str::<Voucher>(&json.replace("90.18", "90.19")).is_err());
    assert!(serde_json::from_str::<Voucher>(&json.replace("90.18 NOK", "90.18 SEK")).is_err());
}

#[test]
fn every_reason_is_told_at_once() {
    let json = json!({
        "claimant": { "kind": "supplier", "code": "50012" },
        "currency": "SEK",
        "total": "0.00",
        "lines": [
            { "id": "1", "expenseType": "hotel", "amount": "1.00", "date": "2026-02-14" },
            { "id": "2", "expenseType": "travel", "amount": "-1.00", "date": "2026-02-14", "vatCode": "high" },
            { "id": "3", "expenseType": "toll", "amount": "0.00", "date": "2026-02-14", "vatRate": "25" },
        ],
    });
    let reimbursement = Reimbursement::from_json("4711".parse().unwrap(), &json).unwrap();
    assert_eq!(
        codes(&reimbursement, &mapping()),
        [
            (FaultCode::UnknownExpenseType, "lines[0].expenseType".to_owned()),
            (FaultCode::MissingField, "lines[1].project".to_owned()),
            (FaultCode::UnknownVatCode, "lines[1].vatCode".to_owned()),
            (FaultCode::VatRateDiffers, "lines[2].vatRate".to_owned()),
            (FaultCode::Unapproved, "approval".to_owned()),
            (FaultCode::CurrencyNotAllowed, "currency".to_owned()),
            (FaultCode::NothingToBook, "total".to_owned()),
        ]
    );
}

#[test]
fn a_text_that_is_too_long_is_refused_and_not_cut() {
    let mut settings = mapping_json();
    settings["maxText"] = json!(10);
    let mapping = Mapping::read("export", &settings).unwrap();
    let found = codes(&reimbursement("4711", "101.00"), &mapping);
    assert_eq!(found, [(FaultCode::TextTooLong, "lines".to_owned())]);
}

#[test]
fn what_does_not_add_up_is_no_voucher() {
    let mut wrong = reimbursement("4711", "101.00");
    wrong.total = "101.01 NOK".parse().unwrap();
    assert_eq!(
        codes(&wrong, &mapping()),
        [(FaultCode::Unbalanced, "lines".to_owned())]
    );
}

#[test]
fn a_voucher_of_five_hundred_lines_is_booked_and_one_more_is_not_split() {
    let many = |lines: usize| {
        let mut many = reimbursement("4711", "101.00");
        let line = ExpenseLine {
            expense_type: "toll".into(),
            ..many.lines[0].clone()
        };
        many.lines = vec![line; lines];
        many.total = Money::sum(many.currency, many.lines.iter().map(|line| line.amount)).unwrap();
        many
    };
    let most = Voucher::of(&organization(), &many(499), Revision::FIRST, &mapping()).unwrap();
    assert_eq!(most.lines().len(), 500);
    assert_eq!(
        codes(&many(500), &mapping()),
        [(FaultCode::TooManyLines, "lines".to_owned())]
    );
}

#[test]
fn debug_output_says_nothing_of_a_person() {
    let debug = format!("{:?}", voucher("4711", "101.00"));
    assert!(!debug.contains("50012") && !debug.contains("travel"), "{debug}");
}

/// Adds up in whole units of the smallest coin, by no code that the voucher itself is made by.
fn minor_units(money: Money) -> i128 {
    money.amount().replace('.', "").parse().unwrap()
}

/// `VOUCHERS=10000000` takes ten million, and some minutes: the tests are built without optimization.
#[test]
fn random_vouchers_balance_to_zero() {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how many")]
    let count = std::env::var("VOUCHERS")
        .ok()
        .and_then(|count| count.parse().ok());
    let mut dice = fastrand::Rng::with_seed(4_711);
    let mut settings = mapping_json();
    settings["currencies"] = json!(["NOK", "JPY", "KWD", "CLF"]);
    settings["vatCodes"]["low"]["rate"] = json!("11.1111");
    let mapping = Mapping::read("export", &settings).unwrap();
    let samples = ["NOK", "JPY", "KWD", "CLF"].map(|currency| {
        let mut json = reimbursement_json("1");
        json["currency"] = json!(currency);
        Reimbursement::from_json("4711".parse().unwrap(), &json).unwrap()
    });
    for number in 0..count.unwrap_or(200_000_u32) {
        let mut random = dice.choice(&samples).unwrap().clone();
        let sample = random.lines[0].clone();
        random.lines = (0..dice.usize(1..4))
            .map(|_| random_line(&mut dice, &sample))
            .collect();
        random.total = Money::sum(random.currency, random.lines.iter().map(|line| line.amount)).unwrap();
        if random.total.is_zero() {
            continue;
        }
        let voucher = Voucher::of(&organization(), &random, Revision::FIRST, &mapping).unwrap();
        let sum: i128 = voucher.lines().iter().map(|line| minor_units(line.amount)).sum();
        assert_eq!(sum, 0, "voucher {number}: {random:?}");
        assert_eq!(
            minor_units(voucher.owed()),
            minor_units(random.total),
            "voucher {number}"
        );
    }
}

fn random_line(dice: &mut fastrand::Rng, sample: &ExpenseLine) -> ExpenseLine {
    let most = 10_i64.pow(dice.u32(1..15));
    ExpenseLine {
        amount: Money::of_minor(dice.i64(-most..=most), sample.amount.currency()).unwrap(),
        expense_type: if dice.bool() {
            "travel".into()
        } else {
            "toll".into()
        },
        vat_code: dice.bool().then(|| "low".into()),
        ..sample.clone()
    }
}
