//! The check before an export: which reimbursements are in, which are out, and every reason why, at once.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::Date;

use super::fault::{Fault, FaultCode};
use super::intent::{Booked, Intent, booked};
use super::mapping::Mapping;
use super::reference::Revision;
use super::voucher::Voucher;
use crate::model::{FieldError, OrganizationId, RecordId, Reimbursement};

/// A reimbursement that is to be exported, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidate {
    /// It is there.
    Found(Reimbursement),
    /// It is not, or no more.
    Missing(RecordId),
    /// What is there cannot be read.
    Malformed(RecordId, Vec<FieldError>),
}

/// What is known of a ledger; what is not known is not checked, and the ledger itself says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerFacts {
    /// Its accounts.
    pub accounts: Option<BTreeMap<Box<str>, AccountState>>,
    /// The days on which it books.
    pub open_periods: Option<Vec<RangeInclusive<Date>>>,
    /// The claimants that it knows.
    pub subledgers: Option<BTreeSet<Box<str>>>,
}

/// Whether an account can be booked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountState {
    /// It can.
    Open,
    /// It cannot.
    Locked,
}

/// A reimbursement that can be exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    /// Which.
    pub reimbursement: RecordId,
    /// The fingerprint of all that it says.
    pub source: String,
    /// Its voucher.
    pub voucher: Voucher,
}

/// A reimbursement that cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which.
    pub reimbursement: RecordId,
    /// Every reason.
    pub faults: Vec<Fault>,
}

/// What came of the check.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preflight {
    /// What can be exported, each once.
    pub ready: Vec<Ready>,
    /// What cannot.
    pub refused: Vec<Refused>,
    /// What could not be checked, since nothing is known of it: `accounts`, `openPeriods`, `subledgers`.
    pub unchecked: Vec<&'static str>,
}

/// What is checked, and against what.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Whose reimbursements they are.
    pub organization: &'a OrganizationId,
    /// How they are booked.
    pub mapping: &'a Mapping,
    /// What is known of the ledger.
    pub ledger: &'a LedgerFacts,
    /// What was exported before, of these reimbursements.
    pub exported: &'a BTreeMap<RecordId, Vec<Intent>>,
    /// The reimbursements; one that is there twice is looked at once.
    pub candidates: &'a [Candidate],
}

/// Checks a batch. Pure: nothing is asked or written.
#[must_use]
pub fn check(batch: &Batch<'_>) -> Preflight {
    let mut preflight = Preflight {
        unchecked: batch.unknown(),
        ..Preflight::default()
    };
    let mut seen = BTreeSet::new();
    for candidate in batch
        .candidates
        .iter()
        .filter(|candidate| seen.insert(candidate.id()))
    {
        match batch.check(candidate) {
            Ok(ready) => preflight.ready.push(ready),
            Err(faults) => preflight.refused.push(Refused {
                reimbursement: candidate.id().clone(),
                faults,
            }),
        }
    }
    preflight
}

