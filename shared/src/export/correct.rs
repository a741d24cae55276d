//! Correcting what is booked: what is in the books is never changed, it is undone.

use jiff::civil::Date;

use super::intend::{Draft, IntendError, Place, Request, keep, write};
use super::intent::{Booked, Intent, Purpose, booked, read_intents, read_voucher};
use super::preflight::Ready;
use super::reference::Reference;
use super::step::{Progress, State};
use crate::model::RecordId;
use crate::store::{Content, Expect, Store, Write};

/// What a change or deletion of a reimbursement comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Corrected {
    /// Nothing is booked that would have to be corrected.
    NotBooked,
    /// What is booked is right.
    Unneeded,
    /// It had not left yet, and will not: export it again, if it is wanted.
    Withdrawn(Box<Intent>),
    /// It is being undone, and booked anew where it still is wanted.
    Reversed {
        /// What undoes it.
        reversal: Box<Intent>,
        /// What is booked in its place.
        replacement: Option<Box<Intent>>,
    },
}

impl Corrected {
    /// Returns the vouchers that are to be carried on.
    #[must_use]
    pub fn intents(self) -> Vec<Intent> {
        match self {
            Self::NotBooked | Self::Unneeded | Self::Withdrawn(_) => Vec::new(),
            Self::Reversed {
                reversal,
                replacement,
            } => std::iter::once(reversal)
                .chain(replacement)
                .map(|intent| *intent)
                .collect(),
        }
    }
}

/// Undoes what is booked of a reimbursement that was changed or deleted since, and books what it says now.
///
/// What is booked is never changed: it is reversed by a voucher on `date`, a day of an open period. Both vouchers are
/// intended in one transaction, which insists that what is reversed has not changed. The second leaves once the
/// reversal is in the books, and is cancelled where the reversal never gets there: one without the other would pay
/// twice.
///
/// # Errors
///
/// `Unsettled` where it is not in the books yet, or nobody can say whether it is, and the others of [`IntendError`].
pub async fn correct(
    store: &dyn Store,
    request: &Request<'_>,
    reimbursement: &RecordId,
    wanted: Option<&Ready>,
    date: Date,
) -> Result<Corrected, IntendError> {
    let intents = read_intents(store, request.integration, reimbursement).await?;
    let plain: Vec<_> = intents.iter().map(|(intent, _)| intent.clone()).collect();
    let standing = match booked(&plain) {
        Booked::Nothing => return Ok(Corrected::NotBooked),
        Booked::Standing(intent) | Booked::UnderWay(intent) if intent.books(wanted) => {
            return Ok(Corrected::Unneeded);
        }
        // A reversal that is under way is not held up: it may be the one that is wanted.
        Booked::UnderWay(intent) if intent.purpose == Purpose::Booking && intent.progress.is_untouched() => {
            let version = version_of(&intents, intent);
            return withdraw(store, request, intent, version)
                .await
                .map(Corrected::Withdrawn);
        }
        // What is only queued may still be refused, and its reversal would then stand alone.
        Booked::Standing(intent) if intent.progress.state == State::Posted => intent,
        Booked::Standing(intent)
        | Booked::UnderWay(intent)
        | Booked::Rejected(intent)
        | Booked::InDoubt(intent) => {
            return Err(IntendError::Unsettled(intent.reference.clone()));
        }
    };
    let place = Place::after(plain.last().map(|intent| intent.revision))?;
    let unchanged = Write::check(
        standing.key(request.integration),
        Expect::Version(version_of(&intents, standing)),
    );
    reverse(store, request, standing, wanted, (place, unchanged), date).await
}

impl Intent {
    /// Says whether it books what is wanted.
    fn books(&self, wanted: Option<&Ready>) -> bool {
        self.purpose == Purpose::Booking && wanted.is_some_and(|wanted| wanted.source == self.source)
    }
}

async fn reverse(
    store: &dyn Store,
    request: &Request<'_>,
    standing: &Intent,
    wanted: Option<&Ready>,
    (place, unchanged): (Place, Write),
    date: Date,
) -> Result<Corrected, IntendError> {
    let sent = read_voucher(store, request.integration, standing).await?;
    let organization = &request.integration.organization;
    let reference = Reference::of(organization, &standing.reimbursement, place.revision);
    let of = standing.revision;
    let mut drafts = vec![Draft {
        place,
        purpose: Purpose::Reversal { of },
        after: None,
        source: standing.source.clone(),
        voucher: sent.reversed(reference, date),
    }];
    if let Some(wanted) = wanted {
        drafts.push(Draft {
            after: Some(place.revision),
            ..Draft::booking(organization, wanted, Place::after(Some(place.revision))?)
        });
    }
    let mut kept = keep(store, request, &standing.reimbursement, drafts, vec![unchanged])
        .await?
        .into_iter()
        .map(Box::new);
    match (kept.next(), kept.next()) {
        (Some(reversal), replacement) => Ok(Corrected::Reversed {
            reversal,
            replacement,
        }),
        (None, _) => Err(IntendError::Changed),
    }
}

async fn withdraw(
    store: &dyn Store,
    request: &Request<'_>,
    intent: &Intent,
    version: u64,
) -> Result<Box<Intent>, IntendError> {
    let next = Intent {
        progress: Progress {
            state: State::Cancelled,
            ..intent.progress
        },
        held_until: None,
        changed_at: request.now,
        ..intent.clone()
    };
    let put = Write::put(
        next.key(request.integration),
        Expect::Version(version),
        Content::of(&next),
    );
    let mut writes = vec![put];
    writes.extend(next.consequences(request.integration, intent.progress.state, version + 1));
    write(store, writes).await?;
    Ok(Box::new(next))
}

fn version_of(intents: &[(Intent, u64)], wanted: &Intent) -> u64 {
    let found = intents
        .iter()
        .find(|(intent, _)| intent.revision == wanted.revision);
    found.map_or(0, |(_, version)| *version)
}
