//! Has vouchers looked at before their time, because the ledger says that something happened.

use std::time::Duration;

use jiff::Timestamp;

use super::intent::Intent;
use super::step::State;
use crate::model::IntegrationId;
use crate::store::{Content, Expect, Query, Row, Store, StoreError, Table, Write};

/// How many rows are read at once.
const PAGE: usize = 100;

/// The most pages that are looked through; what is beyond is looked at in its own time.
const PAGES: usize = 100;

/// How long what was just accepted, or looked at, is left alone: a ledger tells of what we do ourselves, and of every line.
const ACCEPTED: Duration = Duration::from_secs(60);

/// How long what is in doubt is left alone, of which a human is asked after a few looks in vain.
const DOUBTFUL: Duration = Duration::from_secs(10 * 60);

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Looked {
    /// How many vouchers are due now.
    pub due: usize,
    /// Whether there are more than were looked through.
    pub cut_short: bool,
}

/// Makes those vouchers due that a ledger has accepted, or may have, and that nobody works on.
///
/// Asking again changes nothing more than asking once.
///
/// # Errors
///
/// Those of the store.
pub async fn look_again(
    store: &dyn Store,
    integration: &IntegrationId,
    now: Timestamp,
) -> Result<Looked, StoreError> {
    let (mut looked, mut after) = (Looked::default(), None);
    for _ in 0..PAGES {
        let prefix = format!("export#{}#", integration.system);
        let query = Query::new(Table::Control, integration.organization.as_str(), prefix, PAGE);
        let page = store.query(&query.after(after)).await?;
        for row in &page.rows {
            looked.due += usize::from(hasten(store, row, now).await?);
        }
        after = page.next;
        if after.is_none() {
            return Ok(looked);
        }
    }
    looked.cut_short = true;
    Ok(looked)
}

/// Makes a voucher due, unless it is left alone; whoever has taken it up meanwhile looks at it anyway.
async fn hasten(store: &dyn Store, row: &Row, now: Timestamp) -> Result<bool, StoreError> {
    let intent: Intent = row.decode()?;
    if !is_waiting(&intent, now) {
        return Ok(false);
    }
    let content = Content::of(&intent).due_at(now);
    let write = Write::put(row.key.clone(), Expect::Version(row.version), content);
    match store.write(vec![write]).await {
        Ok(()) => Ok(true),
        Err(StoreError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_waiting(intent: &Intent, now: Timestamp) -> bool {
    let rest = match intent.progress.state {
        State::Accepted => ACCEPTED,
        State::Doubtful => DOUBTFUL,
        _ => return false,
    };
    let rested = intent
        .changed_at
        .checked_add(rest)
        .is_ok_and(|until| until <= now);
    let held = intent.held_until.is_some_and(|until| until > now);
    rested && !held
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, ToSpan};

    use super::super::samples::{integration, intent, now};
    use super::*;
    use crate::store::{Due, Key, MemoryStore};

    /// Keeps a voucher in a state since `minutes` ago, due only tomorrow.
    async fn keep(store: &MemoryStore, id: &str, state: State, minutes: i64, held: bool) -> Key {
        let mut intent = intent(id, "101.00");
        intent.progress.state = state;
        intent.changed_at = now() - SignedDuration::from_mins(minutes);
        intent.held_until = held.then(|| now() + SignedDuration::from_secs(1));
        let content = Content::of(&intent).fenced(7).due_at(now() + 24.hours());
        let key = intent.key(&integration());
        let write = Write::put(key.clone(), Expect::Absent, content);
        store.write(vec![write]).await.unwrap();
        key
    }

    async fn due(store: &MemoryStore) -> Vec<Key> {
        store.due(Due::Reconcile, now(), 1_000).await.unwrap()
    }

    #[tokio::test]
    async fn what_the_ledger_has_or_may_have_is_due_and_nothing_else() {
        let store = MemoryStore::new();
        let accepted = keep(&store, "a", State::Accepted, 5, false).await;
        let doubtful = keep(&store, "b", State::Doubtful, 15, false).await;
        keep(&store, "held", State::Accepted, 5, true).await;
        keep(&store, "just", State::Accepted, 0, false).await;
        keep(&store, "soon", State::Doubtful, 5, false).await;
        for (at, state) in [
            State::Intended,
            State::Sending,
            State::Posted,
            State::Refused,
            State::Rejected,
            State::Review,
            State::Cancelled,
        ]
        .into_iter()
        .enumerate()
        {
            keep(&store, &format!("z{at}"), state, 60, false).await;
        }
        let looked = look_again(&store, &integration(), now()).await.unwrap();
        assert_eq!((looked.due, looked.cut_short), (2, false));
        let mut found = due(&store).await;
        found.sort_unstable();
        assert_eq!(found, [accepted.clone(), doubtful]);
        let row = store.get(&[accepted]).await.unwrap().remove(0).unwrap();
        assert_eq!(
            (row.version, row.fence),
            (2, Some(7)),
            "the claim's fence is kept"
        );
    }

    #[tokio::test]
    async fn every_page_is_looked_through_and_no_other_integration() {
        let store = MemoryStore::new();
        for at in 0..250 {
            keep(&store, &format!("r{at:03}"), State::Accepted, 5, false).await;
        }
        let other: IntegrationId = "hlf:dynamics365".parse().unwrap();
        assert_eq!(look_again(&store, &other, now()).await.unwrap().due, 0);
        assert_eq!(look_again(&store, &integration(), now()).await.unwrap().due, 250);
        assert_eq!(due(&store).await.len(), 250);
    }
}
