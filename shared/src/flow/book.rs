//! Works what concerns books, from the queue of their system: carries vouchers on, sees to notices, and compares the books
//! with what we say of them.
//!
//! | job | step | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | voucher | as [`crate::export`] says | | `reconcile` enqueues what is due |
//! | notice | 1 intend what is wanted | a notice of what is seen to | it is due: nothing is left to do, and it goes |
//! | | 2 take the notice away | – | – |
//! | comparison | 1 read the books, 2 keep what differs, due again the next night | – | it is due |

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Ports;
use super::compare;
use super::export::Bookkeeping;
use super::work::Worker;
use crate::adapter::{self, ErrorKind};
use crate::export::notice::{self, Cause, Notice, Settlement, Waiting};
use crate::export::{
    self, Booked, Books, Candidate, Exporter, IntendError, Intended, Intent, Purpose, Ready, Reference,
    Request, Revision, Route, State as Progress, WorkError, Worked, booked,
};
use crate::integration::{self, Integration, State};
use crate::model::{IntegrationId, RecordId};
use crate::queue::Message;
use crate::store::{Content, Key, StoreError};

/// How long what comes after something that is not settled waits for it.
const UNSETTLED: SignedDuration = SignedDuration::from_mins(30);

/// How long what the books did not answer to waits.
const DOWN: SignedDuration = SignedDuration::from_mins(5);

/// How long what is due is left alone, should its message be lost.
const LOST: SignedDuration = SignedDuration::from_mins(10);

/// How long it is left alone where its integration is gone: it may be connected again, and what was sent stays sent.
const GONE: SignedDuration = SignedDuration::from_hours(24);

/// How long vouchers wait at a time for requests that the contract has no more of.
const SPENT: SignedDuration = SignedDuration::from_hours(6);

/// Whoever exports what was approved, where nobody asks.
const SERVICE: &str = "service";

/// The message that has a voucher carried on.
///
/// # Shape
///
/// `{"voucherOf":"4711","revision":0,"integration":"hlf:xledger"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherJob {
    /// The reimbursement.
    pub voucher_of: RecordId,
    /// Which voucher of it.
    pub revision: Revision,
    /// Whose books.
    pub integration: IntegrationId,
}

/// The message that has a notice seen to.
///
/// # Shape
///
/// `{"noticed":"4711","integration":"hlf:xledger"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeJob {
    /// The reimbursement.
    pub noticed: RecordId,
    /// Whose books.
    pub integration: IntegrationId,
}

impl VoucherJob {
    /// Returns the message for an intent.
    #[must_use]
    pub fn of(integration: &IntegrationId, intent: &Intent) -> Self {
        Self {
            voucher_of: intent.reimbursement.clone(),
            revision: intent.revision,
            integration: integration.clone(),
        }
    }

    /// Puts it on its queue; where the queue does not take it, `reconcile` does so when the intent is due.
    pub(super) async fn enqueue(&self, ports: &Ports, at: Timestamp) {
        if let Err(error) = ports.queue.send(self.message(&at.to_string())).await {
            tracing::warn!(integration.id = %self.integration, ?error, "left a voucher to reconcile");
        }
    }

    fn message(&self, why: &str) -> Message {
        message(
            &self.integration,
            &self.voucher_of,
            &format!("{}-{why}", self.revision),
            self,
        )
    }
}

/// What concerns one reimbursement is worked one after the other. Its reference is short, which ids are not.
fn message<T: Serialize>(integration: &IntegrationId, of: &RecordId, why: &str, job: &T) -> Message {
    let reference = Reference::of(&integration.organization, of, Revision::FIRST);
    Message {
        system: integration.system,
        group: reference.to_string(),
        deduplication: format!("{reference}:{why}"),
        body: Content::of(job).body,
    }
}

/// Returns the message that has a due intent carried on; the intent is due once more, should the message be lost.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn wake_voucher(ports: &Ports, key: &Key) -> Result<Option<Message>, StoreError> {
    let Some((integration, voucher_of, revision)) = export::intent_place(key) else {
        return Ok(None);
    };
    let (again, is_gone) = again(ports, &integration).await?;
    let job = VoucherJob {
        voucher_of,
        revision,
        integration,
    };
    let postponed = export::postpone(
        &*ports.store,
        &job.integration,
        (&job.voucher_of, job.revision),
        again,
    )
    .await?;
    let postponed = postponed.filter(|_| !is_gone);
    Ok(postponed.map(|version| job.message(&version.to_string())))
}

