//! Webhooks are registered once, kept as they should be, and removed.

mod failing;

use serde_json::{Value, json};
use shared::adapter::{Subscribed, Subscription};
use uuid::Uuid;

use crate::world::{World, member, push_one};

const NAME: &str = "01JB7Q3V9X-endpoint";
const SECRET: &str = "canary-secret-0123456789abcdef";

fn wanted() -> Subscription {
    Subscription {
        name: NAME.to_owned(),
        url: "https://hooks.example.org/v1/webhooks/01JB7Q3V9X"
            .parse()
            .unwrap(),
        header: Some("X-Webhook-Secret".to_owned()),
        secret: SECRET.into(),
    }
}

async fn subscribe(world: &World) -> Vec<String> {
    match world.adapter().subscribe(&wanted()).await.unwrap() {
        Subscribed::Running => Vec::new(),
        Subscribed::Mended(wrong) => wrong,
        Subscribed::ByHand => panic!("the system is asked by its API"),
    }
}

fn endpoints(world: &World) -> Vec<Value> {
    world.simulation.rows("serviceendpoints")
}

fn steps(world: &World) -> Vec<Value> {
    world.simulation.rows("sdkmessageprocessingsteps")
}

fn id(row: &Value, column: &str) -> Uuid {
    row[column].as_str().unwrap().parse().unwrap()
}

/// Returns the step whose name ends so.
fn step(world: &World, name: &str) -> (Uuid, Value) {
    let named = |row: &Value| row["name"].as_str().unwrap().ends_with(name);
    let row = steps(world).into_iter().find(named).unwrap();
    (id(&row, "sdkmessageprocessingstepid"), row)
}

fn written(world: &World) -> u64 {
    let counters = world.simulation.counters();
    counters.created + counters.updated + counters.deleted
}

#[tokio::test]
async fn a_subscription_is_one_endpoint_and_a_step_for_each_message_of_each_table() {
    let world = World::new(0).await;
    assert_eq!(subscribe(&world).await, ["missing"]);
    let endpoints = endpoints(&world);
    assert_eq!(endpoints.len(), 1);
    let endpoint = &endpoints[0];
    assert_eq!(
        (&endpoint["name"], &endpoint["contract"], &endpoint["authtype"]),
        (&json!(NAME), &json!(8), &json!(5))
    );
    assert_eq!(endpoint["url"], wanted().url.as_str());
    let value = endpoint["authvalue"].as_str().unwrap();
    assert_eq!(
        value,
        format!(r#"<settings><setting name="x-webhook-secret" value="{SECRET}" /></settings>"#)
    );
    let mut names: Vec<String> = steps(&world)
        .iter()
        .map(|step| step["name"].as_str().unwrap().replace(NAME, ""))
        .collect();
    names.sort();
    let of = |table: &str| ["Create", "Delete", "Update"].map(|message| format!(": {message} of {table}"));
    let mut all = [of("contact"), of("hlf_membership")].concat();
    all.sort();
    assert_eq!(names, all);
    for step in steps(&world) {
        let fixed = [
            ("mode", 1),
            ("stage", 40),
            ("rank", 1),
            ("supporteddeployment", 0),
            ("statecode", 0),
        ];
        for (column, value) in fixed {
            assert_eq!(step[column], json!(value), "{column}");
        }
        assert_eq!(step["asyncautodelete"], json!(true));
        assert_eq!(step["_eventhandler_value"], endpoint["serviceendpointid"]);
    }
}

#[tokio::test]
async fn a_subscription_that_is_asked_for_twice_is_registered_once() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let (rows, before) = ((endpoints(&world), steps(&world)), written(&world));
    assert_eq!(
        world.adapter().subscribe(&wanted()).await.unwrap(),
        Subscribed::Running
    );
    assert_eq!((endpoints(&world), steps(&world)), rows);
    assert_eq!(
        written(&world),
        before,
        "nothing is written where nothing differs"
    );
}

