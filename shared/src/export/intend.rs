//! Intending to book: what is written before anything may leave.

use jiff::Timestamp;

use super::intent::{Booked, Intent, Purpose, booked, number_key, read_intents, voucher_key};
use super::ledger::Route;
use super::notice;
use super::preflight::Ready;
use super::reason::Reason;
use super::reference::{Reference, Revision};
use super::step::{Progress, State};
use super::voucher::Voucher;
use crate::integration::audit;
use crate::model::{IntegrationId, OrganizationId, RecordId};
use crate::store::{Content, Expect, Store, StoreError, Write};

/// How many numbers are tried for a voucher; of a million that are taken, eight in a row come up once in 10²⁶ times.
const MAX_NUMBERS: u8 = 8;

/// Who intends something, which way, and when.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Whose ledger it is.
    pub integration: &'a IntegrationId,
    /// Which way it goes.
    pub route: Route,
    /// Who asked for it.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

/// What came of an intention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intended {
    /// It is kept.
    New(Intent),
    /// There is one already, and nothing was written.
    Before(Intent),
}

/// Why nothing was intended.
#[derive(Debug, thiserror::Error)]
pub enum IntendError {
    /// Another reimbursement has the reference: the two would be taken for one.
    #[error("another reimbursement has the reference {0}: book this one by hand")]
    ReferenceTaken(Reference),
    /// No number of those that were tried is free.
    #[error("no number is free for the voucher {0}")]
    NoNumber(Reference),
    /// There are too many corrections.
    #[error("a reimbursement cannot have more vouchers than this one has")]
    TooManyRevisions,
    /// Something of it is under way or waits for a human: that comes first.
    #[error("the voucher {0} has to be settled first")]
    Unsettled(Reference),
    /// It has been sent, or is about to be.
    #[error("the voucher {0} may have left: its route is fixed until somebody cancels it")]
    RouteFixed(Reference),
    /// It changed while this was asked: look again.
    #[error("the export changed meanwhile")]
    Changed,
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Intends to book a reimbursement; of many that try at once one does, and what stands already stays.
///
/// The first voucher of a reimbursement always has the same reference, also where an earlier attempt was refused or
/// cancelled: so that whoever lost this row asks the ledger for the right one.
///
/// # Errors
///
/// Those of [`IntendError`].
pub async fn intend(
    store: &dyn Store,
    request: &Request<'_>,
    ready: &Ready,
) -> Result<Intended, IntendError> {
    loop {
        let intents = read_intents(store, request.integration, &ready.reimbursement).await?;
        let plain: Vec<_> = intents.iter().map(|(intent, _)| intent.clone()).collect();
        match booked(&plain) {
            Booked::Nothing => {}
            Booked::UnderWay(intent)
            | Booked::Standing(intent)
            | Booked::Rejected(intent)
            | Booked::InDoubt(intent) => return Ok(Intended::Before(intent.clone())),
        }
        let place = place(&intents)?;
        match book(store, request, ready, place, Vec::new()).await {
            Err(IntendError::Changed) => {}
            answer => return answer.map(Intended::New),
        }
    }
}

/// Books a reimbursement once more whatever stands, under a reference of its own: somebody knows better, and says why.
///
/// # Errors
///
/// Those of [`IntendError`].
pub async fn force(
    store: &dyn Store,
    request: &Request<'_>,
    ready: &Ready,
    reason: &Reason,
) -> Result<Intent, IntendError> {
    let intents = read_intents(store, request.integration, &ready.reimbursement).await?;
    if let Some((last, _)) = intents.last()
        && last.progress.is_untouched()
        && last.progress.state == State::Intended
        && last.source == ready.source
    {
        // The same request once more, by whoever had no answer to the first.
        return Err(IntendError::Unsettled(last.reference.clone()));
    }
    let place = place(&intents)?;
    let reference = Reference::of(
        &request.integration.organization,
        &ready.reimbursement,
        place.revision,
    );
    let parts = [reference.as_str(), reason.as_str()];
    let audited = audit::write(
        request.integration,
        request.by,
        "force_export",
        &parts,
        request.now,
    );
    book(store, request, ready, place, vec![audited]).await
}

/// Gives a voucher that has not left another way to go.
///
/// # Errors
///
/// `RouteFixed` once it may have left, or while somebody works on it; `Changed`, and those of the store.
pub async fn reroute(
    store: &dyn Store,
    request: &Request<'_>,
    intent: &Intent,
) -> Result<Intent, IntendError> {
    let intents = read_intents(store, request.integration, &intent.reimbursement).await?;
    let found = intents
        .iter()
        .find(|(found, _)| found.revision == intent.revision);
    let (found, version) = found.ok_or(IntendError::Changed)?;
    let held = found.held_until.is_some_and(|until| until > request.now);
    if held || !found.progress.is_untouched() {
        return Err(IntendError::RouteFixed(found.reference.clone()));
    }
    let next = Intent {
        route: request.route,
        changed_at: request.now,
        ..found.clone()
    };
    let content = Content::of(&next).due_at(request.now);
    write(
        store,
        vec![Write::put(
            next.key(request.integration),
            Expect::Version(*version),
            content,
        )],
    )
    .await?;
    Ok(next)
}

/// Where the row of an intent is to be, and what is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) revision: Revision,
    expect: Expect,
}

/// A voucher that is to be intended.
pub(super) struct Draft {
    pub(super) place: Place,
    pub(super) purpose: Purpose,
    pub(super) after: Option<Revision>,
    pub(super) source: String,
    pub(super) voucher: Voucher,
}

impl Place {
    pub(super) fn after(last: Option<Revision>) -> Result<Self, IntendError> {
        let revision = match last {
            None => Revision::FIRST,
            Some(last) => last.next().ok_or(IntendError::TooManyRevisions)?,
        };
        let expect = Expect::Absent;
        Ok(Self { revision, expect })
    }
}

