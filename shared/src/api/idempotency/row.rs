//! The row of a key: `idempotency#{caller}#{key}` in the organization's control partition.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::api::Caller;
use crate::model::OrganizationId;
use crate::store::{Content, Expect, Key, Row, Store, StoreError, Table, Write};

/// How long an attempt may take: more than a function lives, so that one whose time is up is dead.
const LEASE: Duration = Duration::from_secs(60);

/// How long a key is remembered.
const REMEMBERED_HOURS: i64 = 24;

/// The largest answer that is kept, in bytes; a row holds 400 KB.
const MAX_KEPT: usize = 300 * 1024;

/// What is known of a key.
///
/// # Shape
///
/// `{"fingerprint":"9f2c…","begunAt":"…","until":"…","forgottenAt":"…","answer":{"status":202,"headers":[],"body":"{}"}}`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Known {
    fingerprint: String,
    /// When the first attempt began.
    begun_at: Timestamp,
    /// Until when the current attempt may take.
    until: Timestamp,
    /// The table may keep the row for longer than this.
    forgotten_at: Timestamp,
    answer: Option<Answer>,
}

/// An answer that is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// What is to be done with a request that carries a key.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Do it; an earlier attempt, which died, may have left something since then.
    Act {
        claim: Claim,
        resumes: Option<Timestamp>,
    },
    /// It was done; this was the answer.
    Done(Answer),
    /// It is being done.
    Running,
    /// The key was used for something else.
    Reused,
}

/// The right to act under a key.
#[derive(Debug)]
pub(super) struct Claim {
    key: Key,
    version: u64,
    known: Known,
}

/// Decides what is to be done; of many that ask at once, one is to act.
pub(super) async fn claim(
    store: &dyn Store,
    key: Key,
    fingerprint: &str,
    now: Timestamp,
) -> Result<Verdict, StoreError> {
    loop {
        let row = store.get(std::slice::from_ref(&key)).await?.pop().flatten();
        let (expect, known) = match remembered(row.as_ref(), now)? {
            None => (expectation(row.as_ref()), Known::new(fingerprint, now, now)),
            Some(known) if known.fingerprint != fingerprint => return Ok(Verdict::Reused),
            Some(Known {
                answer: Some(answer), ..
            }) => return Ok(Verdict::Done(answer)),
            Some(known) if known.until > now => return Ok(Verdict::Running),
            Some(known) => (
                expectation(row.as_ref()),
                Known::new(fingerprint, known.begun_at, now),
            ),
        };
        let version = row.map_or(0, |row| row.version) + 1;
        let resumes = (known.begun_at < now).then_some(known.begun_at);
        let claim = Claim {
            key: key.clone(),
            version,
            known,
        };
        match store.write(vec![claim.write(expect)]).await {
            Err(StoreError::Refused { .. }) => {}
            answer => return answer.map(|()| Verdict::Act { claim, resumes }),
        }
    }
}

fn remembered(row: Option<&Row>, now: Timestamp) -> Result<Option<Known>, StoreError> {
    let known: Option<Known> = row.map(Row::decode).transpose()?;
    Ok(known.filter(|known| known.forgotten_at > now))
}

fn expectation(row: Option<&Row>) -> Expect {
    row.map_or(Expect::Absent, |row| Expect::Version(row.version))
}

/// Returns where a caller's key is kept.
pub(super) fn row_key(organization: &OrganizationId, caller: &Caller, key: &str) -> Key {
    let sort = format!("idempotency#{}#{key}", caller.name());
    Key::new(Table::Control, organization.as_str(), sort)
}

impl Known {
    fn new(fingerprint: &str, begun_at: Timestamp, now: Timestamp) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            begun_at,
            until: now + LEASE,
            forgotten_at: now.checked_add(REMEMBERED_HOURS.hours()).unwrap_or(now),
            answer: None,
        }
    }
}

impl Claim {
    fn write(&self, expect: Expect) -> Write {
        let content = Content::of(&self.known).expires_at(self.known.forgotten_at);
        Write::put(self.key.clone(), expect, content)
    }

    /// Keeps the answer of what was done. One too large to keep is not: the request is then done anew.
    pub(super) async fn keep(mut self, store: &dyn Store, answer: Answer) -> Result<(), StoreError> {
        if answer.body.len() > MAX_KEPT {
            return self.give_back(store).await;
        }
        self.known.answer = Some(answer);
        ours_no_more(store.write(vec![self.write(Expect::Version(self.version))]).await)
    }

    /// Forgets the key: nothing was done under it.
    pub(super) async fn give_back(self, store: &dyn Store) -> Result<(), StoreError> {
        let write = Write::delete(self.key, Expect::Version(self.version));
        ours_no_more(store.write(vec![write]).await)
    }
}

/// An attempt that took too long has lost the key to the next one, whose word then counts.
fn ours_no_more(answer: Result<(), StoreError>) -> Result<(), StoreError> {
    match answer {
        Err(StoreError::Refused { .. }) => Ok(()),
        answer => answer,
    }
}
