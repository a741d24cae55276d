//! Probes: each failure says where it lies.

use serde_json::json;
use shared::adapter::Finding;
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::world::World;

async fn failures(world: &World) -> Vec<(String, &'static str)> {
    let findings = world.adapter().probe().await;
    let failed = findings.into_iter().filter(|finding| !finding.works);
    failed
        .map(|finding| (finding.question, finding.cause.unwrap_or_default()))
        .collect()
}

fn answer<'f>(findings: &'f [Finding], question: &str) -> &'f str {
    let finding = findings.iter().find(|finding| finding.question == question);
    &finding
        .unwrap_or_else(|| panic!("{question}: {findings:?}"))
        .answer
}

#[tokio::test]
async fn everything_works_where_everything_is_right() {
    let world = World::new(3).await;
    let findings = world.adapter().probe().await;
    assert!(findings.iter().all(|finding| finding.works), "{findings:?}");
    assert_eq!(findings.len(), 3 + 2 * 5);
    assert!(answer(&findings, "columns of members").contains("firstName: the system refuses more than 50"));
}

#[tokio::test]
async fn each_failure_says_where_it_lies() {
    let mut world = World::new(3).await;
    world.credentials["clientSecret"] = json!("wrong");
    assert_eq!(failures(&world).await, [("sign in".to_owned(), "key")]);

    let mut world = World::new(3).await;
    let stranger = world.simulation.stranger();
    world.credentials = json!({ "clientId": stranger.client_id, "clientSecret": stranger.client_secret });
    assert_eq!(
        failures(&world).await,
        [("enter the environment".to_owned(), "permission")]
    );

    let world = World::new(3).await;
    world.simulation.revoke_privilege("contact", Privilege::Read);
    assert_eq!(
        failures(&world).await,
        [("read members".to_owned(), "permission")]
    );

    let world = World::new(3).await;
    world.inject(FaultRule::always(Fault::Unauthorized).at("WhoAmI"));
    assert_eq!(
        failures(&world).await,
        [("enter the environment".to_owned(), "scope")]
    );

    let world = World::new(3).await;
    world.inject(FaultRule::always(Fault::ResetBefore).at("/oauth2/"));
    assert_eq!(failures(&world).await, [("sign in".to_owned(), "network")]);
}

#[tokio::test]
async fn every_column_that_does_not_fit_is_told() {
    let mut world = World::new(3).await;
    world.settings["members"]["fields"]["city"] = json!("hlf_nowhere");
    world.settings["members"]["fields"]["birthDate"] = json!("telephone2");
    world.settings["members"]["alternateKey"] = json!("employeeid");
    let findings = world.adapter().probe().await;
    let columns = answer(&findings, "columns of members");
    assert!(
        columns.contains("city: there is no column hlf_nowhere"),
        "{columns}"
    );
    assert!(
        columns.contains("birthDate: the column telephone2 does not hold a date"),
        "{columns}"
    );
    assert!(answer(&findings, "key of members").contains("no alternate key"));
    assert!(
        findings
            .iter()
            .any(|finding| finding.question == "read members" && !finding.works)
    );
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_told_as_such() {
    let mut world = World::new(0).await;
    let nowhere = "http://nowhere.invalid";
    let exceptions = format!("{nowhere},{}", world.simulation.base_url());
    let clock = std::sync::Arc::new(shared::clock::SystemClock);
    world.connections = shared::adapters::Connections::new(exceptions.parse().unwrap(), clock);
    world.settings["baseUrl"] = json!(nowhere);
    assert_eq!(
        failures(&world).await,
        [("enter the environment".to_owned(), "name")]
    );
}