/// The last revision once more, if nothing is booked under it, and else the next.
fn place(intents: &[(Intent, u64)]) -> Result<Place, IntendError> {
    match intents.last() {
        Some((last, version)) if last.is_free() => Ok(Place {
            revision: last.revision,
            expect: Expect::Version(*version),
        }),
        last => Place::after(last.map(|(last, _)| last.revision)),
    }
}

impl Draft {
    pub(super) fn booking(organization: &OrganizationId, ready: &Ready, place: Place) -> Self {
        let reference = Reference::of(organization, &ready.reimbursement, place.revision);
        Self {
            place,
            purpose: Purpose::Booking,
            after: None,
            source: ready.source.clone(),
            voucher: ready.voucher.clone().named(reference),
        }
    }

    fn intent(&self, request: &Request<'_>, reimbursement: &RecordId) -> Intent {
        Intent {
            reimbursement: reimbursement.clone(),
            revision: self.place.revision,
            purpose: self.purpose,
            after: self.after,
            reference: self.voucher.reference().clone(),
            number: self.voucher.number(),
            route: request.route,
            source: self.source.clone(),
            voucher: self.voucher.fingerprint(),
            total: self.voucher.owed(),
            progress: Progress::BEGIN,
            reason: None,
            held_until: None,
            left_by: None,
            opened_at: request.now,
            opened_by: request.by.into(),
            changed_at: request.now,
        }
    }
}

async fn book(
    store: &dyn Store,
    request: &Request<'_>,
    ready: &Ready,
    place: Place,
    mut more: Vec<Write>,
) -> Result<Intent, IntendError> {
    // It may have changed since it was read: what it says then is held against what is booked by this.
    more.push(notice::write(
        request.integration,
        &ready.reimbursement,
        request.now,
    ));
    let draft = Draft::booking(&request.integration.organization, ready, place);
    let kept = keep(store, request, &ready.reimbursement, vec![draft], more).await?;
    kept.into_iter().next().ok_or(IntendError::Changed)
}

/// The parts of a transaction that one voucher takes: its intent, itself, and its number.
const PARTS: usize = 3;

/// Writes intents with their vouchers and numbers in one transaction; a number that is taken gives way to the next.
pub(super) async fn keep(
    store: &dyn Store,
    request: &Request<'_>,
    reimbursement: &RecordId,
    mut drafts: Vec<Draft>,
    more: Vec<Write>,
) -> Result<Vec<Intent>, IntendError> {
    let mut attempts = vec![0_u8; drafts.len()];
    loop {
        let intents: Vec<_> = drafts
            .iter()
            .map(|draft| draft.intent(request, reimbursement))
            .collect();
        let mut writes = Vec::with_capacity(drafts.len() * PARTS + more.len());
        for (draft, intent) in drafts.iter().zip(&intents) {
            writes.extend(parts(store, request, draft, intent).await?);
        }
        writes.extend(more.iter().cloned());
        let Err(error) = store.write(writes).await else {
            return Ok(intents);
        };
        let StoreError::Refused { parts } = error else {
            return Err(error.into());
        };
        if parts.iter().any(|part| *part >= drafts.len() * PARTS) {
            return Err(IntendError::Changed);
        }
        for (at, (draft, attempt)) in drafts.iter_mut().zip(&mut attempts).enumerate() {
            let refused = |part: usize| parts.contains(&(at * PARTS + part));
            give_way(draft, attempt, [refused(0), refused(1), refused(2)])?;
        }
    }
}

/// Says what is to be done about a voucher of whose rows some were refused: only its number can give way.
fn give_way(draft: &mut Draft, attempt: &mut u8, refused: [bool; PARTS]) -> Result<(), IntendError> {
    let reference = draft.voucher.reference().clone();
    match refused {
        [true, ..] => Err(IntendError::Changed),
        [_, true, _] => Err(IntendError::ReferenceTaken(reference)),
        [_, _, true] => {
            *attempt += 1;
            if *attempt == MAX_NUMBERS {
                return Err(IntendError::NoNumber(reference));
            }
            draft.voucher = draft.voucher.clone().numbered(reference.number(*attempt));
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The rows of one voucher. Where its reference is used again, its number is its own already.
async fn parts(
    store: &dyn Store,
    request: &Request<'_>,
    draft: &Draft,
    intent: &Intent,
) -> Result<[Write; PARTS], StoreError> {
    let integration = request.integration;
    let (number, reference) = (intent.number, &intent.reference);
    let number_key = number_key(integration, number);
    let again = draft.place.expect != Expect::Absent;
    let mine = if again {
        let row = store
            .get(std::slice::from_ref(&number_key))
            .await?
            .pop()
            .flatten();
        row.map(|row| Ok::<_, StoreError>((row.decode::<Reference>()?, row.version)))
            .transpose()?
            .filter(|(owner, _)| owner == reference)
    } else {
        None
    };
    let of_voucher = if again { Expect::Anything } else { Expect::Absent };
    let of_number = mine.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
    Ok([
        Write::put(
            intent.key(integration),
            draft.place.expect,
            Content::of(intent).due_at(request.now),
        ),
        Write::put(
            voucher_key(integration, reference),
            of_voucher,
            Content::of(&draft.voucher),
        ),
        Write::put(number_key, of_number, Content::of(reference)),
    ])
}

pub(super) async fn write(store: &dyn Store, writes: Vec<Write>) -> Result<(), IntendError> {
    match store.write(writes).await {
        Err(StoreError::Refused { .. }) => Err(IntendError::Changed),
        answer => Ok(answer?),
    }
}