/// Returns the message that has a due notice seen to; it is due once more, should the message be lost.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn wake_notice(ports: &Ports, key: &Key) -> Result<Option<Message>, StoreError> {
    let Some((integration, noticed)) = notice::place(key) else {
        return Ok(None);
    };
    let Some((notice, version)) = notice::read(&*ports.store, &integration, &noticed).await? else {
        return Ok(None);
    };
    let (again, is_gone) = again(ports, &integration).await?;
    notice::postpone(&*ports.store, &integration, &noticed, (&notice, version), again).await?;
    // The version alone does not do: a notice that comes after another one was settled begins anew.
    if is_gone {
        return Ok(None);
    }
    let why = format!("notice-{}-{version}", notice.at);
    Ok(Some(message(
        &integration,
        &noticed,
        &why,
        &NoticeJob {
            noticed: noticed.clone(),
            integration: integration.clone(),
        },
    )))
}

/// Says when what is due is due once more, and whether its integration is gone.
pub(super) async fn again(ports: &Ports, id: &IntegrationId) -> Result<(Timestamp, bool), StoreError> {
    let is_gone = integration::read(&*ports.store, id).await?.is_none();
    Ok((later(ports.now(), if is_gone { GONE } else { LOST }), is_gone))
}

/// Carries a voucher on.
///
/// # Errors
///
/// Those of the store: the queue delivers it again, and it is due.
pub(super) async fn voucher(worker: &Worker, job: &VoucherJob) -> Result<(), StoreError> {
    let id = &job.integration;
    let Some((integration, books)) = open(worker, id).await? else {
        return Ok(());
    };
    let at = Bookkeeping {
        ports: &worker.ports,
        integration: &integration,
        books: &*books,
    };
    let worked = carry_on(worker, &at, job).await;
    at.count().await?;
    refused(worker, &at).await?;
    match worked? {
        Some(intent) => told(id, &intent),
        None => tracing::info!(integration.id = %id, "a voucher waits"),
    }
    Ok(())
}

async fn carry_on(
    worker: &Worker,
    at: &Bookkeeping<'_>,
    job: &VoucherJob,
) -> Result<Option<Intent>, StoreError> {
    let (store, id) = (&*worker.ports.store, &at.integration.id);
    let intents = export::read_intents(store, id, &job.voucher_of).await?;
    let intent = intents
        .into_iter()
        .find(|(intent, _)| intent.revision == job.revision);
    let Some((intent, _)) = intent else {
        tracing::info!(integration.id = %id, "passed over a voucher that nobody intends");
        return Ok(None);
    };
    let is_spent = at.budget().await?.is_some_and(|budget| budget.is_spent());
    if intent.route == Route::Graphql && is_spent {
        let until = later(worker.ports.now(), SPENT).min(export::next_month(worker.ports.now()));
        export::postpone(store, id, (&job.voucher_of, job.revision), until).await?;
        tracing::error!(over_budget = true, integration.id = %id, "the requests of this month's contract are spent");
        return Ok(None);
    }
    let ledger = match at.ledger(intent.route) {
        Ok(ledger) => ledger,
        Err(error) => {
            tracing::error!(integration.id = %id, %error, route = intent.route.as_str(), "a voucher has no way to go");
            return Ok(None);
        }
    };
    let exporter = Exporter {
        store,
        clock: &*worker.ports.clock,
        integration: id,
        ledger: &*ledger,
    };
    match exporter.work(&job.voucher_of, job.revision).await {
        Ok(Worked::Done(intent)) => Ok(Some(*intent)),
        Ok(Worked::Held(_) | Worked::Waits | Worked::Fenced | Worked::Late) => Ok(None),
        Err(WorkError::Store(error)) => Err(error),
        // Somebody gave it another way to go, or took it away, meanwhile: it is due, or needs nothing.
        Err(WorkError::Missing | WorkError::Route(..)) => Ok(None),
    }
}

fn told(id: &IntegrationId, intent: &Intent) {
    let (reference, state) = (&intent.reference, intent.progress.state.as_str());
    match intent.progress.state {
        Progress::Review | Progress::Rejected | Progress::Refused => {
            tracing::error!(unsettled = true, integration.id = %id, %reference, state, reason = ?intent.reason, "a voucher needs somebody");
        }
        _ => tracing::info!(integration.id = %id, %reference, state, "a voucher has got further"),
    }
}

/// Marks the integration where its credential was refused, so that nobody asks with it any more.
async fn refused(worker: &Worker, at: &Bookkeeping<'_>) -> Result<(), StoreError> {
    let Some(error) = at.books.take_refusal() else {
        return Ok(());
    };
    mark(worker, at.integration, &error).await
}

async fn mark(worker: &Worker, integration: &Integration, error: &adapter::Error) -> Result<(), StoreError> {
    if error.kind() != ErrorKind::Unauthenticated {
        return Ok(());
    }
    let as_of = integration.updated_at;
    integration::needs_reauthorization(&worker.ports, &integration.id, as_of, &error.to_string()).await
}

