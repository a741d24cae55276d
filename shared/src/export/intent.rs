//! What is kept for ever of an export: that it was intended, under which reference, and how far it is.
//!
//! | row | place in the organization's partition | content |
//! | --- | --- | --- |
//! | intent | `export#{system}#{reimbursement}#{revision}` | [`Intent`] |
//! | voucher | `voucher#{system}#{reference}` | [`Voucher`], as it is sent |
//! | number | `voucher-number#{system}#{number}` | the reference that has the number |
//! | review | `export-review#{system}#{reference}` | [`Unsettled`], while it waits for a human |
//!
//! None of them ever expires: what is booked is booked for ever.

#![expect(
    clippy::disallowed_types,
    reason = "what serde derives for a tag names every type of number"
)]

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ledger::Route;
use super::notice;
use super::reference::{Reference, Revision, VoucherNumber};
use super::review::Unsettled;
use super::step::{Progress, State};
use super::voucher::Voucher;
use crate::model::{IntegrationId, Money, RecordId};
use crate::publish::ResultEvent;
use crate::store::{Content, Expect, Key, Query, Store, StoreError, Table, Write};
use crate::sync::outbox;

/// How many rows are read at once.
const PAGE: usize = 100;

/// What a voucher is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "lowercase")]
pub enum Purpose {
    /// It books the reimbursement.
    Booking,
    /// It undoes an earlier voucher of it.
    Reversal {
        /// Which.
        of: Revision,
    },
}

/// That a voucher is to be booked, and how far it is.
///
/// # Shape
///
/// ```json
/// {"reimbursement":"4711","revision":0,"purpose":"booking","reference":"RE-…-0","number":731058441,"route":"graphql",
///  "source":"…","voucher":"…","total":"101.00 NOK","state":"sending","sends":1,"looks":0,"doubt":false,
///  "heldUntil":"…","leftBy":"…","openedAt":"…","openedBy":"…","changedAt":"…"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// Of which reimbursement.
    pub reimbursement: RecordId,
    /// Which voucher of it.
    pub revision: Revision,
    /// What it is for.
    #[serde(flatten)]
    pub purpose: Purpose,
    /// The voucher that has to be in the books before this one leaves: the reversal of what it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Revision>,
    /// The name under which it is booked.
    pub reference: Reference,
    /// The number that groups its lines.
    pub number: VoucherNumber,
    /// Which way it goes.
    pub route: Route,
    /// The fingerprint of all that the reimbursement said.
    pub source: String,
    /// The fingerprint of the voucher.
    pub voucher: String,
    /// What is owed to the claimant by it.
    pub total: Money,
    /// How far it is.
    #[serde(flatten)]
    pub progress: Progress,
    /// What the ledger said last, where that was not what it should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Box<str>>,
    /// Until when somebody works on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    /// When the claim ended under which it last may have left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_by: Option<Timestamp>,
    /// Since when it is intended.
    pub opened_at: Timestamp,
    /// By whom.
    pub opened_by: Box<str>,
    /// When this was last written.
    pub changed_at: Timestamp,
}

