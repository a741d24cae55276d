//! Systems that are down, slow, busy, or break off before or after a write.

use http::Method;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::rest::settings::Wait;
use tests::rest::{Limit, Quirk};

use super::*;

fn down(status: u16) -> Fault {
    Fault::Status {
        status,
        body: None,
        retry_after: None,
    }
}

/// Has both sides change while something is wrong, and insists that both are equal once it is over.
async fn survives(ability: Ability, fault: Fault, times: u32, method: Option<&Method>) {
    let name = format!("{ability:?} {fault:?} {method:?}");
    let pair = Pair::new(ability, 20).await;
    pair.succeed().await;
    let members = pair.members().await;
    for (at, member) in members.iter().take(3).enumerate() {
        pair.edit(member, "email", &format!("her{at}@example.org")).await;
    }
    for number in 0..5 {
        pair.put(
            Kind::Member,
            &format!("90000{number}"),
            json!({ "lastName": format!("Ny {number}") }),
        )
        .await;
    }
    pair.delete(Kind::Member, &members[5].id).await;
    let mut rule = FaultRule::always(fault).at("/rest/v1/");
    rule.times = Some(times);
    if let Some(method) = method {
        rule = rule.on(method);
    }
    pair.world.inject(rule);
    pair.world.add(800);
    let run = pair.run(Mode::Delta).await;
    pair.world.simulation.clear_faults();
    if run.state != RunState::Succeeded {
        pair.succeed().await;
    }
    pair.succeed().await;
    pair.assert_equal().await;
    let writes = pair.world.register().writes();
    assert_eq!(pair.members().await.len(), 25, "{name}");
    assert_eq!((writes.created, writes.deleted), (5, 1), "{name}");
    assert_eq!(pair.quarantine().await, [], "{name}");
}

#[tokio::test]
async fn nothing_is_made_twice_or_lost_whatever_breaks_off_before_or_after_a_write() {
    for ability in [Ability::Everything, Ability::Nothing] {
        for method in [Method::POST, Method::PATCH, Method::DELETE] {
            for fault in [Fault::ResetBefore, Fault::ResetAfter, down(500)] {
                survives(ability, fault, 2, Some(&method)).await;
            }
            let lost = Fault::StatusAfter {
                status: 504,
                body: None,
                retry_after: None,
            };
            survives(ability, lost, 3, Some(&method)).await;
        }
    }
}

#[tokio::test]
async fn a_system_that_is_down_for_a_while_is_up_to_date_afterwards() {
    for ability in [Ability::Everything, Ability::Nothing] {
        for fault in [down(503), Fault::Html, Fault::TruncatedJson, Fault::ResetBefore] {
            survives(ability, fault, 12, None).await;
        }
    }
}

#[tokio::test]
async fn a_busy_system_is_left_alone_and_everything_is_sent_in_the_end() {
    for told in [Wait::RetryAfter, Wait::Nowhere] {
        let mut world = Ability::Everything.world(20).await;
        world.settings["answers"] = json!({ "code": "/error/code" });
        let pair = Pair::with(world, |_| {}).await;
        pair.succeed().await;
        for number in 0..30 {
            pair.put(
                Kind::Member,
                &format!("9000{number:02}"),
                json!({ "lastName": format!("Ny {number}") }),
            )
            .await;
        }
        let limit = Limit {
            requests: 12,
            seconds: 20,
            told,
        };
        pair.world
            .register()
            .change_settings(|settings| settings.limit = Some(limit));
        pair.succeed().await;
        pair.world
            .register()
            .change_settings(|settings| settings.limit = None);
        pair.succeed().await;
        pair.assert_equal().await;
        let register = pair.world.register();
        assert_eq!(
            (register.writes().created, register.offences()),
            (30, 0),
            "{told:?}"
        );
    }
}

#[tokio::test]
async fn a_listing_in_circles_ends_the_run_and_deletes_nobody() {
    let pair = Pair::new(Ability::Nothing, 40).await;
    pair.succeed().await;
    pair.world
        .register()
        .change_settings(|settings| settings.quirk = Some(Quirk::Circles));
    let run = pair.run(Mode::Full).await;
    assert_eq!(run.state, RunState::Failed, "{run:?}");
    assert_eq!(run.failure.unwrap().code, "malformed");
    assert_eq!(pair.members().await.len(), 40);
    pair.world
        .register()
        .change_settings(|settings| settings.quirk = None);
    pair.succeed().await;
    pair.assert_equal().await;
}

#[tokio::test]
async fn rows_that_stand_on_two_pages_are_there_once() {
    for ability in [Ability::Everything, Ability::Nothing] {
        let pair = Pair::new(ability, 40).await;
        pair.world
            .register()
            .change_settings(|settings| settings.quirk = Some(Quirk::Overlaps));
        pair.succeed().await;
        assert_eq!(pair.members().await.len(), 40, "{ability:?}");
        pair.assert_equal().await;
    }
}

#[tokio::test]
async fn a_place_that_the_system_has_forgotten_has_everything_read_anew() {
    for place in ["cursor=", "updatedSince="] {
        let pair = Pair::new(Ability::Everything, 30).await;
        if place == "updatedSince=" {
            pair.succeed().await;
            pair.world.add(600);
        }
        pair.world.inject(FaultRule::once(down(410)).at(place));
        let run = pair.succeed().await;
        let all = |warning: &String| warning.starts_with("all members are read");
        assert!(run.warnings.iter().any(all), "{place}: {run:?}");
        pair.assert_equal().await;
    }
}
