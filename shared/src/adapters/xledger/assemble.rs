//! From lines of the import queue and of the books to the vouchers that they make up. Pure.
//!
//! # What is whole
//!
//! Nothing says how many lines a voucher has. One is taken for whole where the numbers of its lines have no gap and, in the
//! queue, the amounts add up to nothing; the last line is then what is owed. In the books they need not add up: the ledger may
//! have taken tax out of a line, and put it on one that has no name of ours. Whatever is not whole is told as a voucher by
//! which nothing is owed, and that is none that we ever send.

use std::collections::BTreeMap;

use crate::export::{Entry, Reference, Standing};
use crate::model::{Currency, Money};

/// Where a line is, and what puts it together with others there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// In the import queue, under the number that its sender gave.
    Queue(Option<i64>),
    /// In the books, under the number that the ledger gave.
    Books(Option<i64>),
}

/// A line that is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) reference: Reference,
    /// Which line of the voucher it is, from 1.
    pub(super) number: usize,
    pub(super) place: Place,
    /// The amount, where it could be read.
    pub(super) amount: Option<Money>,
    /// Why the ledger does not post it.
    pub(super) refused: Option<Box<str>>,
}

/// Reads what we call a line: the reference of its voucher, and its number.
pub(super) fn name(text: &str) -> Option<(Reference, usize)> {
    let (reference, number) = text.rsplit_once('-')?;
    let (reference, place): (Reference, usize) = (reference.parse().ok()?, number.parse().ok()?);
    // There is one way to write it.
    (place > 0 && reference.line(place) == text).then_some((reference, place))
}

/// Puts lines together to vouchers.
pub(super) fn entries(lines: Vec<Seen>, currency: Currency) -> Vec<Entry> {
    let mut vouchers: BTreeMap<(Reference, Place), Vec<Seen>> = BTreeMap::new();
    for line in lines {
        let voucher = (line.reference.clone(), line.place);
        vouchers.entry(voucher).or_default().push(line);
    }
    vouchers
        .into_iter()
        .map(|((reference, place), lines)| Entry {
            reference,
            standing: standing(place, &lines),
            total: owed(place, &lines, currency).unwrap_or_else(|| Money::zero(currency)),
            subledger: None,
        })
        .collect()
}

fn standing(place: Place, lines: &[Seen]) -> Standing {
    let refused = lines.iter().find_map(|line| line.refused.clone());
    match (place, refused) {
        (Place::Books(_), _) => Standing::Posted,
        (Place::Queue(_), Some(reason)) => Standing::Rejected(reason),
        (Place::Queue(_), None) => Standing::Queued,
    }
}

/// Returns what is owed by a whole voucher; `None` where it is not whole.
fn owed(place: Place, lines: &[Seen], currency: Currency) -> Option<Money> {
    let mut amounts: BTreeMap<usize, Money> = BTreeMap::new();
    for line in lines {
        let before = amounts.get(&line.number).copied();
        let sum = before
            .unwrap_or_else(|| Money::zero(currency))
            .plus(line.amount?)
            .ok()?;
        amounts.insert(line.number, sum);
    }
    let (last, owed) = amounts.last_key_value()?;
    let has_gap = *last != amounts.len();
    let sum = Money::sum(currency, amounts.values().copied()).ok()?;
    let adds_up = matches!(place, Place::Books(_)) || sum.is_zero();
    (!has_gap && amounts.len() >= 2 && adds_up).then(|| owed.negated())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFERENCE: &str = "RE-5ZPX21XKG8XK1RB1RZ-0";

    fn nok() -> Currency {
        "NOK".parse().unwrap()
    }

    fn line(place: Place, number: usize, amount: &str) -> Seen {
        Seen {
            reference: REFERENCE.parse().unwrap(),
            number,
            place,
            amount: Money::parse(amount, nok()).ok(),
            refused: None,
        }
    }

    fn totals(place: Place, lines: &[(usize, &str)]) -> Vec<String> {
        let lines = lines.iter().map(|(number, amount)| line(place, *number, amount));
        let found = entries(lines.collect(), nok());
        found.iter().map(|entry| entry.total.amount()).collect()
    }

    const QUEUE: Place = Place::Queue(Some(1));
    const BOOKS: Place = Place::Books(Some(9));

    #[test]
    fn a_whole_voucher_says_what_is_owed_by_it() {
        for place in [QUEUE, BOOKS] {
            assert_eq!(
                totals(place, &[(1, "90.18"), (2, "10.82"), (3, "-101.00")]),
                ["101.00"]
            );
            assert_eq!(totals(place, &[(2, "101.00"), (1, "-101.00")]), ["-101.00"]);
        }
    }

    #[test]
    fn what_is_not_whole_never_looks_like_it() {
        for place in [QUEUE, BOOKS] {
            for lines in [
                &[(3, "-101.00")][..],
                &[(1, "101.00")],
                &[(1, "90.18"), (3, "-101.00")],
                &[(2, "10.82"), (3, "-101.00")],
                &[(1, "50.00"), (4, "-50.00")],
                &[(1, "unreadable"), (2, "-101.00")],
            ] {
                assert_eq!(totals(place, lines), ["0.00"], "{lines:?}");
            }
        }
        assert_eq!(totals(QUEUE, &[(1, "90.18"), (2, "10.82")]), ["0.00"]);
    }

    #[test]
    fn what_is_there_twice_does_not_look_like_once() {
        let twice = [(1, "101.00"), (2, "-101.00"), (1, "101.00"), (2, "-101.00")];
        assert_eq!(totals(QUEUE, &twice), ["202.00"]);
        assert_eq!(totals(BOOKS, &twice), ["202.00"]);
        let lines = [QUEUE, Place::Queue(Some(2)), BOOKS, Place::Books(Some(10))]
            .map(|place| [line(place, 1, "101.00"), line(place, 2, "-101.00")]);
        assert_eq!(entries(lines.concat(), nok()).len(), 4);
    }

    #[test]
    fn tax_that_the_ledger_takes_out_of_a_line_changes_nothing_of_what_is_owed() {
        assert_eq!(totals(BOOKS, &[(1, "80.80"), (2, "-101.00")]), ["101.00"]);
        assert_eq!(
            totals(BOOKS, &[(1, "80.80"), (1, "20.20"), (2, "-101.00")]),
            ["101.00"]
        );
    }

    #[test]
    fn one_line_that_is_refused_is_a_voucher_that_is() {
        let mut lines = [line(QUEUE, 1, "101.00"), line(QUEUE, 2, "-101.00")];
        lines[0].refused = Some("account locked".into());
        let found = entries(lines.into(), nok());
        assert_eq!(found[0].standing, Standing::Rejected("account locked".into()));
    }

    #[test]
    fn only_what_we_call_a_line_is_one_of_ours() {
        let (reference, number) = name("RE-5ZPX21XKG8XK1RB1RZ-0-12").unwrap();
        assert_eq!((reference.as_str(), number), (REFERENCE, 12));
        for other in [
            "RE-5ZPX21XKG8XK1RB1RZ-0",
            "RE-5ZPX21XKG8XK1RB1RZ-0-0",
            "RE-5ZPX21XKG8XK1RB1RZ-0-01",
            "RE-5ZPX21XKG8XK1RB1RZ-0-+1",
            "RMB-4711-1",
            "",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
