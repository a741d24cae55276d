//! Probes: each failure says where it lies, and nothing is written.

use serde_json::json;
use tests::xledger::token::{ApiToken, Scope};

use crate::world::World;

const TOKEN: &str = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";

async fn failures(world: &World) -> Vec<(String, &'static str)> {
    let findings = world.adapter().probe().await;
    let failed = findings.into_iter().filter(|finding| !finding.works);
    failed
        .map(|finding| (finding.question, finding.cause.unwrap_or_default()))
        .collect()
}

async fn scoped(read: Scope, write: Scope) -> World {
    let mut world = World::new().await;
    world
        .xledger()
        .add_token(ApiToken::new(TOKEN, "23001").scoped(read, write));
    world.credentials = json!({ "apiToken": TOKEN });
    world
}

#[tokio::test]
async fn everything_works_where_everything_is_right_and_nothing_is_written() {
    let world = World::new().await;
    let findings = world.adapter().probe().await;
    assert!(findings.iter().all(|finding| finding.works), "{findings:?}");
    let questions: Vec<_> = findings.iter().map(|finding| finding.question.as_str()).collect();
    assert_eq!(
        questions,
        [
            "sign in",
            "read the import queue",
            "write to the import queue",
            "read posted lines",
            "find lines by name",
            "read accounts",
        ]
    );
    assert!(world.xledger().queue().is_empty());
}

#[tokio::test]
async fn each_failure_says_where_it_lies() {
    let mut world = World::new().await;
    world.credentials = json!({ "apiToken": TOKEN });
    assert_eq!(failures(&world).await, [("sign in".to_owned(), "key")]);

    let nowhere = World::new().await.moved("http://nowhere.invalid");
    assert_eq!(failures(&nowhere).await, [("sign in".to_owned(), "name")]);

    let world = scoped(Scope::All, Scope::only([])).await;
    assert_eq!(
        failures(&world).await,
        [("write to the import queue".to_owned(), "scope")]
    );

    let world = scoped(Scope::only(["GLImportItem"]), Scope::All).await;
    let failed = ["read posted lines", "find lines by name", "read accounts"];
    assert_eq!(
        failures(&world).await,
        failed.map(|question| (question.to_owned(), "scope"))
    );

    let mut world = World::new().await;
    world.settings["extIdentifierFilter"] = json!("nonsuch");
    assert_eq!(
        failures(&world).await,
        [("find lines by name".to_owned(), "system")]
    );
}

#[tokio::test]
async fn soap_is_asked_where_the_integration_is_set_up_for_it() {
    let mut world = World::with_soap().await;
    let findings = world.adapter().probe().await;
    let last = findings.last().unwrap();
    assert_eq!(
        (last.question.as_str(), last.works),
        ("sign in by SOAP", true),
        "{findings:?}"
    );
    world.credentials["soap"]["password"] = json!("wrong");
    assert_eq!(failures(&world).await, [("sign in by SOAP".to_owned(), "key")]);
}

#[tokio::test]
async fn a_file_is_asked_nothing() {
    let mut world = World::new().await;
    world.settings["protocol"] = json!("csv");
    world.credentials = json!({});
    assert!(failures(&world).await.is_empty());
    assert_eq!(world.requests(), 0);
}
