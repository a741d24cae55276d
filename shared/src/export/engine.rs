//! Carries a voucher through the protocol: keeps each state before it acts on it, and each later one on its fence.

use std::time::Duration;

use jiff::{Span, Timestamp};

use super::intent::{Intent, intent_key, read_voucher};
use super::ledger::{Ledger, Route, look};
use super::reference::Revision;
use super::step::{Decision, Input, Progress, State, Then, Transition, step};
use super::voucher::Voucher;
use crate::clock::Clock;
use crate::model::{IntegrationId, RecordId};
use crate::store::{Content, Expect, Key, Store, StoreError, Write};

/// How long a claim holds: longer than a function lives, so that whoever held it is dead before it has run out.
pub(super) const CLAIM: Duration = Duration::from_secs(150);

/// What must be left of a claim for a voucher to be sent under it.
const MARGIN: Duration = Duration::from_secs(75);

/// Works on the vouchers of one integration, by one route.
#[derive(Debug, Clone, Copy)]
pub struct Exporter<'a> {
    /// The tables.
    pub store: &'a dyn Store,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Whose ledger it is.
    pub integration: &'a IntegrationId,
    /// The ledger.
    pub ledger: &'a dyn Ledger,
}

/// What came of working on a voucher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Worked {
    /// It is as far as it gets by this.
    Done(Box<Intent>),
    /// Somebody else works on it until then.
    Held(Timestamp),
    /// Another voucher comes first; it is due again.
    Waits,
    /// Somebody else has taken it over.
    Fenced,
    /// Too little was left of the claim to send it: whoever takes it up next looks what became of it.
    Late,
}

/// Why a voucher was not worked on to the end; nothing is lost, and it is due again.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// There is no such intent.
    #[error("there is no such export")]
    Missing,
    /// It goes another way.
    #[error("the voucher goes by {}, and this is {}", .0.as_str(), .1.as_str())]
    Route(Route, Route),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A voucher that is being worked on.
struct Hold {
    key: Key,
    intent: Intent,
    version: u64,
    fence: u64,
    then: Then,
}

