//! Reimbursements and their exports, as the API shows them.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::export::notice::{Settlement, Waiting};
use crate::export::{
    Budget, Decision, Fault, Intent, Purpose, Ready, Reference, Refused, Revision, Route, State, Unsettled,
    Why,
};
use crate::flow::{Comparison, Exported};
use crate::model::{Money, RecordId, Reimbursement, System};
use crate::records::{ReimbursementPage, StoredReimbursement};

/// What somebody is to be paid back.
///
/// # Shape
///
/// `{"id":"4711","claimant":{"kind":"supplier","code":"50012"},"currency":"NOK","total":"101.00","approval":{…},"lines":[…],
/// "modifiedAt":"2026-02-17T09:30:00Z"}`
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Reimbursement)]
pub(in crate::api) struct ReimbursementView {
    /// The platform's name of it.
    #[schema(value_type = String)]
    id: RecordId,
    /// What it says, beside the others.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    reimbursement: Reimbursement,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    modified_at: Timestamp,
}

/// Some reimbursements, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ReimbursementList {
    /// The reimbursements; a page may be short before the end.
    items: Vec<ReimbursementView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// A reimbursement as it is put.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "only the schema is taken from it: `Reimbursement` reads the body"
)]
#[schema(as = ReimbursementBody)]
pub(in crate::api) struct ReimbursementBody {
    /// Who is paid back: `kind` (`supplier` or `employee`), and `code`, their code in the ledger.
    #[schema(value_type = Object)]
    claimant: (),
    /// The currency of every amount, such as `NOK`.
    currency: String,
    /// What the lines add up to, as a decimal text.
    total: String,
    /// Who agreed to it, and when: `at` and `by`; without it nothing is booked.
    #[schema(value_type = Option<Object>)]
    approval: (),
    /// `id`, `expenseType`, `amount` and `date` of each, and `vatCode`, `vatRate`, `costCentre`, `project` and `text` where
    /// there is one.
    #[schema(value_type = Vec<Object>)]
    lines: (),
}

/// Which reimbursements are to be exported, and how.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::api) struct ExportBody {
    /// From 1 to 500 of them.
    #[schema(value_type = Vec<String>)]
    pub(in crate::api) reimbursement_ids: Vec<RecordId>,
    /// Whether only to say what would be done.
    #[serde(default)]
    pub(in crate::api) dry_run: bool,
    /// Books them once more, whatever stands.
    #[serde(default)]
    pub(in crate::api) force: Option<ForceBody>,
}

/// Why something is booked whatever stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ForceBody {
    /// In words; kept with who it was.
    pub(in crate::api) reason: String,
}

/// What came of a request to export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Exported)]
pub(in crate::api) struct ExportedView {
    /// Which way they go: `graphql`, `soap` or `csv`.
    #[schema(value_type = String)]
    route: Route,
    /// Those that are to be booked.
    exports: Vec<ExportView>,
    /// Those that would be, of a rehearsal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ready: Vec<ReadyView>,
    /// Those that are not, each with every reason.
    refused: Vec<RefusedView>,
    /// What could not be checked: `accounts`, `openPeriods`, `subledgers`.
    unchecked: Vec<&'static str>,
    /// How the month stands against the contract with the ledger, where requests are counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    budget: Option<Budget>,
}

/// A reimbursement that can be exported.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReadyView {
    #[schema(value_type = String)]
    reimbursement_id: RecordId,
    /// What would be owed to the claimant.
    #[schema(value_type = String)]
    total: Money,
    /// How many lines its voucher has.
    lines: usize,
}

/// A reimbursement that cannot.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RefusedView {
    #[schema(value_type = String)]
    reimbursement_id: RecordId,
    /// `code`, `field` and `reason` of each.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<Fault>,
}

/// The export of a reimbursement, or what undoes it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Export)]
pub(in crate::api) struct ExportView {
    #[schema(value_type = String)]
    reimbursement_id: RecordId,
    /// Which voucher of the reimbursement: 0 is the first.
    #[schema(value_type = u16)]
    revision: Revision,
    /// The revision that this one undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u16>)]
    reversal_of: Option<Revision>,
    /// The name under which it is booked.
    #[schema(value_type = String)]
    reference: Reference,
    /// Which way it goes.
    #[schema(value_type = String)]
    route: Route,
    /// How far it is: `intended`, `sending`, `doubtful` (nobody knows yet whether it arrived), `accepted` (the ledger has it), `posted`
    /// (it is in the books), `refused` (the ledger kept nothing of it), `rejected` (the ledger took it, and refused to post it),
    /// `review` or `cancelled`.
    #[schema(value_type = String)]
    state: State,
    /// Why it waits for a human, while it does: `unanswered`, `refused_in_doubt`, `different` or `vanished`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    why: Option<Why>,
    /// What the ledger said last, where that was not what it should.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    reason: Option<Box<str>>,
    /// What is owed to the claimant by it.
    #[schema(value_type = String)]
    total: Money,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = String)]
    opened_by: Box<str>,
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// Some exports, in the order of their reimbursements.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct ExportList {
    pub(in crate::api) items: Vec<ExportView>,
    /// What to hand back as `after` to go on; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::api) next: Option<String>,
}