#[tokio::test]
async fn what_is_mapped_is_what_is_filtered() {
    let mut world = World::new(0).await;
    subscribe(&world).await;
    let (_, memberships) = step(&world, "Update of hlf_membership");
    assert_eq!(
        memberships["filteringattributes"],
        "hlf_contact,hlf_from,hlf_number,hlf_status,hlf_to,hlf_type,statecode"
    );
    for other in ["Create of contact", "Delete of contact"] {
        assert_eq!(step(&world, other).1["filteringattributes"], Value::Null);
    }
    world.settings["members"]["fields"] = json!({ "lastName": "lastname", "email": "emailaddress1" });
    assert_eq!(
        subscribe(&world).await,
        ["the step for updates of contact had other settings"]
    );
    let (_, contacts) = step(&world, "Update of contact");
    assert_eq!(
        contacts["filteringattributes"],
        "emailaddress1,hlf_memberno,lastname,statecode"
    );
}

#[tokio::test]
async fn columns_in_another_order_are_the_same_columns() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let (id, row) = step(&world, "Update of hlf_membership");
    let listed = row["filteringattributes"].as_str().unwrap();
    let turned: Vec<&str> = listed.split(',').rev().collect();
    let change = json!({ "filteringattributes": turned.join(", ") });
    world
        .simulation
        .edit_as_human("sdkmessageprocessingsteps", id, &change);
    assert!(subscribe(&world).await.is_empty());
}

#[tokio::test]
async fn a_step_that_somebody_disabled_is_enabled_again_and_told() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let (id, _) = step(&world, "Update of contact");
    let disabled = json!({ "rank": 7, "statecode": 1, "statuscode": 2 });
    world
        .simulation
        .edit_as_human("sdkmessageprocessingsteps", id, &disabled);
    assert_eq!(
        subscribe(&world).await,
        [
            "the step for updates of contact was disabled",
            "the step for updates of contact had other settings"
        ]
    );
    let (_, row) = step(&world, "Update of contact");
    assert_eq!((&row["statecode"], &row["rank"]), (&json!(0), &json!(1)));
    assert!(subscribe(&world).await.is_empty());
}

#[tokio::test]
async fn a_step_that_somebody_removed_is_made_again_and_told() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let (id, _) = step(&world, "Delete of hlf_membership");
    world.simulation.delete_as_human("sdkmessageprocessingsteps", id);
    assert_eq!(
        subscribe(&world).await,
        ["the step for deletions of hlf_membership was missing"]
    );
    assert_eq!(steps(&world).len(), 6);
}

#[tokio::test]
async fn a_step_for_what_is_not_mapped_any_more_is_removed() {
    let mut world = World::new(0).await;
    subscribe(&world).await;
    world.settings.as_object_mut().unwrap().remove("memberships");
    assert_eq!(subscribe(&world).await, ["a step that nobody needs was there"; 3]);
    assert_eq!(steps(&world).len(), 3);
    assert!(subscribe(&world).await.is_empty());
}

#[tokio::test]
async fn a_second_step_for_the_same_is_removed() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let (_, row) = step(&world, "Create of contact");
    let bound = |set: &str, column: &str| format!("/{set}({})", row[column].as_str().unwrap());
    let twin = json!({
        "name": "twin", "mode": 1, "stage": 40, "rank": 1, "supporteddeployment": 0, "asyncautodelete": true,
        "eventhandler_serviceendpoint@odata.bind": bound("serviceendpoints", "_eventhandler_value"),
        "sdkmessageid@odata.bind": bound("sdkmessages", "_sdkmessageid_value"),
        "sdkmessagefilterid@odata.bind": bound("sdkmessagefilters", "_sdkmessagefilterid_value"),
    });
    world
        .simulation
        .create_as_human("sdkmessageprocessingsteps", &twin);
    assert_eq!(subscribe(&world).await, ["a step that nobody needs was there"]);
    assert_eq!(steps(&world).len(), 6);
}

#[tokio::test]
async fn an_endpoint_that_leads_elsewhere_is_corrected_and_told() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let id = id(&endpoints(&world)[0], "serviceendpointid");
    let elsewhere = json!({
        "url": "https://elsewhere.example.org/", "authtype": 4, "authvalue": "another", "description": null,
    });
    world.simulation.edit_as_human("serviceendpoints", id, &elsewhere);
    assert_eq!(
        subscribe(&world).await,
        ["another address", "another kind of proof", "another secret"]
    );
    let endpoint = &endpoints(&world)[0];
    assert_eq!(endpoint["url"], wanted().url.as_str());
    assert!(endpoint["authvalue"].as_str().unwrap().contains(SECRET));
    assert!(subscribe(&world).await.is_empty());
}

