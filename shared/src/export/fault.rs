//! Why a reimbursement is not exported.

use serde::{Deserialize, Serialize};

use super::voucher::VoucherError;
use crate::model::FieldError;

/// What kind of fault it is: a stable word that a caller can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultCode {
    /// There is no such reimbursement.
    Missing,
    /// What is kept of it cannot be read.
    Malformed,
    /// Nobody has agreed to it.
    Unapproved,
    /// Its amount is nothing.
    NothingToBook,
    /// Its type of expense has no account.
    UnknownExpenseType,
    /// Its tax code has none.
    UnknownVatCode,
    /// Its rate of tax is another than its code's.
    VatRateDiffers,
    /// Something that the ledger wants is missing.
    MissingField,
    /// Its currency is not booked.
    CurrencyNotAllowed,
    /// A text is longer than the ledger takes.
    TextTooLong,
    /// It has more lines than a voucher may have.
    TooManyLines,
    /// It does not add up.
    Unbalanced,
    /// The ledger has no such account.
    UnknownAccount,
    /// The ledger books nothing on the account.
    LockedAccount,
    /// The ledger does not know the claimant.
    UnknownClaimant,
    /// The period of its date is closed.
    ClosedPeriod,
    /// It was exported, and has not changed since.
    AlreadyExported,
    /// It was exported, and has changed since: it takes a correction.
    ChangedSinceExport,
    /// It may have been exported, and nobody knows.
    InReview,
    /// It is being exported.
    UnderWay,
    /// The ledger took it and refused it later: something may still stand in its queue.
    RejectedByLedger,
    /// Something else stands in its way, which the reason names.
    Conflict,
}

/// One reason why a reimbursement is not exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{field} {reason}")]
pub struct Fault {
    /// What kind it is.
    pub code: FaultCode,
    /// The field, such as `lines[2].expenseType`.
    pub field: String,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl Fault {
    /// Names a field and what is wrong with it.
    pub fn new(code: FaultCode, field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            code,
            field: field.into(),
            reason: reason.into(),
        }
    }

    /// Puts the field within another.
    #[must_use]
    pub(super) fn within(self, path: &str) -> Self {
        Self {
            field: format!("{path}.{}", self.field),
            ..self
        }
    }
}

impl From<FieldError> for Fault {
    fn from(error: FieldError) -> Self {
        Self::new(FaultCode::Malformed, error.field, error.reason)
    }
}

impl From<VoucherError> for Fault {
    fn from(error: VoucherError) -> Self {
        let code = match &error {
            VoucherError::Unbalanced(_) | VoucherError::Money(_) => FaultCode::Unbalanced,
            VoucherError::Lines(_) => FaultCode::TooManyLines,
        };
        Self::new(code, "lines", format!("make no voucher: {error}"))
    }
}
