use http::Method;
use serde_json::{Value, json};
use tests::{Simulation, SimulationConfig};

use crate::client::organization;

#[tokio::test]
async fn other_programs_drive_the_simulator_over_http() {
    let (simulation, client) = organization(20).await;
    let connection = client.control(Method::GET, "connection", None).await.json();
    assert_eq!(connection["clientSecret"], simulation.client_secret());
    let edits = client
        .control(Method::POST, "edits", Some(&json!({"count": 30, "seed": 4})))
        .await
        .json();
    let dump = client.control(Method::GET, "tables/contacts", None).await.text();
    let rows: Vec<Value> = dump
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let changed = |name: &str| edits[name].as_array().unwrap().len();
    assert_eq!(rows.len(), simulation.row_count("contacts"));
    assert!(changed("created") + changed("updated") + changed("deleted") > 10);
    let made = client
        .control(Method::POST, "tables/contacts", Some(&json!({"firstname": "A"})))
        .await;
    let path = format!("tables/contacts/{}", made.json()["id"].as_str().unwrap());
    assert_eq!(
        client
            .control(Method::PATCH, &path, Some(&json!({"firstname": "B"})))
            .await
            .status,
        204
    );
    assert_eq!(
        client.control(Method::GET, &path, None).await.json()["firstname"],
        "B"
    );
    assert_eq!(client.control(Method::DELETE, &path, None).await.status, 204);
    assert_eq!(client.control(Method::GET, &path, None).await.status, 404);
}

#[tokio::test]
async fn faults_and_time_are_scripted_over_http() {
    let (simulation, client) = organization(1).await;
    let rules = json!([{"path": "WhoAmI", "times": 1, "fault": {"kind": "tooManyRequests", "limit": "executionTime",
        "retryAfter": "12"}}]);
    assert_eq!(
        client.control(Method::POST, "faults", Some(&rules)).await.status,
        204
    );
    let reply = client.get("WhoAmI").await;
    assert_eq!(
        (reply.code().as_str(), reply.header("retry-after")),
        ("0x80072321", "12")
    );
    assert_eq!(client.control(Method::DELETE, "faults", None).await.status, 204);
    let before = simulation.now();
    client
        .control(Method::POST, "clock", Some(&json!({"advanceSeconds": 5000})))
        .await;
    assert!(simulation.now().as_second() >= before.as_second() + 5000);
    assert_eq!(client.get("WhoAmI").await.status, 401);
    let bad = json!([{"fault": {"kind": "nosuch"}}]);
    assert_eq!(
        client.control(Method::POST, "faults", Some(&bad)).await.status,
        400
    );
}

#[tokio::test]
async fn the_journal_tells_everything_but_secrets() {
    let (simulation, client) = organization(1).await;
    client
        .patch_with(
            "contacts(hlf_memberno='1')",
            &[("if-match", "*")],
            &json!({"firstname": "Hemmelig"}),
        )
        .await;
    let journal = simulation.journal();
    let last = journal.last().unwrap();
    assert_eq!((last.method.as_str(), last.status), ("PATCH", 404));
    assert_eq!(last.headers["if-match"], "*");
    let text = client.control(Method::GET, "journal", None).await.text();
    assert!(
        !text.contains(simulation.client_secret())
            && !text.contains(&client.token)
            && !text.contains("Hemmelig")
    );
}

#[tokio::test]
async fn the_same_seed_makes_the_same_members() {
    let start = |seed| {
        Simulation::start(SimulationConfig {
            contacts: 50,
            seed,
            ..SimulationConfig::default()
        })
    };
    let (first, second, third) = (start(5).await, start(5).await, start(6).await);
    assert_eq!(first.rows("contacts"), second.rows("contacts"));
    assert_ne!(first.rows("contacts"), third.rows("contacts"));
    let numbered = start(7)
        .await
        .rows("contacts")
        .iter()
        .filter(|row| row["hlf_memberno"].is_string())
        .count();
    assert!((20..50).contains(&numbered));
}
