//! Compares the books with what we say of them, every night and whenever somebody asks.
//!
//! What we say is exported since a day is held against all that stands in the books under references of ours since that day.
//! A voucher may be dated outside of the time that is looked at: what one side alone seems to have is asked for by its
//! reference before it is called a difference.

use std::collections::BTreeSet;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Ports;
use super::book::{again, later};
use super::export::Bookkeeping;
use crate::adapter;
use crate::export::{self, Entry, Intent, Reference, Row, State};
use crate::model::IntegrationId;
use crate::publish::ResultEvent;
use crate::queue::{Message, QueueError};
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};
use crate::sync::outbox;

/// Begins the place of every comparison.
pub(super) const PREFIX: &str = "export-comparison#";

/// How far back is looked, where nobody says.
const DAYS: i64 = 62;

/// At which hour of the night, where the organization is.
const HOUR: i8 = 3;

/// How many differences are kept in full.
const KEPT: usize = 200;

/// How many references are asked for one by one.
const ASKED: usize = 200;

/// How many intents are read at once.
const PAGE: usize = 500;

/// How long a comparison waits that the books did not answer to.
const DOWN: SignedDuration = SignedDuration::from_mins(30);

/// The message that has books compared.
///
/// # Shape
///
/// `{"compare":"hlf:xledger","since":"2026-01-01"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareJob {
    /// Whose books.
    pub compare: IntegrationId,
    /// Since which day; some weeks where nobody says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
}

/// What the last comparison found.
///
/// # Shape
///
/// `{"at":"2026-03-02T02:17:00Z","since":"2026-01-01","vouchers":120,"entries":119,"differences":[{"reference":"RE-…-0",
/// "difference":"missing_there","state":"posted"}],"more":0}`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// When the books were last compared to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Since which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
    /// How many vouchers we say were sent since.
    #[serde(default)]
    pub vouchers: usize,
    /// How many the books have under references of ours.
    #[serde(default)]
    pub entries: usize,
    /// Where they differ.
    #[serde(default)]
    pub differences: Vec<serde_json::Value>,
    /// How many more differences there are.
    #[serde(default)]
    pub more: usize,
    /// Why the last try came to no end, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

impl CompareJob {
    /// Returns the message; `why` tells it from earlier ones.
    #[must_use]
    pub fn message(&self, why: &str) -> Message {
        Message {
            system: self.compare.system,
            group: format!("{}:books", self.compare),
            deduplication: format!("{}:books:{why}", self.compare),
            body: Content::of(self).body,
        }
    }
}

fn key(integration: &IntegrationId) -> Key {
    let sort = format!("{PREFIX}{}", integration.system);
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns what the last comparison found, if there was one.
///
/// # Errors
///
/// Those of the store.
pub async fn last(store: &dyn Store, integration: &IntegrationId) -> Result<Option<Comparison>, StoreError> {
    Ok(read(store, integration).await?.map(|(comparison, _)| comparison))
}

async fn read(
    store: &dyn Store,
    integration: &IntegrationId,
) -> Result<Option<(Comparison, u64)>, StoreError> {
    let row = store.get(&[key(integration)]).await?.pop().flatten();
    row.map(|row| Ok((row.decode()?, row.version))).transpose()
}

/// Sees to it that the books are compared every night from now on.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn begin(at: &Bookkeeping<'_>) -> Result<(), StoreError> {
    let (store, id) = (&*at.ports.store, &at.integration.id);
    if read(store, id).await?.is_some() {
        return Ok(());
    }
    let content = Content::of(&Comparison::default()).due_at(tonight(at));
    match store
        .write(vec![Write::put(key(id), Expect::Absent, content)])
        .await
    {
        Err(StoreError::Refused { .. }) => Ok(()),
        answer => answer,
    }
}

