use std::collections::BTreeMap;

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::dataverse::schema::Table;
use tests::{Simulation, SimulationConfig};

use crate::client::{Client, Reply, organization};

const PATH: &str = "contacts?$select=mobilephone,emailaddress1";

async fn baseline(client: &Client) -> (Vec<Value>, String) {
    let (rows, last) = client
        .all(PATH, "odata.track-changes,odata.maxpagesize=100")
        .await;
    (rows, last.link("@odata.deltaLink").unwrap())
}

fn expired(reply: &Reply) -> bool {
    reply.status == 400 && reply.code() == "0x80044352"
}

#[tokio::test]
async fn a_delta_brings_updates_then_deletes() {
    let (simulation, client) = organization(5).await;
    let (rows, link) = baseline(&client).await;
    let id = |at: usize| rows[at]["contactid"].as_str().unwrap().parse().unwrap();
    simulation.delete_as_human("contacts", id(0));
    simulation.edit_as_human("contacts", id(1), &json!({"mobilephone": "1"}));
    simulation.edit_as_human("contacts", id(1), &json!({"mobilephone": "2"}));
    let reply = client.get(&link).await;
    let changes = reply.rows();
    assert_eq!(changes.len(), 2);
    assert_eq!(
        (&changes[0]["contactid"], &changes[0]["mobilephone"]),
        (&rows[1]["contactid"], &json!("2"))
    );
    assert_eq!(
        (&changes[1]["id"], &changes[1]["reason"]),
        (&rows[0]["contactid"], &json!("deleted"))
    );
    assert!(
        changes[1]["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("$metadata#contacts/$deletedEntity")
    );
    assert!(
        reply.json()["@odata.context"]
            .as_str()
            .unwrap()
            .ends_with("/$delta")
    );
    assert!(
        client
            .get(&reply.link("@odata.deltaLink").unwrap())
            .await
            .rows()
            .is_empty()
    );
    let token = link.split_once("$deltatoken=").unwrap().1;
    let count = client.get(&format!("contacts/$count?$deltatoken={token}")).await;
    assert_eq!(count.text().trim_start_matches('\u{feff}'), "2");
}

#[tokio::test]
async fn a_row_created_and_deleted_in_between_is_reported_as_deleted() {
    let (simulation, client) = organization(0).await;
    let (_, link) = baseline(&client).await;
    let id = simulation.create_as_human("contacts", &json!({}));
    simulation.delete_as_human("contacts", id);
    assert_eq!(client.get(&link).await.rows()[0]["id"], json!(id));
}

#[tokio::test]
async fn nothing_written_during_a_listing_is_lost() {
    let (simulation, client) = organization(300).await;
    let preference = "odata.track-changes,odata.maxpagesize=40";
    let mut seen = BTreeMap::new();
    let mut reply = client.prefer(PATH, preference).await;
    for seed in 0.. {
        simulation.random_edits(20, seed);
        apply(&mut seen, &reply.rows());
        let Some(link) = reply.link("@odata.nextLink") else {
            break;
        };
        reply = client.prefer(&link, preference).await;
    }
    simulation.random_edits(100, 99);
    let (changes, _) = client
        .all(&reply.link("@odata.deltaLink").unwrap(), "odata.maxpagesize=7")
        .await;
    apply(&mut seen, &changes);
    let truth: BTreeMap<String, Value> = simulation
        .rows("contacts")
        .iter()
        .map(|row| (text(row, "contactid"), row["mobilephone"].clone()))
        .collect();
    assert_eq!(seen, truth);
}

fn text(row: &Value, name: &str) -> String {
    row[name].as_str().unwrap().to_owned()
}

/// Keeps a copy of the telephone numbers.
fn apply(copy: &mut BTreeMap<String, Value>, rows: &[Value]) {
    for row in rows {
        match row["reason"].as_str() {
            Some(_) => copy.remove(&text(row, "id")),
            None => copy.insert(text(row, "contactid"), row["mobilephone"].clone()),
        };
    }
}

#[tokio::test]
async fn a_delta_link_lives_seven_days() {
    let (simulation, client) = organization(1).await;
    let (_, link) = baseline(&client).await;
    simulation.advance(SignedDuration::from_hours(7 * 24 - 1));
    let client = Client::new(&simulation).await;
    assert_eq!(client.get(&link).await.status, 200);
    simulation.advance(SignedDuration::from_hours(2));
    let client = Client::new(&simulation).await;
    assert!(expired(&client.get(&link).await));
}

#[tokio::test]
async fn a_delta_link_ends_with_its_tables_definition_or_the_history() {
    let (simulation, client) = organization(1).await;
    let (_, link) = baseline(&client).await;
    simulation.change_metadata("contacts");
    assert!(expired(&client.get(&link).await));
    let (_, link) = baseline(&client).await;
    simulation.expire_delta_links();
    assert!(expired(&client.get(&link).await));
    let (_, link) = baseline(&client).await;
    assert_eq!(client.get(&link).await.status, 200, "a full resync starts anew");
}

#[tokio::test]
async fn an_altered_delta_link_is_refused() {
    let (_simulation, client) = organization(1).await;
    let (_, link) = baseline(&client).await;
    assert_eq!(
        client.get(&link.replace("mobilephone", "lastname")).await.status,
        400
    );
    assert_eq!(
        client
            .get(&link.replace("$deltatoken=1", "$deltatoken=2"))
            .await
            .status,
        400
    );
}

#[tokio::test]
async fn tracking_goes_with_select_only() {
    let (_simulation, client) = organization(1).await;
    for option in ["$filter=firstname eq 'x'", "$orderby=firstname", "$top=5"] {
        let reply = client
            .prefer(&format!("contacts?{option}"), "odata.track-changes")
            .await;
        assert!(
            reply.status == 400 && reply.text().contains("isn't supported when Change Tracking"),
            "{option}"
        );
    }
}

#[tokio::test]
async fn a_table_without_tracking_says_so() {
    let table = Table::new("new_course", "new_courses")
        .text("new_name", 20)
        .untracked();
    let config = SimulationConfig {
        tables: vec![table],
        ..SimulationConfig::default()
    };
    let simulation = Simulation::start(config).await;
    let client = Client::new(&simulation).await;
    assert_eq!(
        client.post("new_courses", &json!({"new_name": "x"})).await.status,
        204
    );
    assert_eq!(client.get("new_courses").await.rows().len(), 1);
    let reply = client.prefer("new_courses", "odata.track-changes").await;
    assert!(reply.status == 400 && reply.text().contains("Change tracking is not enabled"));
}

#[tokio::test]
async fn a_merged_contact_points_to_its_master() {
    let (simulation, client) = organization(0).await;
    let [loser, master] =
        [1, 2].map(|at| simulation.create_as_human("contacts", &json!({"firstname": at.to_string()})));
    simulation.merge_as_human(loser, master);
    let row = client.get(&format!("contacts({loser})")).await.json();
    assert_eq!(
        (&row["merged"], &row["statecode"], &row["_masterid_value"]),
        (&json!(true), &json!(1), &json!(master))
    );
    let reply = client
        .send(
            Method::PATCH,
            &format!("contacts({loser})"),
            &[],
            Some(&json!({"firstname": "x"})),
        )
        .await;
    assert_eq!(reply.unwrap().code(), "0x8004022e");
}
