//! What we say is exported against what the ledger has, row by row: pure, over two listings.

use std::collections::BTreeMap;

use serde::Serialize;

use super::intent::Intent;
use super::ledger::{Entry, Standing};
use super::reference::Reference;
use super::step::State;
use crate::model::Money;

/// How the two sides differ about one reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(
    tag = "difference",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Difference {
    /// We say that the ledger has it, and it has not.
    MissingThere {
        /// What we say.
        state: State,
    },
    /// The ledger has it more than once.
    ThereTwice {
        /// How often.
        times: usize,
    },
    /// The ledger has another amount.
    OtherAmount {
        /// What was sent.
        ours: Money,
        /// What is there.
        theirs: Money,
    },
    /// The ledger has a voucher with a reference of ours, and we know of no such.
    UnknownHere {
        /// What is there.
        theirs: Money,
    },
    /// The ledger has it, and we say that it is not there.
    ThereAfterAll {
        /// What we say.
        state: State,
    },
    /// It is in the books, and we say that it waits to be posted.
    PostedThere,
    /// It waits to be posted, and we say that it is in the books.
    QueuedThere,
    /// The ledger refused to post it, and we say that it has it.
    RejectedThere {
        /// What we say.
        state: State,
    },
    /// We do not know whether it is there, and the ledger has it.
    FoundThere {
        /// What we say.
        state: State,
    },
}

/// A reference about which the two sides differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// Which.
    pub reference: Reference,
    /// How they differ.
    #[serde(flatten)]
    pub difference: Difference,
}

/// Compares what we say with what the ledger has under our references.
///
/// Both listings are complete for the time that is looked at. Rows come in the order of their references, and one
/// reference may have more than one.
#[must_use]
pub fn reconcile(intents: &[Intent], entries: &[Entry]) -> Vec<Row> {
    let mut sides: BTreeMap<&Reference, (Option<&Intent>, Vec<&Entry>)> = BTreeMap::new();
    for intent in intents {
        sides.entry(&intent.reference).or_default().0 = Some(intent);
    }
    for entry in entries {
        sides.entry(&entry.reference).or_default().1.push(entry);
    }
    let rows = sides.into_iter().flat_map(|(reference, (intent, entries))| {
        let differences = differences(intent, &entries);
        differences.into_iter().map(|difference| Row {
            reference: reference.clone(),
            difference,
        })
    });
    rows.collect()
}

fn differences(intent: Option<&Intent>, entries: &[&Entry]) -> Vec<Difference> {
    let refused = |entry: &&&Entry| matches!(entry.standing, Standing::Rejected(_));
    let there: Vec<_> = entries.iter().filter(|entry| !refused(entry)).collect();
    let mut found = Vec::new();
    if there.len() > 1 {
        found.push(Difference::ThereTwice { times: there.len() });
    }
    let Some(intent) = intent else {
        found.extend(
            there
                .iter()
                .map(|entry| Difference::UnknownHere { theirs: entry.total }),
        );
        return found;
    };
    let ours = intent.total;
    let others = there.iter().filter(|entry| entry.total != ours);
    found.extend(others.map(|entry| Difference::OtherAmount {
        ours,
        theirs: entry.total,
    }));
    let posted = there.iter().any(|entry| entry.standing == Standing::Posted);
    let rejected = entries.iter().any(|entry| refused(&entry));
    found.extend(standing(
        intent.progress.state,
        !there.is_empty(),
        posted,
        rejected,
    ));
    found
}

