//! A portal that is down, limits, or breaks off in the middle.

use tests::cornerstone::faults::Misbehaviour;
use tests::cornerstone::{Outage, Repeated, Resource};
use tests::dataverse::faults::{Fault, FaultRule};

use super::*;
use crate::world::{VIEW, misbehaves};

/// Enrols many on both sides.
async fn busy(pair: &Pair) -> Vec<String> {
    let users = pair.people(30).await;
    let (theirs, ours) = (pair.world.course().id, pair.world.course().id);
    for user in &users {
        pair.world.portal().enrol(user, theirs, Status::Registered);
        pair.enrol_here(user, ours, &json!({ "status": "registered" }))
            .await;
    }
    pair.world.settle();
    users
}

async fn small_pages() -> Pair {
    let mut world = World::with(|settings| settings.repeated_assignment = Repeated::Registered).await;
    world.settings["pageSize"] = json!(8);
    Pair::with(world, |_| {}).await
}

async fn ends_well(pair: &Pair, run: &Run) {
    assert_eq!(
        run.state,
        RunState::Succeeded,
        "{run:?} {:?}",
        pair.quarantine().await
    );
    pair.equal().await;
    pair.world.settle();
    pair.sync().await;
    pair.equal().await;
    assert_eq!(
        pair.world.portal().api_writes(),
        30,
        "each enrolment was made once"
    );
    assert_eq!(pair.world.portal().registrations().len(), 60);
}

#[tokio::test]
async fn a_portal_that_goes_down_as_a_whole_is_up_again_for_the_same_run() {
    let pair = small_pages().await;
    busy(&pair).await;
    pair.world.portal().set_outage(Outage::of(Resource::Transcripts));
    let run = pair.open(Mode::Delta).await;
    pair.deliver().await;
    let waiting = pair.now(&run).await;
    assert!(waiting.finished_at.is_none(), "{waiting:?}");
    pair.world.portal().set_outage(Outage::None);
    let run = pair.finish(&run).await;
    ends_well(&pair, &run).await;
}

#[tokio::test]
async fn answers_that_are_lost_all_the_while_make_nothing_twice() {
    let pair = small_pages().await;
    busy(&pair).await;
    for skip in [0, 3, 4, 11] {
        pair.world.inject(
            FaultRule::once(Fault::ResetAfter)
                .at("/transcripts/assign")
                .after(skip),
        );
    }
    for skip in [2, 9] {
        pair.world.inject(
            FaultRule::once(Fault::ResetBefore)
                .at("/transcripts/details")
                .after(skip),
        );
    }
    let later = Misbehaviour::ApplyLater {
        seconds: 20,
        status: Some(502),
    };
    pair.world.inject(
        FaultRule::once(misbehaves(later))
            .at("/transcripts/assign")
            .after(20),
    );
    let run = pair.sync().await;
    ends_well(&pair, &run).await;
}

#[tokio::test]
async fn limits_are_honoured_and_the_run_goes_on_in_the_next_minute() {
    let pair = small_pages().await;
    busy(&pair).await;
    pair.world.portal().change(|settings| {
        (settings.limits.per_minute, settings.limits.reporting) = (25, 5);
    });
    let run = pair.sync().await;
    let refused = pair
        .world
        .simulation
        .journal()
        .iter()
        .filter(|entry| entry.status == 429)
        .count();
    assert_eq!(refused, 0, "nothing was asked that would be refused");
    ends_well(&pair, &run).await;
}

#[tokio::test]
async fn tokens_and_pages_that_end_in_the_middle_are_replaced() {
    let pair = small_pages().await;
    busy(&pair).await;
    pair.world
        .portal()
        .sign_in()
        .change(|settings| settings.access_token_seconds = 300);
    pair.world.inject(
        FaultRule::once(misbehaves(Misbehaviour::ExpireNextLinks))
            .at(VIEW)
            .after(1),
    );
    for skip in [3, 30] {
        pair.world
            .inject(FaultRule::once(misbehaves(Misbehaviour::Unauthorized)).after(skip));
    }
    let run = pair.sync().await;
    ends_well(&pair, &run).await;
}