impl Batch<'_> {
    /// Names what nobody knows.
    fn unknown(&self) -> Vec<&'static str> {
        let mut unknown = self.ledger.unknown();
        unknown.retain(|name| *name != "openPeriods" || self.mapping.closed_until.is_none());
        unknown
    }

    /// Says whether the voucher is of a period that is known to be closed without asking.
    fn closed(&self, voucher: &Voucher) -> Option<Fault> {
        let until = self
            .mapping
            .closed_until
            .filter(|until| voucher.date() <= *until)?;
        let reason = format!(
            "is on {}, and the settings say that all is closed until {until}",
            voucher.date()
        );
        Some(Fault::new(FaultCode::ClosedPeriod, "approval.at", reason))
    }

    fn check(&self, candidate: &Candidate) -> Result<Ready, Vec<Fault>> {
        let reimbursement = match candidate {
            Candidate::Found(reimbursement) => reimbursement,
            Candidate::Missing(_) => {
                return Err(vec![Fault::new(
                    FaultCode::Missing,
                    "id",
                    "names no reimbursement of the organization",
                )]);
            }
            Candidate::Malformed(_, errors) => return Err(errors.iter().cloned().map(Fault::from).collect()),
        };
        let source = reimbursement.fingerprint();
        let mut faults: Vec<_> = self
            .exported_before(&reimbursement.id, &source)
            .into_iter()
            .collect();
        match Voucher::of(self.organization, reimbursement, Revision::FIRST, self.mapping) {
            Ok(voucher) => {
                faults.extend(self.ledger.check(&voucher));
                faults.extend(self.closed(&voucher));
                let ready = Ready {
                    reimbursement: reimbursement.id.clone(),
                    source,
                    voucher,
                };
                if faults.is_empty() { Ok(ready) } else { Err(faults) }
            }
            Err(found) => {
                faults.extend(found);
                Err(faults)
            }
        }
    }

    fn exported_before(&self, id: &RecordId, source: &str) -> Option<Fault> {
        let (code, reason) = match booked(self.exported.get(id)?) {
            Booked::Nothing => return None,
            Booked::Standing(intent) if intent.source == source => (
                FaultCode::AlreadyExported,
                "has been exported: its voucher has this reference",
            ),
            Booked::Standing(_) => (
                FaultCode::ChangedSinceExport,
                "has changed since it was exported: have it corrected",
            ),
            Booked::UnderWay(_) => (FaultCode::UnderWay, "is being exported"),
            Booked::Rejected(_) => (
                FaultCode::RejectedByLedger,
                "was refused by the ledger: remove it there, and cancel this export of it",
            ),
            Booked::InDoubt(_) => (
                FaultCode::InReview,
                "may have been exported: decide its review first",
            ),
        };
        Some(Fault::new(code, "id", reason))
    }
}

impl LedgerFacts {
    fn unknown(&self) -> Vec<&'static str> {
        let known = [
            ("accounts", self.accounts.is_some()),
            ("openPeriods", self.open_periods.is_some()),
            ("subledgers", self.subledgers.is_some()),
        ];
        known
            .into_iter()
            .filter(|(_, known)| !known)
            .map(|(name, _)| name)
            .collect()
    }

    /// Names, once each, what the ledger would refuse.
    fn check(&self, voucher: &Voucher) -> Vec<Fault> {
        let accounts: BTreeSet<_> = voucher.lines().iter().map(|line| &line.account).collect();
        let mut faults: Vec<_> = accounts
            .into_iter()
            .filter_map(|account| self.check_account(account))
            .collect();
        let closed =
            |periods: &Vec<RangeInclusive<Date>>| !periods.iter().any(|open| open.contains(&voucher.date()));
        if self.open_periods.as_ref().is_some_and(closed) {
            let reason = format!("is on {}, in a period that the ledger has closed", voucher.date());
            faults.push(Fault::new(FaultCode::ClosedPeriod, "approval.at", reason));
        }
        let unknown =
            |known: &BTreeSet<Box<str>>| voucher.subledger().is_some_and(|code| !known.contains(code));
        if self.subledgers.as_ref().is_some_and(unknown) {
            let reason = "is not known to the ledger: add the claimant there";
            faults.push(Fault::new(FaultCode::UnknownClaimant, "claimant.code", reason));
        }
        faults
    }

    fn check_account(&self, account: &str) -> Option<Fault> {
        let (code, reason) = match self.accounts.as_ref()?.get(account) {
            Some(AccountState::Open) => return None,
            Some(AccountState::Locked) => (FaultCode::LockedAccount, "is locked in the ledger"),
            None => (FaultCode::UnknownAccount, "is not an account of the ledger"),
        };
        Some(Fault::new(
            code,
            "expenseType",
            format!("is booked on {account}, which {reason}"),
        ))
    }
}

impl Candidate {
    /// Returns which one it is.
    #[must_use]
    pub const fn id(&self) -> &RecordId {
        match self {
            Self::Found(reimbursement) => &reimbursement.id,
            Self::Missing(id) | Self::Malformed(id, _) => id,
        }
    }
}