/// Says how a state differs from what is there.
const fn standing(state: State, there: bool, posted: bool, rejected: bool) -> Option<Difference> {
    match (state, there) {
        (State::Accepted, true) if posted => Some(Difference::PostedThere),
        (State::Posted, true) if !posted => Some(Difference::QueuedThere),
        (State::Accepted | State::Posted, false) if rejected => Some(Difference::RejectedThere { state }),
        (State::Accepted | State::Posted, false) => Some(Difference::MissingThere { state }),
        (State::Refused | State::Rejected | State::Cancelled | State::Intended, true) => {
            Some(Difference::ThereAfterAll { state })
        }
        (State::Sending | State::Doubtful | State::Review, true) => Some(Difference::FoundThere { state }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::export::Standing::{Posted, Queued};

    fn intent(id: &str, state: State) -> Intent {
        let mut intent = samples::intent(id, "101.00");
        intent.progress.state = state;
        intent
    }

    fn entry(intent: &Intent, standing: Standing) -> Entry {
        Entry {
            reference: intent.reference.clone(),
            standing,
            total: intent.total,
            subledger: None,
        }
    }

    fn only(intents: &[Intent], entries: &[Entry]) -> Vec<Difference> {
        reconcile(intents, entries)
            .into_iter()
            .map(|row| row.difference)
            .collect()
    }

    #[test]
    fn sides_that_agree_have_no_rows() {
        let (posted, queued, cancelled) = (
            intent("1", State::Posted),
            intent("2", State::Accepted),
            intent("3", State::Cancelled),
        );
        let entries = [entry(&posted, Posted), entry(&queued, Queued)];
        assert_eq!(reconcile(&[posted, queued, cancelled], &entries), []);
    }

    #[test]
    fn every_difference_has_its_name() {
        let rejected = || Standing::Rejected("period closed".into());
        for (state, standing, expected) in [
            (
                State::Posted,
                None,
                Some(Difference::MissingThere { state: State::Posted }),
            ),
            (
                State::Accepted,
                None,
                Some(Difference::MissingThere {
                    state: State::Accepted,
                }),
            ),
            (State::Accepted, Some(Posted), Some(Difference::PostedThere)),
            (State::Posted, Some(Queued), Some(Difference::QueuedThere)),
            (
                State::Posted,
                Some(rejected()),
                Some(Difference::RejectedThere { state: State::Posted }),
            ),
            (State::Rejected, Some(rejected()), None),
            (
                State::Refused,
                Some(Posted),
                Some(Difference::ThereAfterAll {
                    state: State::Refused,
                }),
            ),
            (
                State::Cancelled,
                Some(Queued),
                Some(Difference::ThereAfterAll {
                    state: State::Cancelled,
                }),
            ),
            (
                State::Intended,
                Some(Queued),
                Some(Difference::ThereAfterAll {
                    state: State::Intended,
                }),
            ),
            (
                State::Review,
                Some(Posted),
                Some(Difference::FoundThere { state: State::Review }),
            ),
            (State::Review, None, None),
            (State::Sending, None, None),
        ] {
            let intent = intent("4711", state);
            let entries: Vec<_> = standing
                .into_iter()
                .map(|standing| entry(&intent, standing))
                .collect();
            let expected: Vec<_> = expected.into_iter().collect();
            assert_eq!(only(&[intent], &entries), expected, "{state:?}");
        }
    }

    #[test]
    fn what_is_there_twice_or_with_another_amount_is_told() {
        let posted = intent("4711", State::Posted);
        let mut other = entry(&posted, Posted);
        other.total = "99.00 NOK".parse().unwrap();
        let rows = only(std::slice::from_ref(&posted), &[entry(&posted, Posted), other]);
        let (ours, theirs) = (posted.total, "99.00 NOK".parse().unwrap());
        assert_eq!(
            rows,
            [
                Difference::ThereTwice { times: 2 },
                Difference::OtherAmount { ours, theirs }
            ]
        );
    }

    #[test]
    fn what_only_the_ledger_knows_is_told() {
        let lost = intent("4711", State::Posted);
        let rows = reconcile(&[], &[entry(&lost, Posted)]);
        let json = serde_json::to_value(&rows).unwrap();
        let reference = lost.reference.as_str();
        let expected = serde_json::json!([
            { "reference": reference, "difference": "unknown_here", "theirs": "101.00 NOK" }
        ]);
        assert_eq!(json, expected);
    }
}
