//! Both sides changed the same.

use shared::integration::{ConflictRule, Integration};
use shared::model::{Group, Kind};
use shared::sync::review::Decision;
use shared::sync::{Mode, RunState};

use crate::fill;
use crate::world::{World, integration};

async fn ruled_by(rule: ConflictRule) -> World {
    let groups = [Group::Identity, Group::Contact, Group::Address, Group::Membership];
    let integration = Integration {
        conflict_rules: groups.into_iter().map(|group| (group, rule)).collect(),
        ..integration()
    };
    fill(World::of(&integration).await).await
}

/// Carries files back and forth until both sides are equal.
async fn converge(world: &mut World) {
    for _ in 0..3 {
        world.import_all().await;
        world.upload_all().await;
        world.run(Mode::Delta).await;
    }
    world.check_equal().await;
    assert!(world.outbox().await.is_empty());
}

#[tokio::test]
async fn the_newest_change_wins_by_the_time_of_the_upload() {
    for (upload_is_newer, winner) in [(true, "Bodø"), (false, "Bergen")] {
        let mut world = ruled_by(ConflictRule::NewestWins).await;
        world.consio.change(Kind::Member, "C1", "city", "Bodø");
        if upload_is_newer {
            world.change(Kind::Member, "C1", "city", "Bergen").await;
            world.upload_all().await;
        } else {
            world.upload_all().await;
            world.change(Kind::Member, "C1", "city", "Bergen").await;
        }
        world.sync().await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), winner);
        converge(&mut world).await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), winner);
    }
}

#[tokio::test]
async fn one_side_wins_where_the_rule_says_so() {
    for (rule, winner) in [
        (ConflictRule::PlatformWins, "Bergen"),
        (ConflictRule::ExternalWins, "Bodø"),
    ] {
        let mut world = ruled_by(rule).await;
        world.consio.change(Kind::Member, "C1", "city", "Bodø");
        world.change(Kind::Member, "C1", "city", "Bergen").await;
        world.upload_all().await;
        world.sync().await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), winner);
        converge(&mut world).await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), winner);
    }
}

/// Both sides have changed a city, and a human is asked.
async fn disputed() -> World {
    let mut world = ruled_by(ConflictRule::Review).await;
    world.consio.change(Kind::Member, "C1", "city", "Bodø");
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    let upload = world.export_some(Kind::Member, &["C1"]);
    world.upload(Kind::Member, upload, false).await;
    let run = world.run(Mode::Delta).await;
    assert_eq!(run.state, RunState::Partial);
    assert_eq!(world.reviews().await.len(), 1);
    assert!(
        world.outbox().await.is_empty(),
        "nothing is sent while it is disputed"
    );
    world
}

#[tokio::test]
async fn a_review_holds_until_a_human_has_decided() {
    for (decision, winner) in [(Decision::External, "Bodø"), (Decision::Platform, "Bergen")] {
        let mut world = disputed().await;
        world.run(Mode::Delta).await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bergen");
        world.decide(decision).await;
        world.run(Mode::Delta).await;
        assert_eq!(
            world.says(Kind::Member, "C1", "city").await.unwrap(),
            winner,
            "{decision:?}"
        );
        converge(&mut world).await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), winner);
    }
}

#[tokio::test]
async fn what_is_disputed_does_not_go_out_with_another_change_of_the_record() {
    let mut world = disputed().await;
    world
        .change(Kind::Member, "C1", "email", "kari@example.org")
        .await;
    world.run(Mode::Delta).await;
    world.import_all().await;
    assert_eq!(world.system(Kind::Member)["C1"]["city"], "Bodø");
    world.decide(Decision::External).await;
    world.run(Mode::Delta).await;
    converge(&mut world).await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bodø");
    assert_eq!(world.system(Kind::Member)["C1"]["email"], "kari@example.org");
}

#[tokio::test]
async fn our_own_earlier_change_that_comes_back_late_is_no_conflict() {
    let mut world = ruled_by(ConflictRule::Review).await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    world.import_all().await;
    world.change(Kind::Member, "C1", "city", "Bodø").await;
    world.upload_all().await;
    world.run(Mode::Delta).await;
    assert_eq!(world.reviews().await.len(), 0);
    converge(&mut world).await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bodø");
}

#[tokio::test]
async fn neither_of_two_changes_that_are_on_their_way_is_a_conflict_when_it_comes_back() {
    let mut world = ruled_by(ConflictRule::Review).await;
    for city in ["Bergen", "Bodø"] {
        world.change(Kind::Member, "C1", "city", city).await;
        world.sync().await;
        assert!(!world.outbox().await.is_empty());
    }
    let files = world.outbox().await;
    assert_eq!(files.len(), 2);
    for file in &files {
        world.import(file).await;
        world.upload_all().await;
        world.sync().await;
        assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bodø");
    }
    converge(&mut world).await;
    assert!(world.went_out().await.values().all(|times| *times == 2));
}

#[tokio::test]
async fn a_change_of_theirs_beside_one_of_ours_that_comes_back_is_taken() {
    let mut world = ruled_by(ConflictRule::Review).await;
    world.change(Kind::Member, "C1", "city", "Bergen").await;
    world.sync().await;
    world.import_all().await;
    world
        .consio
        .change(Kind::Member, "C1", "email", "kari@example.org");
    world.upload_all().await;
    world.sync().await;
    converge(&mut world).await;
    let email = world.says(Kind::Member, "C1", "email").await;
    assert_eq!(email.unwrap(), "kari@example.org");
    // What went out once is no excuse for ever: it may be their own wish later.
    world.change(Kind::Member, "C1", "city", "Bodø").await;
    world.sync().await;
    converge(&mut world).await;
    world.consio.change(Kind::Member, "C1", "city", "Bergen");
    world.upload_all().await;
    world.sync().await;
    assert_eq!(world.says(Kind::Member, "C1", "city").await.unwrap(), "Bergen");
    converge(&mut world).await;
}
