//! Every state that a voucher can get into, whoever dies, wakes up late or hears nothing: none is booked twice and none
//! is lost. And protocols that look as good, of which the same exploration says how they fail.

mod explorer;
mod mutants;
mod world;

use explorer::explore;
use world::Setting;

use super::ledger::Dedup;
use super::step::{Input, Progress, Transition, step};

fn setting(dedup: Dedup) -> Setting {
    Setting {
        dedup,
        workers: workers(),
        step,
        human: true,
        fenced: true,
        patient: true,
        stale: true,
        restored: false,
    }
}

/// Two, who can do to each other all that many can; `WORKERS=3` takes three, and some minutes.
fn workers() -> usize {
    #[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how much")]
    let text = std::env::var("WORKERS").ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(2)
}

/// Explores everything, and returns how many states there are.
fn holds(setting: Setting) -> usize {
    let explored = explore(&setting).unwrap_or_else(|trace| panic!("{trace:#?}"));
    println!(
        "{:?} with {} workers: {explored:?}",
        setting.dedup, setting.workers
    );
    explored.states
}

/// Returns what goes wrong, and after how many steps at the least.
fn fails(setting: Setting) -> (&'static str, usize) {
    let trace = explore(&setting).expect_err("the exploration finds what is wrong");
    println!("{trace:#?}");
    (trace.wrong, trace.steps.len())
}

/// Another protocol in the place of the right one, with nobody who makes up for its faults.
fn mutant(dedup: Dedup, step: fn(Progress, Input) -> Option<Transition>) -> Setting {
    Setting {
        step,
        human: false,
        ..setting(dedup)
    }
}

const TWICE: &str = "it is booked twice";
const LOST: &str = "it is lost: it is said to be there";
const THERE: &str = "it is booked though it is said not to be";
const STUCK: &str = "it is never settled";

#[test]
fn nothing_is_booked_twice_and_nothing_is_lost_where_the_ledger_takes_a_reference_once() {
    assert!(holds(setting(Dedup::UniqueKey)) > 100_000);
}

#[test]
fn nothing_is_booked_twice_and_nothing_is_lost_where_the_ledger_can_be_asked() {
    assert!(holds(setting(Dedup::Queryable)) > 50_000);
}

#[test]
fn nothing_is_booked_twice_and_nothing_is_lost_where_the_ledger_does_neither() {
    let three = Setting {
        workers: 3,
        ..setting(Dedup::None)
    };
    assert!(holds(three) > 100);
}

#[test]
fn tables_restored_from_before_book_nothing_twice_where_the_ledger_knows_what_it_has() {
    for dedup in [Dedup::UniqueKey, Dedup::Queryable, Dedup::None] {
        let restored = Setting {
            restored: true,
            // What was there before the restoration has long been shown. That the tables may say "refused" of what they
            // have forgotten is for the reconciliation to find.
            stale: false,
            ..setting(dedup)
        };
        match dedup {
            Dedup::UniqueKey | Dedup::Queryable => assert!(holds(restored) > 1_000),
            Dedup::None => assert_eq!(fails(restored), (TWICE, 6)),
        }
    }
}

#[test]
fn check_post_mark_books_twice() {
    assert_eq!(
        fails(mutant(Dedup::Queryable, mutants::check_post_mark)),
        (TWICE, 8)
    );
}

#[test]
fn mark_first_loses() {
    for dedup in [Dedup::UniqueKey, Dedup::Queryable, Dedup::None] {
        assert_eq!(fails(mutant(dedup, mutants::mark_first)), (LOST, 1));
    }
}

#[test]
fn a_lease_and_a_blind_post_book_twice() {
    for dedup in [Dedup::Queryable, Dedup::None] {
        assert_eq!(fails(mutant(dedup, mutants::lease_and_blind_post)), (TWICE, 4));
    }
}

#[test]
fn a_look_before_the_second_post_books_twice_too() {
    assert_eq!(
        fails(mutant(Dedup::Queryable, mutants::lease_and_look)),
        (TWICE, 8)
    );
}

#[test]
fn a_refusal_says_nothing_of_an_earlier_request() {
    assert_eq!(
        fails(mutant(Dedup::UniqueKey, mutants::refusal_believed)),
        (THERE, 5)
    );
}

#[test]
fn what_was_not_sent_says_nothing_of_an_earlier_request() {
    let believed = Setting {
        human: true,
        ..mutant(Dedup::UniqueKey, mutants::not_sent_believed)
    };
    assert_eq!(fails(believed), (THERE, 6));
}

#[test]
fn what_is_not_put_to_a_human_is_never_settled() {
    assert_eq!(fails(mutant(Dedup::None, mutants::no_review)), (STUCK, 2));
}

#[test]
fn writes_without_a_fence_book_twice_or_lose() {
    let wrong = [(Dedup::UniqueKey, (THERE, 5)), (Dedup::Queryable, (TWICE, 8))];
    for (dedup, wrong) in wrong {
        let unfenced = Setting {
            fenced: false,
            human: false,
            ..setting(dedup)
        };
        assert_eq!(fails(unfenced), wrong, "{dedup:?}");
    }
}

#[test]
fn a_human_who_does_not_wait_is_wrong_when_the_request_arrives_later() {
    for (dedup, steps) in [(Dedup::Queryable, 23), (Dedup::None, 4)] {
        let hasty = Setting {
            patient: false,
            ..setting(dedup)
        };
        assert_eq!(fails(hasty), (THERE, steps), "{dedup:?}");
    }
}
