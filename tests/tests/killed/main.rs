//! The functions as they are deployed, killed at every write that they make.
//!
//! `trigger-sync`, `dynamics365`, `token-refresh` and `reconcile` run as processes of their own, are handed their events
//! as Lambda hands them, and speak to an embedded DynamoDB and to the simulated Dataverse. At one write of a first sync and of a
//! sync of changes on both sides, the process that makes it is killed: before the write has arrived, or after it was
//! made and before its answer. Whatever the write was, in the end both sides are equal.
//!
//! A failure says at which write, and what was written when; `KILL=17` strikes at that write alone.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cloud;
#[path = "../ports/dynamo.rs"]
mod dynamo;
mod function;
mod kms;
mod world;

use cloud::{Blow, Moment};
use world::World;

/// Members on the other side: three pages of them, and a few more memberships.
const CONTACTS: usize = 25;

/// How many writes later the next function is killed as well.
const LATER: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_function_that_is_killed_at_any_write_leaves_nothing_behind_that_is_not_mended() {
    function::build();
    if let Some(write) = asked_for() {
        for moment in Moment::ALL {
            story(vec![Blow { write, moment }]).await;
        }
        return;
    }
    let writes = story(Vec::new()).await;
    assert!(
        writes > 20,
        "{writes} writes are fewer than two syncs can make do with"
    );
    for write in 0..writes {
        for moment in Moment::ALL {
            let again = Blow {
                write: write + LATER,
                moment,
            };
            let blows = match moment {
                Moment::Before => vec![Blow { write, moment }],
                Moment::After => vec![Blow { write, moment }, again],
            };
            story(blows).await;
        }
    }
}

/// Syncs for the first time, changes both sides, syncs the changes; returns how many writes that took.
async fn story(blows: Vec<Blow>) -> usize {
    let struck = blows.len().min(1);
    let mut world = World::new(CONTACTS, blows).await;
    world.sync().await;
    world.assert_equal().await;
    world.change_both_sides().await;
    world.sync().await;
    world.assert_equal().await;
    world.assert_told_of(2);
    world.assert_renewed().await;
    assert!(world.deaths() >= struck, "nobody was killed");
    world.writes()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch for whoever looks into a failure"
)]
fn asked_for() -> Option<usize> {
    std::env::var("KILL").ok()?.parse().ok()
}