/// Opens the books of an integration; none where it is not active, or they cannot be opened: what is due stays so.
pub(super) async fn open(
    worker: &Worker,
    id: &IntegrationId,
) -> Result<Option<(Integration, std::sync::Arc<dyn Books>)>, StoreError> {
    let Some(stored) = integration::read(&*worker.ports.store, id).await? else {
        tracing::info!(integration.id = %id, "passed over the books of no integration");
        return Ok(None);
    };
    let integration = stored.integration;
    if integration.state != State::Active {
        return Ok(None);
    }
    match worker.connect.books(&integration).await {
        Ok(books) => Ok(Some((integration, books))),
        Err(error) => {
            tracing::error!(integration.id = %id, %error, "the books cannot be opened");
            mark(worker, &integration, &error).await?;
            Ok(None)
        }
    }
}

/// Sees to a notice.
///
/// # Errors
///
/// Those of the store: the queue delivers it again, and it is due.
pub(super) async fn noticed(worker: &Worker, job: &NoticeJob) -> Result<(), StoreError> {
    let (store, id) = (&*worker.ports.store, &job.integration);
    let Some((notice, version)) = notice::read(store, id, &job.noticed).await? else {
        return Ok(());
    };
    let Some((integration, books)) = open(worker, id).await? else {
        return Ok(());
    };
    let at = Bookkeeping {
        ports: &worker.ports,
        integration: &integration,
        books: &*books,
    };
    let seen = see_to(&at, &job.noticed, &notice).await;
    at.count().await?;
    refused(worker, &at).await?;
    match seen? {
        Seen::Settled(intents) => {
            if !intents.is_empty() {
                compare::begin(&at).await?;
            }
            notice::settle(store, id, &job.noticed, version, None).await?;
            for intent in &intents {
                VoucherJob::of(id, intent)
                    .enqueue(&worker.ports, intent.changed_at)
                    .await;
            }
        }
        Seen::Waits(cause) => {
            tracing::error!(unsettled = true, integration.id = %id, "a reimbursement needs somebody");
            let waiting = Waiting {
                noticed: job.noticed.clone(),
                cause,
                opened_at: worker.ports.now(),
            };
            notice::settle(store, id, &job.noticed, version, Some(waiting)).await?;
        }
        Seen::Later(wait) => {
            let until = later(worker.ports.now(), wait);
            notice::postpone(store, id, &job.noticed, (&notice, version), until).await?;
        }
    }
    Ok(())
}

/// What came of a notice.
enum Seen {
    /// Nothing is left to do but to carry these on.
    Settled(Vec<Intent>),
    /// A human has to settle it.
    Waits(Cause),
    /// It cannot be settled yet.
    Later(SignedDuration),
}

async fn see_to(at: &Bookkeeping<'_>, id: &RecordId, notice: &Notice) -> Result<Seen, StoreError> {
    let read = at.read(std::slice::from_ref(id)).await?;
    let intents = read.exported.get(id).map(Vec::as_slice).unwrap_or_default();
    let wanted = match read.candidates.first() {
        Some(Candidate::Found(reimbursement)) if reimbursement.approval.is_some() => Some(reimbursement),
        _ => None,
    };
    let is_same = |intent: &Intent| {
        let says = wanted.is_some_and(|wanted| wanted.fingerprint() == intent.source);
        says && intent.purpose == Purpose::Booking
    };
    // What is not sure to be one voucher is not undone by itself.
    let by_itself = at.books.automatic() && !export::stands_twice(intents);
    match booked(intents) {
        Booked::Nothing if wanted.is_none() => return Ok(Seen::Settled(Vec::new())),
        Booked::Nothing if notice.decided.is_some() => {}
        Booked::Nothing if at.books.automatic() => {
            let refused = intents
                .last()
                .filter(|last| last.progress.state == Progress::Refused);
            if let Some(refused) = refused.filter(|refused| is_same(refused)) {
                return Ok(Seen::Waits(not_taken(refused)));
            }
        }
        Booked::Nothing => return Ok(Seen::Settled(Vec::new())),
        Booked::Standing(intent) | Booked::UnderWay(intent) if is_same(intent) => {
            return Ok(Seen::Settled(Vec::new()));
        }
        // What waits for a human already does so in its own name.
        Booked::InDoubt(_) | Booked::Rejected(_) => return Ok(Seen::Later(UNSETTLED)),
        Booked::Standing(_) | Booked::UnderWay(_)
            if !by_itself && notice.decided != Some(Settlement::Correct) =>
        {
            let cause = match read.candidates.first() {
                Some(Candidate::Found(_)) => Cause::ChangedAfterExport,
                _ => Cause::DeletedAfterExport,
            };
            return Ok(Seen::Waits(cause));
        }
        Booked::Standing(_) | Booked::UnderWay(_) => {}
    }
    let stands = !matches!(booked(intents), Booked::Nothing);
    let ready = match wanted.is_some() {
        true => match ready(at, &read.candidates).await? {
            Ok(ready) => Some(ready),
            Err(seen) => return Ok(seen),
        },
        false => None,
    };
    carry_out(at, id, ready, stands).await
}

