//! Questions whose answers tell an operator what works, and what to do about what does not.

use serde_json::json;
use shared::adapter::Finding;
use tests::cornerstone::Status;
use tests::cornerstone::faults::Misbehaviour;
use tests::dataverse::faults::FaultRule;

use crate::world::{World, misbehaves};

async fn world() -> World {
    let world = World::new().await;
    let (user, course) = (world.users(1).remove(0), world.course());
    world.portal().enrol(&user, course.id, Status::Registered);
    world.settle();
    world
}

/// Returns the questions whose answer is that it does not work.
async fn failing(world: &World) -> Vec<Finding> {
    let findings = world.adapter().probe().await;
    findings.into_iter().filter(|finding| !finding.works).collect()
}

#[tokio::test]
async fn where_all_is_well_every_question_says_so_and_nothing_is_written() {
    let world = world().await;
    let findings = world.adapter().probe().await;
    let questions: Vec<&str> = findings.iter().map(|finding| finding.question.as_str()).collect();
    assert_eq!(
        questions,
        [
            "sign in",
            "read vw_rpt_transcript",
            "understand statuses",
            "read vw_rpt_user",
            "read vw_rpt_training",
            "read a transcript"
        ]
    );
    assert!(findings.iter().all(|finding| finding.works), "{findings:?}");
    assert_eq!(world.portal().api_writes(), 0);
    assert!(
        World::new()
            .await
            .adapter()
            .probe()
            .await
            .iter()
            .all(|finding| finding.works)
    );
}

#[tokio::test]
async fn what_is_missing_is_named_with_the_way_out() {
    for (scope, question) in [
        ("vw_rpt_transcript:read", "read vw_rpt_transcript"),
        ("vw_rpt_user:read", "read vw_rpt_user"),
        ("vw_rpt_training:read", "read vw_rpt_training"),
        ("transcript:read", "read a transcript"),
    ] {
        let world = world().await;
        world
            .portal()
            .sign_in()
            .change(|settings| settings.withheld_scopes = vec![scope.to_owned()]);
        let failing = failing(&world).await;
        let finding = failing
            .iter()
            .find(|finding| finding.question == question)
            .unwrap();
        assert_eq!(finding.cause, Some("permission"), "{finding:?}");
        assert!(finding.answer.contains(scope), "{finding:?}");
    }
}

#[tokio::test]
async fn a_wrong_secret_a_wrong_column_and_an_unknown_status_are_told_apart() {
    let mut wrong = world().await;
    wrong.secret = "wrong".to_owned();
    let failed = failing(&wrong).await;
    assert_eq!((failed.len(), failed[0].cause), (1, Some("key")));
    let mut wrong = world().await;
    wrong.settings["course-enrollments"]["fields"] = json!({ "score": "user_lo_points" });
    let failed = failing(&wrong).await;
    assert_eq!(failed[0].question, "read vw_rpt_transcript");
    assert_eq!(failed[0].cause, Some("configuration"), "{failed:?}");
    let mut wrong = world().await;
    wrong.settings["course-enrollments"]["statuses"] = json!({ "completed": 16 });
    let failed = failing(&wrong).await;
    assert_eq!(
        (failed.len(), failed[0].question.as_str()),
        (1, "understand statuses")
    );
    assert!(failed[0].answer.contains("\"4\""), "{failed:?}");
    let down = world().await;
    down.inject(FaultRule::always(misbehaves(Misbehaviour::Outage)).at("/views/"));
    let failed = failing(&down).await;
    assert!(
        failed.iter().all(|finding| finding.cause == Some("system")),
        "{failed:?}"
    );
}
