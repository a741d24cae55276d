//! Starting runs, looking at them, stopping them.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::world::{INTEGRATION, World, ask};
use crate::api::{Caller, Operation};

fn sync() -> String {
    format!("{INTEGRATION}/sync")
}

#[tokio::test]
async fn a_sync_that_was_started_is_on_the_queue_and_can_be_looked_at() {
    let world = World::connected().await;
    let answer = world.answer(ask(Method::POST, &sync())).await;
    assert_eq!(answer.status, 202, "{}", answer.body);
    assert!(world.queue.receive(crate::model::System::Dynamics365).is_some());
    let run = world.get(answer.header("location")).await.json();
    assert_eq!(run["runId"], answer.json()["runId"]);
    assert_eq!(
        (&run["state"], &run["mode"], &run["requestedBy"]),
        (&json!("queued"), &json!("delta"), &json!("administrator"))
    );
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["activeRun"]["runId"], run["runId"]);
}

#[tokio::test]
async fn a_second_sync_is_refused_and_names_the_first() {
    let world = World::connected().await;
    let first = world.answer(ask(Method::POST, &sync())).await.json();
    let second = world.answer(ask(Method::POST, &sync())).await;
    assert_eq!(
        (second.status.as_u16(), second.code().as_str()),
        (409, "run_active")
    );
    assert_eq!(second.json()["runId"], first["runId"]);
}

#[tokio::test]
async fn of_many_syncs_at_once_one_is_started() {
    let world = World::connected().await;
    let path = sync();
    let asks = (0..20).map(|_| world.answer(ask(Method::POST, &path)));
    let answers = futures::future::join_all(asks).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 202).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| matches!(answer.status.as_u16(), 202 | 409))
    );
}

#[tokio::test]
async fn a_paused_integration_starts_nothing_until_it_is_resumed() {
    let world = World::connected().await;
    assert_eq!(
        world
            .answer(ask(Method::POST, &format!("{INTEGRATION}/pause")))
            .await
            .status,
        200
    );
    let refused = world.answer(ask(Method::POST, &sync())).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code().as_str()),
        (409, "paused")
    );
    let health = world.get(INTEGRATION).await.json()["health"].clone();
    assert_eq!(health["level"], "stopped");
    assert!(health["nextAction"].as_str().unwrap().contains("resume"));
    assert_eq!(
        world
            .answer(ask(Method::POST, &format!("{INTEGRATION}/resume")))
            .await
            .status,
        200
    );
    assert_eq!(world.answer(ask(Method::POST, &sync())).await.status, 202);
}

#[tokio::test]
async fn syncing_an_organization_starts_a_run_for_each_integration() {
    let world = World::connected().await;
    let path = "/v1/organizations/hlf/members/sync";
    let started = world
        .post(path, &json!({ "mode": "full", "dryRun": true }))
        .await
        .json();
    assert_eq!(started["runs"][0]["run"]["mode"], "full");
    assert_eq!(started["runs"][0]["run"]["dryRun"], true);
    let again = world.post(path, &json!({})).await.json();
    assert_eq!(again["runs"][0]["problem"]["code"], "run_active");
}

#[tokio::test]
async fn an_integration_is_not_started_for_what_it_does_not_keep() {
    let world = World::connected().await;
    let path = "/v1/organizations/hlf/course-enrollments/sync";
    let answer = world.post(path, &json!({})).await;
    assert_eq!(
        (answer.status.as_u16(), &*answer.code()),
        (404, "unknown_integration")
    );
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.ends_with("no system for course-enrollments"), "{detail}");
    let event = json!({ "operation": "syncCourseEnrollments", "organizationId": "hlf", "mode": "full" });
    let operation = Operation::read(event).unwrap();
    let caller = Caller::unrestricted("direct");
    let refused = operation.run(&world.ports, &caller).await.unwrap_err();
    assert_eq!(serde_json::to_value(&refused).unwrap()["detail"], detail);
    assert!(world.queue.receive(crate::model::System::Dynamics365).is_none());
}

#[tokio::test]
async fn a_run_is_asked_to_stop_once_and_can_be_asked_again() {
    let world = World::connected().await;
    let run = world.answer(ask(Method::POST, &sync())).await.json();
    let path = run["links"]["cancel"].as_str().unwrap().to_owned();
    for _ in 0..2 {
        let answer = world.answer(ask(Method::POST, &path)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["cancelRequested"]),
            (202, &json!(true))
        );
    }
}

#[tokio::test]
async fn a_direct_invocation_answers_what_http_answers() {
    let world = World::connected().await;
    let caller = Caller::unrestricted("direct");
    let event =
        json!({ "operation": "triggerSync", "organizationId": "hlf", "integrationType": "dynamics365" });
    let run = Operation::read(event.clone())
        .unwrap()
        .run(&world.ports, &caller)
        .await
        .unwrap();
    assert_eq!(
        (&run["trigger"], &run["requestedBy"]),
        (&json!("direct"), &json!("direct"))
    );
    let refused = Operation::read(event)
        .unwrap()
        .run(&world.ports, &caller)
        .await
        .unwrap_err();
    assert_eq!(serde_json::to_value(&refused).unwrap()["runId"], run["runId"]);
    let event = json!({ "operation": "getIntegrationStatus", "organizationId": "hlf", "integrationType": "dynamics365" });
    let status = Operation::read(event)
        .unwrap()
        .run(&world.ports, &caller)
        .await
        .unwrap();
    assert_eq!(status, world.get(INTEGRATION).await.json());
}

#[tokio::test]
async fn an_operation_that_nobody_knows_is_refused_by_name() {
    for event in [
        json!({ "operation": "dropTables" }),
        json!({ "operation": "triggerSync", "organizationId": "hlf" }),
        json!({ "operation": "triggerSync", "organizationId": "HLF", "integrationType": "dynamics365" }),
        json!({ "operation": "syncMembershipData", "organizationId": "hlf", "force": true }),
        json!([]),
    ] {
        assert!(Operation::read(event.clone()).is_err(), "{event}");
    }
}

#[tokio::test]
async fn a_status_is_what_was_written_before_it_was_asked_for() {
    let world = World::connected().await;
    for _ in 0..3 {
        world
            .answer(ask(Method::POST, &format!("{INTEGRATION}/pause")))
            .await;
        assert_eq!(world.get(INTEGRATION).await.json()["state"], "paused");
        world.clock.advance(Duration::from_secs(1));
        world
            .answer(ask(Method::POST, &format!("{INTEGRATION}/resume")))
            .await;
        assert_eq!(world.get(INTEGRATION).await.json()["state"], "active");
    }
}