/// What stands of a reimbursement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Booked<'a> {
    /// Nothing is booked, or all of it is undone.
    Nothing,
    /// It is, or is about to be.
    UnderWay(&'a Intent),
    /// The ledger has it.
    Standing(&'a Intent),
    /// The ledger took it and then refused it: something may still stand in its queue.
    Rejected(&'a Intent),
    /// It may be.
    InDoubt(&'a Intent),
}

/// Says what stands of a reimbursement, by its intents in rising order of revision.
#[must_use]
pub fn booked(intents: &[Intent]) -> Booked<'_> {
    let undone = |revision: Revision| {
        let undoes = |intent: &Intent| intent.purpose == Purpose::Reversal { of: revision };
        intents
            .iter()
            .any(|intent| undoes(intent) && intent.progress.state == State::Posted)
    };
    let newest_first = intents.iter().rev().filter(|intent| !undone(intent.revision));
    newest_first
        .filter_map(Intent::standing)
        .next()
        .unwrap_or(Booked::Nothing)
}

/// Says whether more than one voucher books it, of which none is undone: somebody forced one, and knows of the other.
#[must_use]
pub fn stands_twice(intents: &[Intent]) -> bool {
    let undone = |revision: Revision| {
        let undoes = |intent: &Intent| intent.purpose == Purpose::Reversal { of: revision };
        intents
            .iter()
            .any(|intent| undoes(intent) && intent.progress.state == State::Posted)
    };
    let stands = |intent: &&Intent| {
        intent.purpose == Purpose::Booking
            && matches!(intent.progress.state, State::Accepted | State::Posted)
            && !undone(intent.revision)
    };
    intents.iter().filter(stands).count() > 1
}

impl Intent {
    /// Says what stands by this voucher alone; `None` where nothing does.
    ///
    /// A reversal that is not in the books yet has undone nothing: the ledger may still refuse it.
    fn standing(&self) -> Option<Booked<'_>> {
        match (self.progress.state, self.purpose) {
            (State::Refused | State::Cancelled, _) | (State::Posted, Purpose::Reversal { .. }) => None,
            (State::Accepted | State::Posted, Purpose::Booking) => Some(Booked::Standing(self)),
            (State::Intended | State::Sending | State::Doubtful | State::Accepted, _) => {
                Some(Booked::UnderWay(self))
            }
            (State::Rejected, _) => Some(Booked::Rejected(self)),
            (State::Review, _) => Some(Booked::InDoubt(self)),
        }
    }

    /// Says whether nothing is booked under its reference, so that it may be used again.
    pub(super) fn is_free(&self) -> bool {
        self.purpose == Purpose::Booking && matches!(self.progress.state, State::Refused | State::Cancelled)
    }

    pub(super) fn key(&self, integration: &IntegrationId) -> Key {
        intent_key(integration, &self.reimbursement, self.revision)
    }

    /// Tells that it has got further; holds no personal data.
    fn event(&self, integration: &IntegrationId, version: u64) -> ResultEvent {
        let reversal_of = match self.purpose {
            Purpose::Booking => None,
            Purpose::Reversal { of } => Some(of),
        };
        let detail = json!({
            "organizationId": integration.organization,
            "integrationType": integration.system,
            "reimbursementId": self.reimbursement,
            "reference": self.reference,
            "revision": self.revision,
            "reversalOf": reversal_of,
            "state": self.progress.state,
            "why": self.progress.why,
        });
        ResultEvent {
            event_id: format!("{}.{version}", self.reference),
            detail_type: "reimbursement.export_changed.v1".to_owned(),
            time: self.changed_at,
            detail,
        }
    }

    /// Returns what else is written with it, when it gets from `before` to where it is: the word to the platform, and
    /// its place among the reviews.
    pub(super) fn consequences(
        &self,
        integration: &IntegrationId,
        before: State,
        version: u64,
    ) -> Vec<Write> {
        let state = self.progress.state;
        let mut writes = Vec::new();
        if state == before {
            return writes;
        }
        let told = !matches!(state, State::Intended | State::Sending | State::Doubtful);
        if told {
            let name = format!("export.{}.{version:010}", self.reference);
            writes.push(outbox::post(
                integration,
                &name,
                &self.event(integration, version),
                self.changed_at,
            ));
        }
        let is_reversal = matches!(self.purpose, Purpose::Reversal { .. });
        // Nobody else asks for a reversal that the ledger would not take, as somebody does for what it should book.
        let waits = |state: State| {
            matches!(state, State::Review | State::Rejected) || is_reversal && state == State::Refused
        };
        if is_reversal && matches!(state, State::Posted | State::Cancelled) {
            // What the reimbursement says now is held against what is booked now.
            writes.push(notice::write(integration, &self.reimbursement, self.changed_at));
        }
        let review = review_key(integration, &self.reference);
        if waits(state) {
            let content = Content::of(&Unsettled {
                reimbursement: self.reimbursement.clone(),
                revision: self.revision,
                opened_at: self.changed_at,
            });
            writes.push(Write::put(review, Expect::Anything, content));
        } else if waits(before) {
            writes.push(Write::delete(review, Expect::Anything));
        }
        writes
    }
}

fn key(integration: &IntegrationId, sort: String) -> Key {
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns where an intent is kept.
#[must_use]
pub fn intent_key(integration: &IntegrationId, reimbursement: &RecordId, revision: Revision) -> Key {
    let place = intents_of(integration, reimbursement);
    key(integration, format!("{place}{:03}", u16::from(revision)))
}

fn intents_of(integration: &IntegrationId, reimbursement: &RecordId) -> String {
    format!("{}{reimbursement}#", intents_prefix(integration))
}

/// Begins the place of every intent.
pub const INTENTS: &str = "export#";

/// Returns what the places of all intents of an integration begin with.
#[must_use]
pub fn intents_prefix(integration: &IntegrationId) -> String {
    format!("{INTENTS}{}#", integration.system)
}

/// Returns whose intent is kept at a place.
#[must_use]
pub fn intent_place(key: &Key) -> Option<(IntegrationId, RecordId, Revision)> {
    let mut parts = key.sort.strip_prefix(INTENTS)?.split('#');
    let (system, reimbursement, revision) = (parts.next()?, parts.next()?, parts.next()?);
    let id = IntegrationId::new(key.partition.parse().ok()?, system.parse().ok()?);
    let revision = revision.parse::<u16>().ok()?.try_into().ok()?;
    Some((id, reimbursement.parse().ok()?, revision))
}

pub(super) fn voucher_key(integration: &IntegrationId, reference: &Reference) -> Key {
    key(integration, format!("voucher#{}#{reference}", integration.system))
}

pub(super) fn number_key(integration: &IntegrationId, number: VoucherNumber) -> Key {
    key(
        integration,
        format!("voucher-number#{}#{number}", integration.system),
    )
}

pub(super) fn review_key(integration: &IntegrationId, reference: &Reference) -> Key {
    key(integration, format!("{}{reference}", review_prefix(integration)))
}

/// Returns where it is kept that a reimbursement waits for a human; no reference has a colon.
pub(super) fn waiting_key(integration: &IntegrationId, reimbursement: &RecordId) -> Key {
    let prefix = review_prefix(integration);
    key(integration, format!("{prefix}reimbursement:{reimbursement}"))
}

/// Returns what the places of all begin with that waits for a human.
#[must_use]
pub fn review_prefix(integration: &IntegrationId) -> String {
    format!("export-review#{}#", integration.system)
}

/// Returns the intents of a reimbursement, in rising order of revision, with the versions of their rows.
///
/// # Errors
///
/// Those of the store.
pub async fn read_intents(
    store: &dyn Store,
    integration: &IntegrationId,
    reimbursement: &RecordId,
) -> Result<Vec<(Intent, u64)>, StoreError> {
    let mut intents = Vec::new();
    let mut after = None;
    loop {
        let prefix = intents_of(integration, reimbursement);
        let query = Query::new(Table::Control, integration.organization.as_str(), prefix, PAGE);
        let page = store.query(&query.after(after)).await?;
        for row in page.rows {
            intents.push((row.decode()?, row.version));
        }
        after = page.next;
        if after.is_none() {
            return Ok(intents);
        }
    }
}

/// Has an intent looked at no earlier than `until`, unless somebody works on it or nothing is left to do; returns the
/// version of its row.
///
/// # Errors
///
/// Those of the store. One that changed meanwhile is as good as one that somebody works on.
pub async fn postpone(
    store: &dyn Store,
    integration: &IntegrationId,
    (reimbursement, revision): (&RecordId, Revision),
    until: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let key = intent_key(integration, reimbursement, revision);
    let Some(row) = store.get(std::slice::from_ref(&key)).await?.pop().flatten() else {
        return Ok(None);
    };
    let intent: Intent = row.decode()?;
    let until = intent.held_until.map_or(until, |held| held.max(until));
    let content = Content::of(&intent).due_at(until);
    match store
        .write(vec![Write::put(key, Expect::Version(row.version), content)])
        .await
    {
        Ok(()) => Ok(Some(row.version + 1)),
        Err(StoreError::Refused { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns some intents of an integration, with the place to go on after.
///
/// # Errors
///
/// Those of the store.
pub async fn list_intents(
    store: &dyn Store,
    integration: &IntegrationId,
    after: Option<String>,
    limit: usize,
) -> Result<(Vec<Intent>, Option<String>), StoreError> {
    let prefix = intents_prefix(integration);
    let query = Query::new(Table::Control, integration.organization.as_str(), prefix, limit);
    let page = store.query(&query.after(after)).await?;
    let rows: Result<Vec<_>, _> = page.rows.iter().map(crate::store::Row::decode).collect();
    Ok((rows?, page.next))
}

/// Returns the voucher that has a reference, if one has.
pub(super) async fn voucher_of(
    store: &dyn Store,
    integration: &IntegrationId,
    reference: &Reference,
) -> Result<Option<Voucher>, StoreError> {
    let row = store
        .get(&[voucher_key(integration, reference)])
        .await?
        .pop()
        .flatten();
    row.map(|row| row.decode()).transpose()
}

/// Returns those of the references that vouchers of ours have; at most a hundred are asked for at once.
///
/// # Errors
///
/// Those of the store.
pub async fn known(
    store: &dyn Store,
    integration: &IntegrationId,
    references: &[Reference],
) -> Result<Vec<Reference>, StoreError> {
    let keys: Vec<_> = references
        .iter()
        .map(|reference| voucher_key(integration, reference))
        .collect();
    let rows = store.get(&keys).await?;
    let known = references.iter().zip(rows).filter(|(_, row)| row.is_some());
    Ok(known.map(|(reference, _)| reference.clone()).collect())
}

/// Returns the voucher of an intent, as it is sent.
///
/// # Errors
///
/// Those of the store; `Malformed` also where it is not the voucher that was intended, or is missing.
pub async fn read_voucher(
    store: &dyn Store,
    integration: &IntegrationId,
    intent: &Intent,
) -> Result<Voucher, StoreError> {
    let key = voucher_key(integration, &intent.reference);
    let malformed = |why: &str| StoreError::Malformed {
        sort: key.sort.clone(),
        source: why.into(),
    };
    let row = store.get(std::slice::from_ref(&key)).await?.pop().flatten();
    let voucher: Voucher = row.ok_or_else(|| malformed("there is no such row"))?.decode()?;
    if voucher.fingerprint() == intent.voucher && *voucher.reference() == intent.reference {
        Ok(voucher)
    } else {
        Err(malformed("it is not the voucher that was intended"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    const SCHEMA: &str =
        include_str!("../../../events/result-events/reimbursement.export_changed.v1.schema.json");

    #[test]
    fn an_event_has_the_fields_of_its_schema_and_no_other() {
        let mut intent = samples::intent("4711", "101.00");
        intent.event(&samples::integration(), 7).check(SCHEMA);
        intent.purpose = Purpose::Reversal { of: Revision::FIRST };
        intent.event(&samples::integration(), 7).check(SCHEMA);
    }

    /// While a deployment is under way, old code and new code read each other's rows.
    #[test]
    fn rows_as_the_first_version_wrote_them_are_read() {
        let row = r#"{"reimbursement":"4711","revision":2,"purpose":"reversal","of":0,
            "reference":"RE-5ZPX21XKG8XK1RB1RZ-2","number":1,"route":"csv","source":"s","voucher":"v",
            "total":"-101.00 NOK","state":"sending","sends":1,"looks":0,"doubt":true,
            "openedAt":"2026-03-01T10:00:00Z","openedBy":"treasurer","changedAt":"2026-03-01T10:00:00Z"}"#;
        let intent: Intent = serde_json::from_str(row).unwrap();
        assert_eq!(intent.purpose, Purpose::Reversal { of: Revision::FIRST });
        assert!(intent.progress.doubt && intent.after.is_none());
        let again: Intent = serde_json::from_str(&serde_json::to_string(&intent).unwrap()).unwrap();
        assert_eq!(again, intent);
    }
}