impl Exporter<'_> {
    /// Takes a voucher up and carries it on, until it rests or has to wait.
    ///
    /// # Errors
    ///
    /// `Missing`, `Route`, and those of the store.
    pub async fn work(&self, reimbursement: &RecordId, revision: Revision) -> Result<Worked, WorkError> {
        let key = intent_key(self.integration, reimbursement, revision);
        let row = self
            .store
            .get(std::slice::from_ref(&key))
            .await?
            .pop()
            .flatten()
            .ok_or(WorkError::Missing)?;
        let intent: Intent = row.decode()?;
        if intent.route != self.ledger.route() {
            return Err(WorkError::Route(intent.route, self.ledger.route()));
        }
        if let Some(until) = intent.held_until.filter(|until| *until > self.clock.now()) {
            return Ok(Worked::Held(until));
        }
        let Some(input) = self.turn(&intent).await? else {
            return Ok(Worked::Waits);
        };
        let Some(taken) = step(intent.progress, input) else {
            self.rest(key, &intent, row.version).await?;
            return Ok(Worked::Done(Box::new(intent)));
        };
        // Read before the claim: a voucher that cannot be read is not claimed.
        let voucher = read_voucher(self.store, self.integration, &intent).await?;
        let hold = Hold {
            key,
            intent,
            version: row.version,
            // The version that the claim itself makes.
            fence: row.version + 1,
            then: Then::Rest,
        };
        self.carry_on(hold, taken, &voucher).await
    }

    /// Has nobody look any more at a voucher that nothing can be done about.
    async fn rest(&self, key: Key, intent: &Intent, version: u64) -> Result<(), StoreError> {
        let write = Write::put(key, Expect::Version(version), Content::of(intent));
        match self.store.write(vec![write]).await {
            Err(StoreError::Refused { .. }) => Ok(()),
            answer => answer,
        }
    }

    /// Says whether it is the turn of a voucher that comes after another; it is given up where that one is.
    async fn turn(&self, intent: &Intent) -> Result<Option<Input>, StoreError> {
        let take = Input::Take(self.ledger.dedup());
        let Some(after) = intent.after.filter(|_| intent.progress.state == State::Intended) else {
            return Ok(Some(take));
        };
        let key = intent_key(self.integration, &intent.reimbursement, after);
        let row = self.store.get(&[key]).await?.pop().flatten();
        let before = row.map(|row| row.decode::<Intent>()).transpose()?;
        Ok(match before.map(|before| before.progress.state) {
            Some(State::Posted) => Some(take),
            // One that was refused may be sent again by whoever decides about it.
            Some(State::Cancelled) => Some(Input::Decided(Decision::Cancel)),
            _ => None,
        })
    }

    async fn carry_on(
        &self,
        mut hold: Hold,
        taken: Transition,
        voucher: &Voucher,
    ) -> Result<Worked, WorkError> {
        let mut next = (taken, None);
        loop {
            let (transition, reason) = next;
            if !self.keep(&mut hold, transition, reason).await? {
                return Ok(Worked::Fenced);
            }
            let (input, reason) = match hold.then {
                Then::Send if self.is_late(&hold) => return Ok(Worked::Late),
                Then::Send => {
                    let (answer, reason) = self.ledger.send(voucher).await.answer(voucher);
                    (Input::Sent(answer, self.ledger.dedup()), reason)
                }
                Then::Find => self.find(voucher).await,
                Then::Wait(_) | Then::Rest => return Ok(Worked::Done(Box::new(hold.intent))),
            };
            match step(hold.intent.progress, input) {
                Some(transition) => next = (transition, reason),
                None => return Ok(Worked::Done(Box::new(hold.intent))),
            }
        }
    }

    async fn find(&self, voucher: &Voucher) -> (Input, Option<Box<str>>) {
        let (look, reason) = match self.ledger.find(voucher.reference()).await {
            Ok(entries) => look(&entries, voucher),
            Err(error) => (super::step::Look::Failed, Some(error.0)),
        };
        (Input::Found(look), reason)
    }

    /// Whoever was held still for too long does not send any more.
    fn is_late(&self, hold: &Hold) -> bool {
        let enough = self.clock.now().checked_add(MARGIN);
        let until = hold.intent.held_until;
        !matches!((enough, until), (Ok(enough), Some(until)) if enough <= until)
    }

    /// Keeps a state, on the fence; false where somebody else has taken the voucher over.
    async fn keep(
        &self,
        hold: &mut Hold,
        transition: Transition,
        reason: Option<Box<str>>,
    ) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let before = hold.intent.progress.state;
        let (next, due) = after(&hold.intent, transition, reason, now);
        let content = Content::of(&next).fenced(hold.fence);
        let content = match due {
            Some(due) => content.due_at(due),
            None => content,
        };
        let expect = Expect::Fenced {
            version: hold.version,
            fence: hold.fence,
        };
        let mut writes = vec![Write::put(hold.key.clone(), expect, content)];
        writes.extend(next.consequences(self.integration, before, hold.version + 1));
        match self.store.write(writes).await {
            Ok(()) => {}
            Err(StoreError::Refused { .. }) => return Ok(false),
            Err(error) => return Err(error),
        }
        hold.intent = next;
        hold.version += 1;
        hold.then = transition.then;
        Ok(true)
    }
}

/// Returns the intent after a transition, and when somebody should look at it again.
pub(super) fn after(
    intent: &Intent,
    transition: Transition,
    reason: Option<Box<str>>,
    now: Timestamp,
) -> (Intent, Option<Timestamp>) {
    let later = |wait: Duration| now.checked_add(wait).unwrap_or(now);
    let until = later(CLAIM);
    let (held_until, due) = match transition.then {
        Then::Send | Then::Find => (Some(until), Some(until)),
        Then::Wait(wait) => (None, Some(later(wait))),
        Then::Rest => (None, None),
    };
    let settled = matches!(transition.next.state, State::Accepted | State::Posted);
    let kept = if settled { None } else { intent.reason.clone() };
    let next = Intent {
        progress: transition.next,
        reason: reason.or(kept),
        held_until,
        left_by: if transition.then == Then::Send {
            Some(until)
        } else {
            intent.left_by
        },
        changed_at: now,
        ..intent.clone()
    };
    (next, due)
}

/// Returns from when on a human may decide that a voucher is not in the books, if that is not now.
pub(super) fn quiet_from(progress: &Progress, left_by: Option<Timestamp>, quiet: Span) -> Option<Timestamp> {
    let left_by = left_by.filter(|_| progress.is_in_doubt())?;
    left_by.checked_add(quiet).ok()
}