/// Returns the message that has books compared that are due; they are due once more, should the message be lost.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn wake(ports: &Ports, due: &Key) -> Result<Option<Message>, StoreError> {
    let Some(system) = due.sort.strip_prefix(PREFIX) else {
        return Ok(None);
    };
    let Ok(id) = format!("{}:{system}", due.partition).parse::<IntegrationId>() else {
        return Ok(None);
    };
    let Some((comparison, version)) = read(&*ports.store, &id).await? else {
        return Ok(None);
    };
    let (again, is_gone) = again(ports, &id).await?;
    let content = Content::of(&comparison).due_at(again);
    match ports
        .store
        .write(vec![Write::put(key(&id), Expect::Version(version), content)])
        .await
    {
        Ok(()) => {}
        Err(StoreError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    if is_gone {
        return Ok(None);
    }
    let job = CompareJob {
        compare: id,
        since: None,
    };
    Ok(Some(job.message(&version.to_string())))
}

/// Asks for a comparison now.
///
/// # Errors
///
/// If the queue does not take it.
pub async fn ask(ports: &Ports, integration: &IntegrationId, since: Option<Date>) -> Result<(), QueueError> {
    let job = CompareJob {
        compare: integration.clone(),
        since,
    };
    ports
        .queue
        .send(job.message(&format!("{:.3}", ports.now())))
        .await
}

/// Compares, and keeps what was found.
pub(super) async fn compare(
    at: &Bookkeeping<'_>,
    since: Option<Date>,
    today: Date,
) -> Result<(), StoreError> {
    let since = since.unwrap_or_else(|| today.checked_sub(DAYS.days()).unwrap_or(today));
    let mut intents = opened_since(at, since).await?;
    let (found, silent) = match found(at, &intents, since).await {
        Ok(found) => found?,
        Err(error) => return failed(at, &error).await,
    };
    // Of what the ledger does not say, nothing is said.
    intents.retain(|intent| !silent.contains(&intent.reference));
    let rows = export::reconcile(&intents, &found);
    let differences: Vec<_> = rows.iter().take(KEPT).map(|row| json!(row)).collect();
    let comparison = Comparison {
        at: Some(at.ports.now()),
        since: Some(since),
        vouchers: intents.len(),
        entries: found.len(),
        more: rows.len().saturating_sub(differences.len()),
        differences,
        failure: None,
    };
    keep(at, &comparison, &rows).await
}

/// Returns the intents that were opened since a day, or may have left since.
async fn opened_since(at: &Bookkeeping<'_>, since: Date) -> Result<Vec<Intent>, StoreError> {
    let begin = since
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::MIN, |day| day.timestamp());
    let (mut intents, mut after) = (Vec::new(), None);
    loop {
        let (page, next) = export::list_intents(&*at.ports.store, &at.integration.id, after, PAGE).await?;
        intents.extend(page.into_iter().filter(|intent| intent.changed_at >= begin));
        after = next;
        if after.is_none() {
            return Ok(intents);
        }
    }
}

/// What the books have, and of which references they did not say it.
type Found = (Vec<Entry>, BTreeSet<Reference>);

/// Returns what the books have, as far as it concerns these intents or nobody knows of it.
async fn found(
    at: &Bookkeeping<'_>,
    intents: &[Intent],
    since: Date,
) -> adapter::Result<Result<Found, StoreError>> {
    let mut entries = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = at.books.entries(since, after.as_deref()).await?;
        entries.extend(page.entries);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let known: BTreeSet<_> = intents.iter().map(|intent| &intent.reference).collect();
    let strange: Vec<_> = entries
        .iter()
        .map(|entry| entry.reference.clone())
        .filter(|reference| !known.contains(reference))
        .collect();
    let older = match older(at, strange).await {
        Ok(older) => older,
        Err(error) => return Ok(Err(error)),
    };
    entries.retain(|entry| !older.contains(&entry.reference));
    let there: BTreeSet<_> = entries.iter().map(|entry| entry.reference.clone()).collect();
    let missing = intents.iter().filter(|intent| {
        let said = matches!(intent.progress.state, State::Accepted | State::Posted);
        said && !there.contains(&intent.reference)
    });
    let mut silent = BTreeSet::new();
    for (at_most, intent) in missing.enumerate() {
        let ledger = at.ledger(intent.route).ok().filter(|_| at_most < ASKED);
        let Some(ledger) = ledger else {
            silent.insert(intent.reference.clone());
            continue;
        };
        match ledger.find(&intent.reference).await {
            Ok(found) => {
                let ours = |entry: &Entry| entry.reference == intent.reference;
                entries.extend(found.into_iter().filter(ours));
            }
            Err(_) => drop(silent.insert(intent.reference.clone())),
        }
    }
    Ok(Ok((entries, silent)))
}