#[tokio::test]
async fn a_changed_secret_is_written_once() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let mut wanted = wanted();
    wanted.secret = r#"<"another" & 'longer' secret>"#.into();
    let before = written(&world);
    assert_eq!(
        world.adapter().subscribe(&wanted).await.unwrap(),
        Subscribed::Mended(vec!["another secret".to_owned()])
    );
    assert_eq!(
        world.adapter().subscribe(&wanted).await.unwrap(),
        Subscribed::Running
    );
    assert_eq!(written(&world), before + 1);
    let person = member("1", json!({ "lastName": "Berg" }));
    push_one(&*world.adapter(), person).await.unwrap();
    let webhook = world.simulation.take_deliveries().remove(0);
    assert_eq!(
        webhook.headers["x-webhook-secret"],
        r#"<"another" & 'longer' secret>"#
    );
}

#[tokio::test]
async fn a_changed_header_is_a_changed_secret() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let mut wanted = wanted();
    wanted.header = Some("x-other".to_owned());
    let told = world.adapter().subscribe(&wanted).await.unwrap();
    assert_eq!(told, Subscribed::Mended(vec!["another secret".to_owned()]));
}

#[tokio::test]
async fn a_second_endpoint_of_the_same_name_is_removed_with_its_steps() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let oldest = id(&endpoints(&world)[0], "serviceendpointid");
    world.simulation.advance(jiff::SignedDuration::from_secs(5));
    let twin = json!({
        "name": NAME, "contract": 8, "url": "https://hooks.example.org/", "authtype": 4, "authvalue": "x",
    });
    let twin = world.simulation.create_as_human("serviceendpoints", &twin);
    let (moved, _) = step(&world, "Update of contact");
    let bind = json!({ "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({twin})") });
    world
        .simulation
        .edit_as_human("sdkmessageprocessingsteps", moved, &bind);
    assert_eq!(
        subscribe(&world).await,
        [
            "the step for updates of contact was missing",
            "a second endpoint of the same name was there"
        ]
    );
    let left = endpoints(&world);
    assert_eq!((left.len(), id(&left[0], "serviceendpointid")), (1, oldest));
    assert_eq!(steps(&world).len(), 6);
}

#[tokio::test]
async fn what_others_registered_is_left_alone() {
    let world = World::new(0).await;
    let other = json!({
        "name": NAME.to_lowercase(), "contract": 8, "url": "https://other.example.org/", "authtype": 4, "authvalue": "x",
    });
    world.simulation.create_as_human("serviceendpoints", &other);
    assert_eq!(subscribe(&world).await, ["missing"]);
    world.adapter().unsubscribe(NAME).await.unwrap();
    assert_eq!(endpoints(&world)[0]["url"], "https://other.example.org/");
}

#[tokio::test]
async fn unsubscribing_twice_is_no_error() {
    let world = World::new(0).await;
    world.adapter().unsubscribe(NAME).await.unwrap();
    subscribe(&world).await;
    for _ in 0..2 {
        world.adapter().unsubscribe(NAME).await.unwrap();
        assert_eq!((endpoints(&world).len(), steps(&world).len()), (0, 0));
    }
}

#[tokio::test]
async fn what_this_service_writes_is_told_with_its_tag_and_its_user() {
    let world = World::new(0).await;
    subscribe(&world).await;
    let change = member("1", json!({ "lastName": "Berg" }));
    push_one(&*world.adapter(), change).await.unwrap();
    let told = world.simulation.take_deliveries();
    assert_eq!(told.len(), 1);
    let body: Value = serde_json::from_str(&told[0].body).unwrap();
    assert_eq!(
        body["SharedVariables"],
        json!([{ "key": "tag", "value": "member-sync" }])
    );
    let row = &world.simulation.rows("contacts")[0];
    assert_eq!(body["InitiatingUserId"], row["_modifiedby_value"]);
    assert_eq!(body["PrimaryEntityId"], row["contactid"]);
}
