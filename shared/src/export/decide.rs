//! What a human decides about a voucher of which nobody else can say whether it is booked.

use jiff::{Timestamp, ToSpan};

use super::engine::{after, quiet_from};
use super::intent::{Intent, intent_key};
use super::reason::Reason;
use super::reference::Revision;
use super::step::{Decision, Input, State, Then, step};
use crate::integration::audit;
use crate::model::{IntegrationId, RecordId};
use crate::store::{Content, Expect, Store, StoreError, Write};

/// How long after a voucher may last have left it counts as certain that it will not arrive any more: no process lives
/// so long, no request is applied so late, and a file is imported the same day.
pub const QUIET_HOURS: i64 = 24;

/// A decision, with who took it and why.
#[derive(Debug, Clone, Copy)]
pub struct Verdict<'a> {
    /// What is decided.
    pub decision: Decision,
    /// Why.
    pub reason: &'a Reason,
    /// Who decided it.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

/// Why nothing was decided.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such intent.
    #[error("there is no such export")]
    Missing,
    /// The decision is not one for where the voucher stands.
    #[error("that cannot be decided about a voucher that is {}", .0.as_str())]
    Unfit(State),
    /// It may still arrive.
    #[error("the voucher may still arrive: decide that it is not there after {0}")]
    Early(Timestamp),
    /// It changed while this was decided: look again.
    #[error("the export changed meanwhile")]
    Changed,
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Carries out a decision, and keeps who took it and why.
///
/// # Errors
///
/// Those of [`DecideError`].
pub async fn decide(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
    revision: Revision,
    verdict: &Verdict<'_>,
) -> Result<Intent, DecideError> {
    let key = intent_key(integration, reimbursement, revision);
    let row = store
        .get(std::slice::from_ref(&key))
        .await?
        .pop()
        .flatten()
        .ok_or(DecideError::Missing)?;
    let intent: Intent = row.decode()?;
    let before = intent.progress.state;
    let transition =
        step(intent.progress, Input::Decided(verdict.decision)).ok_or(DecideError::Unfit(before))?;
    early(&intent, verdict)?;
    let (next, due) = after(&intent, transition, None, verdict.now);
    let content = match (due, transition.then) {
        (Some(due), Then::Wait(_)) => Content::of(&next).due_at(due),
        _ => Content::of(&next),
    };
    let parts = [
        next.reference.as_str(),
        verdict.decision.as_str(),
        verdict.reason.as_str(),
    ];
    let mut writes = vec![
        Write::put(key, Expect::Version(row.version), content),
        audit::write(integration, verdict.by, "decide_export", &parts, verdict.now),
    ];
    writes.extend(next.consequences(integration, before, row.version + 1));
    match store.write(writes).await {
        Ok(()) => Ok(next),
        Err(StoreError::Refused { .. }) => Err(DecideError::Changed),
        Err(error) => Err(error.into()),
    }
}

impl Intent {
    /// Says whether a decision is one for where the voucher stands.
    #[must_use]
    pub fn may_be(&self, decision: Decision) -> bool {
        step(self.progress, Input::Decided(decision)).is_some()
    }

    /// Returns from when on it may be decided that it is not there, if that is not now.
    #[must_use]
    pub fn may_arrive_until(&self) -> Option<Timestamp> {
        quiet_from(&self.progress, self.left_by, QUIET_HOURS.hours())
    }
}

/// That a voucher is there can be seen at once; that it is not there, only when it cannot arrive any more.
fn early(intent: &Intent, verdict: &Verdict<'_>) -> Result<(), DecideError> {
    if verdict.decision == Decision::ItIsThere {
        return Ok(());
    }
    match intent.may_arrive_until() {
        Some(from) if from > verdict.now => Err(DecideError::Early(from)),
        _ => Ok(()),
    }
}

impl Decision {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ItIsThere => "it_is_there",
            Self::SendAgain => "send_again",
            Self::Cancel => "cancel",
        }
    }
}

impl State {
    /// Returns the word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "intended",
            Self::Sending => "sending",
            Self::Doubtful => "doubtful",
            Self::Accepted => "accepted",
            Self::Posted => "posted",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Review => "review",
            Self::Cancelled => "cancelled",
        }
    }
}