/// A voucher or a reimbursement that waits for a decision.
#[derive(Debug, Serialize)]
#[serde(tag = "subject", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub(in crate::api) enum ExportReview {
    /// Nobody can say whether a voucher is booked.
    Export {
        /// The name under which it is decided.
        review_id: String,
        /// The voucher: what is unknown, and what was found on the other side.
        export: Box<ExportView>,
        /// Since when.
        opened_at: Timestamp,
        /// From when on it may be decided that it is not there.
        #[serde(skip_serializing_if = "Option::is_none")]
        may_arrive_until: Option<Timestamp>,
        /// What may be decided.
        decisions: Vec<&'static str>,
    },
    /// A reimbursement differs from what is booked of it.
    Reimbursement {
        /// The name under which it is decided.
        review_id: String,
        /// Which, why, and since when.
        #[serde(flatten)]
        waiting: Waiting,
        /// What may be decided.
        decisions: Vec<&'static str>,
    },
}

/// From which day on the books are to be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(in crate::api) struct CompareBody {
    /// Some weeks back, where nobody says.
    #[schema(value_type = Option<String>, format = Date)]
    pub(in crate::api) since: Option<Date>,
}

/// How the books stand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Books)]
pub(in crate::api) struct BooksView {
    #[schema(value_type = String)]
    pub(in crate::api) integration_type: System,
    /// What the last comparison found: `at`, `since`, `vouchers`, `entries`, `differences`, `more`, `failure`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub(in crate::api) comparison: Option<Comparison>,
    /// The requests that were sent this month.
    pub(in crate::api) requests_this_month: u64,
}

impl From<StoredReimbursement> for ReimbursementView {
    fn from(stored: StoredReimbursement) -> Self {
        Self {
            id: stored.reimbursement.id.clone(),
            reimbursement: stored.reimbursement,
            modified_at: stored.modified_at,
        }
    }
}

impl From<ReimbursementPage> for ReimbursementList {
    fn from(page: ReimbursementPage) -> Self {
        Self {
            items: page.reimbursements.into_iter().map(Into::into).collect(),
            next: super::super::query::next(page.next, ""),
        }
    }
}

impl From<Intent> for ExportView {
    fn from(intent: Intent) -> Self {
        let reversal_of = match intent.purpose {
            Purpose::Booking => None,
            Purpose::Reversal { of } => Some(of),
        };
        Self {
            reimbursement_id: intent.reimbursement,
            revision: intent.revision,
            reversal_of,
            reference: intent.reference,
            route: intent.route,
            state: intent.progress.state,
            why: intent.progress.why,
            reason: intent.reason,
            total: intent.total,
            opened_at: intent.opened_at,
            opened_by: intent.opened_by,
            changed_at: intent.changed_at,
        }
    }
}

impl From<Exported> for ExportedView {
    fn from(exported: Exported) -> Self {
        let ready = |Ready {
                         reimbursement,
                         voucher,
                         ..
                     }| ReadyView {
            reimbursement_id: reimbursement,
            total: voucher.owed(),
            lines: voucher.lines().len(),
        };
        let refused = |Refused {
                           reimbursement,
                           faults,
                       }| RefusedView {
            reimbursement_id: reimbursement,
            faults,
        };
        Self {
            route: exported.route,
            exports: exported.intents.into_iter().map(Into::into).collect(),
            ready: exported.ready.into_iter().map(ready).collect(),
            refused: exported.refused.into_iter().map(refused).collect(),
            unchecked: exported.unchecked,
            budget: exported.budget,
        }
    }
}

impl ExportReview {
    pub(in crate::api) fn of_voucher(row: Unsettled, intent: Intent) -> Self {
        let decisions = [Decision::ItIsThere, Decision::SendAgain, Decision::Cancel];
        let decisions = decisions.into_iter().filter(|decision| intent.may_be(*decision));
        Self::Export {
            review_id: intent.reference.to_string(),
            opened_at: row.opened_at,
            may_arrive_until: intent.may_arrive_until(),
            decisions: decisions.map(Decision::as_str).collect(),
            export: Box::new(intent.into()),
        }
    }

    pub(in crate::api) fn of_reimbursement(waiting: Waiting) -> Self {
        let decisions = waiting.cause.decisions().iter();
        Self::Reimbursement {
            review_id: format!("{OF_REIMBURSEMENT}{}", waiting.noticed),
            decisions: decisions
                .map(|settlement: &Settlement| settlement.as_str())
                .collect(),
            waiting,
        }
    }
}

/// Begins the names under which reimbursements are decided about; those of vouchers are references, and have no colon.
pub(in crate::api) const OF_REIMBURSEMENT: &str = "reimbursement:";
