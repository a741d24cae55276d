//! What the ledger has: lines of the import queue, of the books, and what is wrong with the former.
//!
//! The queue is read before the books: what the job posts in between is then seen twice, and never not at all. Where something
//! of a voucher is in both, the queue is read once more, so that it is not seen twice either.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::{Value, json};

use super::assemble::{self, Place, Seen};
use super::client::{Client, Listing};
use super::error;
use super::wire::{DbId, ImportError, JournalLine, QueueLine};
use crate::adapter::Result;
use crate::export::{MAX_LINES, Reference};
use crate::http::Limits;
use crate::model::{Currency, Money};

pub(super) const QUEUE: Listing = Listing::of("glImportItems", "dbId extIdentifier trRegNumber amount");
pub(super) const BOOKS: Listing = Listing::of("journalEntries", "extIdentifier transactionNumber amount");
const ERRORS: Listing = Listing::of("glImportItemErrors", "transactionDbId message");

/// How many numbers are tried for a voucher before it is given up; see [`Reference::number`].
const NUMBERS: u8 = 8;
/// How many ids one question names.
const IDS: usize = 500;

/// Which lines are looked for.
#[derive(Debug, Clone)]
pub(super) enum Wanted<'a> {
    /// Those of one voucher.
    Voucher(&'a Reference),
    /// Those of all vouchers that are posted on these days, the second one excluded.
    Days(Date, Option<Date>),
}

/// Who looks, and how lines are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Eyes<'a> {
    pub(super) client: &'a Client,
    pub(super) currency: Currency,
    /// By which name lines are filtered by what we call them.
    pub(super) filter: &'a str,
}

/// A line of the queue, with its id there.
type Queued = (DbId, Seen);

impl Eyes<'_> {
    /// Returns the lines of a voucher, wherever they are.
    pub(super) async fn lines_of(&self, reference: &Reference) -> Result<Vec<Seen>> {
        let wanted = Wanted::Voucher(reference);
        let queued = self.queue(&wanted).await?;
        let posted = self.books(&wanted).await?;
        let queued = self.once(&wanted, queued, &posted).await?;
        Ok(self.judged(queued).await?.into_iter().chain(posted).collect())
    }

    /// Returns the queue as it is now, where something of it is in the books too.
    async fn once(&self, wanted: &Wanted<'_>, queued: Vec<Queued>, posted: &[Seen]) -> Result<Vec<Queued>> {
        let posted: BTreeSet<_> = posted.iter().map(|line| &line.reference).collect();
        let in_both = queued.iter().any(|(_, line)| posted.contains(&line.reference));
        match in_both {
            true => self.queue(wanted).await,
            false => Ok(queued),
        }
    }

    /// Returns the lines of the queue and, of these days, those of the books.
    pub(super) async fn lines_since(&self, since: Date, from: Date) -> Result<Vec<Seen>> {
        let waiting = Wanted::Days(since, None);
        let queued = self.queue(&waiting).await?;
        let posted = self.books(&Wanted::Days(from, None)).await?;
        let queued = self.once(&waiting, queued, &posted).await?;
        Ok(self.judged(queued).await?.into_iter().chain(posted).collect())
    }

    async fn queue(&self, wanted: &Wanted<'_>) -> Result<Vec<Queued>> {
        let lines = self.client.read_all(&self.listing(QUEUE, wanted)).await;
        let lines: Vec<QueueLine> = match (lines, wanted) {
            (Err(error), Wanted::Voucher(reference)) if error::is_bad_query(&error) => {
                self.client.read_all(&by_number(reference)).await?
            }
            (lines, _) => lines?,
        };
        let seen = lines.into_iter().filter_map(|line| {
            let place = Place::Queue(line.tr_reg_number);
            let seen = self.seen(line.ext_identifier?, line.amount, place)?;
            is_wanted(wanted, &seen).then_some((line.db_id, seen))
        });
        Ok(seen.collect())
    }

    /// Returns the lines of the books.
    pub(super) async fn books(&self, wanted: &Wanted<'_>) -> Result<Vec<Seen>> {
        let lines: Vec<JournalLine> = self.client.read_all(&self.listing(BOOKS, wanted)).await?;
        let seen = lines.into_iter().filter_map(|line| {
            let place = Place::Books(line.transaction_number);
            self.seen(line.ext_identifier?, line.amount, place)
        });
        Ok(seen.filter(|seen| is_wanted(wanted, seen)).collect())
    }

    /// Says of the lines of the queue why the ledger does not post them, where it does not.
    async fn judged(&self, queued: Vec<Queued>) -> Result<Vec<Seen>> {
        let ids: Vec<DbId> = queued.iter().map(|(id, _)| *id).collect();
        let mut wrong: BTreeMap<DbId, Box<str>> = BTreeMap::new();
        for ids in ids.chunks(IDS) {
            for error in self.errors(ids).await? {
                let Some(line) = error.transaction_db_id else {
                    continue;
                };
                let message = known_words(error.message.as_deref().unwrap_or_default());
                wrong.entry(line).or_insert(message);
            }
        }
        let judge = |(id, line): Queued| Seen {
            refused: wrong.get(&id).map(|words| reason(line.number, words)),
            ..line
        };
        Ok(queued.into_iter().map(judge).collect())
    }

    /// Asks for the errors of these lines; for all of them where the system does not let them be picked out.
    async fn errors(&self, lines: &[DbId]) -> Result<Vec<ImportError>> {
        let ids: Vec<String> = lines.iter().map(DbId::to_string).collect();
        let picked = ERRORS.with("transactionDbId_in", "[Int64String!]!", json!(ids));
        match self.client.read_all(&picked).await {
            Err(error) if error::is_bad_query(&error) => self.client.read_all(&ERRORS).await,
            errors => errors,
        }
    }

    fn listing(&self, listing: Listing, wanted: &Wanted<'_>) -> Listing {
        match wanted {
            Wanted::Voucher(reference) => {
                let names: Vec<String> = (1..=MAX_LINES).map(|at| reference.line(at)).collect();
                listing.with(format!("{}_in", self.filter), "[String!]!", json!(names))
            }
            Wanted::Days(from, to) => {
                let day = |date: &Date| Value::from(date.to_string());
                let listing = listing.with("postedDate_gte", "DateString!", day(from));
                let listing = match to {
                    Some(to) => listing.with("postedDate_lt", "DateString!", day(to)),
                    None => listing,
                };
                Listing {
                    limits: Limits::PAGE,
                    ..listing
                }
            }
        }
    }

    fn seen(&self, identifier: String, amount: Option<String>, place: Place) -> Option<Seen> {
        let (reference, number) = assemble::name(&identifier)?;
        Some(Seen {
            reference,
            number,
            place,
            amount: amount.and_then(|amount| Money::parse(&amount, self.currency).ok()),
            refused: None,
        })
    }
}