/// Says that the ledger would not take it: sent again as it is, it would be refused again.
fn not_taken(refused: &Intent) -> Cause {
    let reason = refused.reason.as_deref().unwrap_or("it did not say why");
    let fault = export::Fault::new(
        export::FaultCode::Conflict,
        "id",
        format!("was refused by the ledger: {reason}"),
    );
    Cause::NotExportable { faults: vec![fault] }
}

/// Checks what is to be booked, as if nothing were booked before.
async fn ready(
    at: &Bookkeeping<'_>,
    candidates: &[Candidate],
) -> Result<Result<(Route, Ready), Seen>, StoreError> {
    use super::export::ExportError;
    let checked = async {
        let route = at.route().await?;
        at.check(route, candidates, &BTreeMap::new()).await
    };
    let (route, preflight) = match checked.await {
        Ok(checked) => checked,
        Err(ExportError::Store(error)) => return Err(error),
        Err(error) => {
            tracing::warn!(integration.id = %at.integration.id, %error, "the books did not say whether it can be booked");
            return Ok(Err(Seen::Later(DOWN)));
        }
    };
    let faults = preflight.refused.into_iter().flat_map(|refused| refused.faults);
    Ok(match preflight.ready.into_iter().next() {
        Some(ready) => Ok((route, ready)),
        None => Err(Seen::Waits(Cause::NotExportable {
            faults: faults.collect(),
        })),
    })
}

async fn carry_out(
    at: &Bookkeeping<'_>,
    id: &RecordId,
    ready: Option<(Route, Ready)>,
    stands: bool,
) -> Result<Seen, StoreError> {
    let (store, now) = (&*at.ports.store, at.ports.now());
    let route = match (&ready, at.route().await) {
        (Some((route, _)), _) => *route,
        (None, Ok(route)) => route,
        (None, Err(_)) => return Ok(Seen::Later(DOWN)),
    };
    let request = Request {
        integration: &at.integration.id,
        route,
        by: SERVICE,
        now,
    };
    let wanted = ready.as_ref().map(|(_, ready)| ready);
    let done = match (stands, wanted) {
        (false, None) => return Ok(Seen::Settled(Vec::new())),
        (false, Some(ready)) => export::intend(store, &request, ready)
            .await
            .map(|intended| match intended {
                Intended::New(intent) | Intended::Before(intent) => vec![intent],
            }),
        (true, wanted) => {
            let date = now.to_zoned(at.books.mapping().time_zone.clone()).date();
            let corrected = export::correct(store, &request, id, wanted, date).await;
            match corrected {
                // What had not left is gone: what it says now is looked at anew.
                Ok(export::Corrected::Withdrawn(_)) => return Ok(Seen::Later(SignedDuration::ZERO)),
                Ok(corrected) => Ok(corrected.intents()),
                Err(error) => Err(error),
            }
        }
    };
    match done {
        Ok(intents) => Ok(Seen::Settled(intents)),
        Err(IntendError::Store(error)) => Err(error),
        Err(IntendError::Unsettled(_)) => Ok(Seen::Later(UNSETTLED)),
        Err(IntendError::Changed) => Ok(Seen::Later(SignedDuration::ZERO)),
        Err(error) => Ok(Seen::Waits(Cause::NotExportable {
            faults: vec![export::Fault::new(
                export::FaultCode::Conflict,
                "id",
                format!("cannot be booked: {error}"),
            )],
        })),
    }
}

pub(super) fn later(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(now)
}

/// Compares the books with what we say of them.
///
/// # Errors
///
/// Those of the store.
pub(super) async fn comparison(worker: &Worker, job: &compare::CompareJob) -> Result<(), StoreError> {
    let Some((integration, books)) = open(worker, &job.compare).await? else {
        return Ok(());
    };
    let at = Bookkeeping {
        ports: &worker.ports,
        integration: &integration,
        books: &*books,
    };
    let today = worker.ports.now().to_zoned(TimeZone::UTC).date();
    let compared = compare::compare(&at, job.since, today).await;
    at.count().await?;
    refused(worker, &at).await?;
    compared
}