/// Returns those references that are ours, of vouchers from before the time that is looked at.
async fn older(at: &Bookkeeping<'_>, references: Vec<Reference>) -> Result<BTreeSet<Reference>, StoreError> {
    let mut ours = BTreeSet::new();
    for some in references.chunks(100) {
        let known = export::known(&*at.ports.store, &at.integration.id, some).await?;
        ours.extend(known);
    }
    Ok(ours)
}

async fn failed(at: &Bookkeeping<'_>, error: &adapter::Error) -> Result<(), StoreError> {
    let id = &at.integration.id;
    tracing::error!(integration.id = %id, %error, "the books could not be compared");
    let before = last(&*at.ports.store, id).await?.unwrap_or_default();
    let wait = if error.kind().is_temporary() {
        later(at.ports.now(), DOWN)
    } else {
        tonight(at)
    };
    let comparison = Comparison {
        failure: Some(error.to_string()),
        ..before
    };
    let content = Content::of(&comparison).due_at(wait);
    at.ports
        .store
        .write(vec![Write::put(key(id), Expect::Anything, content)])
        .await
}

async fn keep(at: &Bookkeeping<'_>, comparison: &Comparison, rows: &[Row]) -> Result<(), StoreError> {
    let (id, now) = (&at.integration.id, at.ports.now());
    let content = Content::of(comparison).due_at(tonight(at));
    let mut writes = vec![Write::put(key(id), Expect::Anything, content)];
    if rows.is_empty() {
        tracing::info!(integration.id = %id, vouchers = comparison.vouchers, "the books have what we say");
    } else {
        tracing::error!(books_differ = true, integration.id = %id, differences = rows.len(), "the books have something else than we say");
        let event = event(id, comparison, rows.len(), now);
        writes.push(outbox::post(id, &format!("books#{now}"), &event, now));
    }
    at.ports.store.write(writes).await
}

/// Tells that the books differ; holds no personal data.
pub(super) fn event(
    id: &IntegrationId,
    comparison: &Comparison,
    differences: usize,
    now: Timestamp,
) -> ResultEvent {
    ResultEvent {
        event_id: format!("{id}.books.{now}"),
        detail_type: "books.differ.v1".to_owned(),
        time: now,
        detail: json!({
            "organizationId": id.organization,
            "integrationType": id.system,
            "since": comparison.since,
            "vouchers": comparison.vouchers,
            "differences": differences,
        }),
    }
}

/// Returns when the coming night is, where the organization is; not all organizations at the same minute.
fn tonight(at: &Bookkeeping<'_>) -> Timestamp {
    let now = at.ports.now();
    let name = at.integration.id.organization.as_str();
    let minute = name
        .bytes()
        .fold(0_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 60);
    let zone = at.books.mapping().time_zone.clone();
    let today = now.to_zoned(zone.clone()).date();
    let night = |date: Date| {
        date.at(HOUR, 0, 0, 0)
            .to_zoned(zone.clone())
            .map(|time| time.timestamp())
    };
    let tomorrow = today.tomorrow().unwrap_or(today);
    [night(today), night(tomorrow)]
        .into_iter()
        .flatten()
        .map(|night| later(night, SignedDuration::from_mins(minute)))
        .find(|night| *night > now)
        .unwrap_or_else(|| later(now, SignedDuration::from_hours(24)))
}