/// A filter that nobody knows may also be one that is passed over.
fn is_wanted(wanted: &Wanted<'_>, seen: &Seen) -> bool {
    match wanted {
        Wanted::Voucher(reference) => seen.reference == **reference,
        Wanted::Days(..) => true,
    }
}

/// Asks for the lines of a voucher by the numbers that it may have been sent under.
fn by_number(reference: &Reference) -> Listing {
    let numbers: Vec<u32> = (0..NUMBERS)
        .map(|attempt| reference.number(attempt).into())
        .collect();
    QUEUE.with("trRegNumber_in", "[Int!]!", json!(numbers))
}

fn reason(line: usize, words: &str) -> Box<str> {
    match words {
        "" => format!("line {line} was refused: see GL import in Xledger for why"),
        words => format!("line {line} was refused ({words}): see GL import in Xledger for all of it"),
    }
    .into()
}

/// Keeps those words of a message that cannot be anybody's name or text.
fn known_words(message: &str) -> Box<str> {
    const KNOWN: [&str; 33] = [
        "period",
        "closed",
        "not",
        "balanced",
        "account",
        "locked",
        "exist",
        "missing",
        "must",
        "have",
        "field",
        "subledger",
        "project",
        "currency",
        "taxRule",
        "tax",
        "amount",
        "date",
        "postedDate",
        "entity",
        "owner",
        "transactionSource",
        "trRegNumber",
        "extIdentifier",
        "invalid",
        "unknown",
        "required",
        "inactive",
        "glObject1",
        "glObject2",
        "glObject3",
        "glObject4",
        "glObject5",
    ];
    let words = message.split(|letter: char| !letter.is_ascii_alphanumeric());
    let known: Vec<_> = words.filter(|word| KNOWN.contains(word)).take(12).collect();
    known.join(" ").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_the_ledger_says_only_words_are_kept_that_are_nobodys() {
        for (message, words) in [
            ("The period 2026-02 is closed.", "period closed"),
            ("The account 7140 is locked.", "account locked"),
            ("The voucher is not balanced: it sums to 10.00.", "not balanced"),
            (
                "Canary Berg, 50012: the subledger does not exist",
                "subledger not exist",
            ),
            ("", ""),
        ] {
            assert_eq!(&*known_words(message), words);
        }
    }
}
