//! Webhooks: what can be registered, what is told, and how it is sent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tests::dataverse::schema::Table;
use tests::dataverse::{Delivered, Webhook};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

use crate::client::{Client, organization};

const HEADERS: &str = r#"<settings><setting name="x-secret" value="a&amp;b" /></settings>"#;

fn endpoint(url: &str) -> Value {
    json!({ "name": "one", "contract": 8, "authtype": 5, "authvalue": HEADERS, "url": url })
}

async fn find(client: &Client, set: &str, filter: &str) -> String {
    let rows = client.get(&format!("{set}?$filter={filter}")).await.rows();
    assert_eq!(rows.len(), 1, "{set} {filter}");
    let id = rows[0][format!("{}id", set.trim_end_matches('s'))].as_str();
    id.unwrap().to_owned()
}

/// Returns a step for a message of a table, as it is registered.
async fn step(client: &Client, endpoint: Uuid, message: &str, table: &str) -> Value {
    let message = find(client, "sdkmessages", &format!("name eq '{message}'")).await;
    let filter = format!("_sdkmessageid_value eq {message} and primaryobjecttypecode eq '{table}'");
    let filter = find(client, "sdkmessagefilters", &filter).await;
    json!({
        "name": "a step", "mode": 1, "stage": 40, "rank": 1, "supporteddeployment": 0, "asyncautodelete": true,
        "eventhandler_serviceendpoint@odata.bind": format!("/serviceendpoints({endpoint})"),
        "sdkmessageid@odata.bind": format!("/sdkmessages({message})"),
        "sdkmessagefilterid@odata.bind": format!("/sdkmessagefilters({filter})"),
    })
}

/// Registers a webhook for every message of contacts; updates only where these columns are written.
async fn registered(simulation: &Simulation, client: &Client, url: &str, columns: Option<&str>) -> Uuid {
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint(url));
    for message in ["Create", "Update", "Delete"] {
        let mut step = step(client, endpoint, message, "contact").await;
        if message == "Update" {
            step["filteringattributes"] = json!(columns);
        }
        let reply = client.post("sdkmessageprocessingsteps", &step).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
    }
    endpoint
}

fn body(webhook: &Webhook) -> Value {
    serde_json::from_str(&webhook.body).unwrap()
}

fn messages(simulation: &Simulation) -> Vec<String> {
    let told = simulation.take_deliveries();
    let message = |webhook: &Webhook| body(webhook)["MessageName"].as_str().unwrap().to_owned();
    told.iter().map(message).collect()
}

/// Returns the value of an attribute of the row that a webhook tells of.
fn attribute(webhook: &Webhook, name: &str) -> Option<Value> {
    let body = body(webhook);
    let attributes = body["InputParameters"][0]["value"]["Attributes"]
        .as_array()
        .unwrap();
    let found = attributes.iter().find(|attribute| attribute["key"] == name)?;
    Some(found["value"].clone())
}

#[tokio::test]
async fn a_secret_is_written_and_not_read() {
    let (simulation, client) = organization(0).await;
    let made = client
        .post("serviceendpoints", &endpoint("https://example.org/"))
        .await;
    assert_eq!(made.status, 204);
    let rows = client.get("serviceendpoints").await.rows();
    assert_eq!(rows[0]["name"], "one");
    assert!(rows[0].get("authvalue").is_none());
    for query in [
        "$select=authvalue",
        "$filter=authvalue eq 'x'",
        "$orderby=authvalue",
    ] {
        assert_eq!(
            client.get(&format!("serviceendpoints?{query}")).await.status,
            400,
            "{query}"
        );
    }
    assert_eq!(simulation.rows("serviceendpoints")[0]["authvalue"], HEADERS);
}

#[tokio::test]
async fn what_is_no_webhook_is_refused() {
    let (_simulation, client) = organization(0).await;
    for (column, value, status) in [
        ("name", json!(null), 400),
        ("contract", json!(null), 400),
        ("contract", json!(99), 400),
        ("contract", json!(7), 501),
        ("url", json!("nowhere"), 400),
        ("url", json!(null), 400),
        ("authtype", json!(null), 400),
        ("authtype", json!(2), 400),
        ("authvalue", json!(null), 400),
        ("authvalue", json!("x-secret: a"), 400),
        ("authvalue", json!("x".repeat(2049)), 400),
        ("isauthvalueset", json!(true), 400),
    ] {
        let mut body = endpoint("https://example.org/");
        body[column] = value;
        let reply = client.post("serviceendpoints", &body).await;
        assert_eq!(reply.status, status, "{column}: {}", reply.text());
    }
    assert!(client.get("serviceendpoints").await.rows().is_empty());
}

#[tokio::test]
async fn what_is_no_step_is_refused() {
    let (simulation, client) = organization(0).await;
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint("https://example.org/"));
    let good = step(&client, endpoint, "Update", "contact").await;
    let deletion = step(&client, endpoint, "Delete", "contact").await;
    for (column, value, status) in [
        ("name", json!(null), 400),
        ("mode", json!(0), 501),
        ("stage", json!(20), 400),
        ("rank", json!(null), 400),
        ("supporteddeployment", json!(3), 400),
        ("filteringattributes", json!("firstname,nowhere"), 400),
        ("statecode", json!(1), 400),
        (
            "sdkmessageid@odata.bind",
            deletion["sdkmessageid@odata.bind"].clone(),
            400,
        ),
        ("sdkmessagefilterid@odata.bind", json!(null), 400),
        ("eventhandler_serviceendpoint@odata.bind", json!(null), 400),
        (
            "eventhandler_serviceendpoint@odata.bind",
            deletion["sdkmessageid@odata.bind"].clone(),
            400,
        ),
        (
            "eventhandler@odata.bind",
            good["eventhandler_serviceendpoint@odata.bind"].clone(),
            400,
        ),
    ] {
        let mut body = good.clone();
        body[column] = value;
        let reply = client.post("sdkmessageprocessingsteps", &body).await;
        assert_eq!(reply.status, status, "{column}: {}", reply.text());
    }
    let made = client.post("sdkmessageprocessingsteps", &good).await;
    assert_eq!(made.status, 204, "{}", made.text());
}

#[tokio::test]
async fn messages_are_the_platform_s_own() {
    let (_simulation, client) = organization(0).await;
    let message = find(&client, "sdkmessages", "name eq 'Create'").await;
    let made = client.post("sdkmessages", &json!({ "name": "Invent" })).await;
    assert_eq!((made.status, made.code().as_str()), (405, "0x80040800"));
    let gone = client.delete(&format!("sdkmessages({message})")).await;
    assert_eq!((gone.status, gone.code().as_str()), (405, "0x80040800"));
}

#[tokio::test]
async fn an_endpoint_with_steps_is_not_deleted() {
    let (simulation, client) = organization(0).await;
    let endpoint = registered(&simulation, &client, "https://example.org/", None).await;
    let path = format!("serviceendpoints({endpoint})");
    let reply = client.delete(&path).await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "0x8004f01f"));
    for step in simulation.rows("sdkmessageprocessingsteps") {
        let id = step["sdkmessageprocessingstepid"].as_str().unwrap();
        assert_eq!(
            client
                .delete(&format!("sdkmessageprocessingsteps({id})"))
                .await
                .status,
            204
        );
    }
    assert_eq!(client.delete(&path).await.status, 204);
}

#[tokio::test]
async fn every_way_to_write_is_told() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    let id = client.contact(&json!({ "lastname": "Berg" })).await;
    client
        .patch(&format!("contacts({id})"), &json!({ "lastname": "Lie" }))
        .await;
    client
        .patch("contacts(hlf_memberno='1')", &json!({ "lastname": "Ny" }))
        .await;
    client.delete(&format!("contacts({id})")).await;
    assert_eq!(messages(&simulation), ["Create", "Update", "Create", "Delete"]);
    let one = simulation.create_as_human("contacts", &json!({ "lastname": "A" }));
    let other = simulation.create_as_human("contacts", &json!({ "lastname": "B" }));
    simulation.edit_as_human("contacts", one, &json!({ "lastname": "C" }));
    simulation.merge_as_human(one, other);
    simulation.delete_as_human("contacts", other);
    assert_eq!(
        messages(&simulation),
        ["Create", "Create", "Update", "Update", "Delete"]
    );
    simulation.create_as_human("hlf_memberships", &json!({ "hlf_number": "1" }));
    assert!(messages(&simulation).is_empty(), "no step is for memberships");
}

#[tokio::test]
async fn only_columns_that_a_step_looks_at_are_told() {
    let (simulation, client) = organization(0).await;
    registered(
        &simulation,
        &client,
        "https://example.org/",
        Some("lastname,statecode"),
    )
    .await;
    let id = simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
    simulation.take_deliveries();
    simulation.edit_as_human("contacts", id, &json!({ "mobilephone": "+4790000000" }));
    assert!(messages(&simulation).is_empty(), "nobody looks at this column");
    simulation.edit_as_human(
        "contacts",
        id,
        &json!({ "lastname": "Berg", "mobilephone": null }),
    );
    assert_eq!(
        messages(&simulation),
        ["Update"],
        "written is told, whether changed or not"
    );
    simulation.edit_as_human("contacts", id, &json!({ "statecode": 1 }));
    assert_eq!(messages(&simulation), ["Update"]);
}

#[tokio::test]
async fn a_disabled_step_tells_nothing() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    for step in simulation.rows("sdkmessageprocessingsteps") {
        let id = step["sdkmessageprocessingstepid"].as_str().unwrap();
        let reply = client
            .patch(
                &format!("sdkmessageprocessingsteps({id})"),
                &json!({ "statecode": 1, "statuscode": 2 }),
            )
            .await;
        assert_eq!(reply.status, 204);
    }
    client.contact(&json!({ "lastname": "Berg" })).await;
    assert!(simulation.take_deliveries().is_empty());
}

#[tokio::test]
async fn what_is_rolled_back_is_told_to_nobody() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/", None).await;
    let part = |id: u32, name: &str| {
        format!(
            "--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: {id}\r\n\r\n\
             POST /api/data/v9.2/contacts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n\
             {{\"lastname\":\"{name}\"}}\r\n"
        )
    };
    let batch = |second: &str| {
        let (first, second) = (part(1, "Berg"), part(2, second));
        format!("--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n{first}{second}--c--\r\n--b--\r\n")
    };
    client.batch(&[], &batch(&"x".repeat(51))).await;
    assert!(messages(&simulation).is_empty());
    client.batch(&[], &batch("Lie")).await;
    assert_eq!(messages(&simulation), ["Create", "Create"]);
}

#[tokio::test]
async fn a_webhook_says_what_happened_and_who_did_it() {
    let (simulation, client) = organization(0).await;
    registered(&simulation, &client, "https://example.org/hook?a=1", None).await;
    let contact =
        json!({ "lastname": "Berg", "birthdate": "1980-02-29", "gendercode": 2, "donotemail": true });
    let id = client.contact(&contact).await;
    let changes = json!({ "lastname": null, "firstname": "A/B" });
    client
        .patch(&format!("contacts({id})?tag=member-sync"), &changes)
        .await;
    client.delete(&format!("contacts({id})")).await;
    let told = simulation.take_deliveries();
    let [created, updated, deleted] = &told[..] else {
        panic!("three things happened")
    };
    assert_eq!(created.url.as_str(), "https://example.org/hook?a=1");
    for (name, value) in [
        ("x-secret", "a&b"),
        ("x-ms-dynamics-organization", "127.0.0.1"),
        ("x-ms-dynamics-entity-name", "contact"),
        ("x-ms-dynamics-request-name", "Create"),
    ] {
        assert_eq!(created.headers[name], value);
    }
    assert!(!created.headers.contains_key("x-ms-dynamics-msg-size-exceeded"));
    let type_of = |kind: &str| format!("{kind}:http://schemas.microsoft.com/xrm/2011/Contracts");
    assert_eq!(attribute(created, "lastname"), Some(json!("Berg")));
    assert_eq!(
        attribute(created, "birthdate"),
        Some(json!("/Date(320630400000)/"))
    );
    assert_eq!(
        attribute(created, "gendercode"),
        Some(json!({ "__type": type_of("OptionSetValue"), "Value": 2 }))
    );
    assert_eq!(attribute(created, "donotemail"), Some(json!(true)));
    assert_eq!(
        attribute(created, "createdby").unwrap()["LogicalName"],
        "systemuser"
    );
    assert!(created.body.contains(r"\/Date("), "slashes are escaped");

    assert_eq!(attribute(updated, "lastname"), Some(Value::Null));
    assert_eq!(attribute(updated, "firstname"), Some(json!("A/B")));
    assert_eq!(attribute(updated, "birthdate"), None, "only what was written");
    assert!(attribute(updated, "modifiedon").is_some());
    assert_eq!(
        body(updated)["SharedVariables"],
        json!([{ "key": "tag", "value": "member-sync" }])
    );
    assert_eq!(body(created)["SharedVariables"], json!([]));

    let target = &body(deleted)["InputParameters"][0]["value"];
    assert_eq!(
        (&target["__type"], &target["Id"]),
        (&json!(type_of("EntityReference")), &json!(id))
    );
    let me = client.get("WhoAmI").await.json();
    for webhook in &told {
        let body = body(webhook);
        assert_eq!(body["PrimaryEntityId"], json!(id));
        assert_eq!(body["InitiatingUserId"], me["UserId"]);
        assert_eq!(body["OrganizationId"], me["OrganizationId"]);
        assert_eq!(
            webhook.headers["x-ms-correlation-request-id"],
            body["CorrelationId"].as_str().unwrap()
        );
        assert_eq!(
            (&body["Stage"], &body["Depth"], &body["Mode"]),
            (&json!(40), &json!(1), &json!(1))
        );
    }
    assert_ne!(body(created)["OperationId"], body(updated)["OperationId"]);
}

#[tokio::test]
async fn a_large_body_is_stripped_and_says_so() {
    let simulation = Simulation::start(SimulationConfig {
        tables: vec![Table::new("hlf_note", "hlf_notes").text("hlf_text", 300_000)],
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation).await;
    let endpoint = simulation.create_as_human("serviceendpoints", &endpoint("https://example.org/"));
    let step = step(&client, endpoint, "Create", "hlf_note").await;
    simulation.create_as_human("sdkmessageprocessingsteps", &step);
    for (length, exceeded) in [(100_000, false), (270_000, true)] {
        simulation.create_as_human("hlf_notes", &json!({ "hlf_text": "x".repeat(length) }));
        let webhook = simulation.take_deliveries().remove(0);
        assert_eq!(
            webhook.headers.contains_key("x-ms-dynamics-msg-size-exceeded"),
            exceeded
        );
        for member in [
            "ParentContext",
            "InputParameters",
            "PreEntityImages",
            "PostEntityImages",
        ] {
            assert_eq!(body(&webhook).get(member).is_none(), exceeded, "{member}");
        }
        assert_eq!(body(&webhook)["PrimaryEntityName"], "hlf_note");
        assert!(webhook.body.len() < 256 * 1024);
    }
}

/// Somebody who gets webhooks and answers as told.
struct Receiver {
    url: String,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    /// The answers, the last first; 0 is none for a second.
    answers: Vec<u16>,
    got: Vec<(HeaderMap, String)>,
}

impl Receiver {
    async fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, script }
    }

    fn answers(&self, answers: &[u16]) {
        self.script.lock().unwrap().answers = answers.iter().rev().copied().collect();
    }

    fn take(&self) -> Vec<(HeaderMap, String)> {
        std::mem::take(&mut self.script.lock().unwrap().got)
    }
}

async fn answer(State(script): State<Arc<Mutex<Script>>>, headers: HeaderMap, body: String) -> StatusCode {
    let status = {
        let mut script = script.lock().unwrap();
        script.got.push((headers, body));
        script.answers.pop().unwrap()
    };
    if status == 0 {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    StatusCode::from_u16(status).unwrap_or(StatusCode::OK)
}

async fn told(receiver: &Receiver) -> (Simulation, Client) {
    let simulation = Simulation::start(SimulationConfig {
        webhook_timeout: Duration::from_millis(300),
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation).await;
    registered(&simulation, &client, &receiver.url, None).await;
    (simulation, client)
}

#[tokio::test]
async fn one_more_attempt_is_made_and_only_where_it_may_help() {
    let receiver = Receiver::start().await;
    let (simulation, _) = told(&receiver).await;
    let mut sum = Delivered::default();
    for (answers, accepted) in [
        (&[200_u16][..], true),
        (&[204], true),
        (&[202], true),
        (&[503, 200], true),
        (&[502, 204], true),
        (&[504, 200], true),
        (&[503, 503], false),
        (&[502, 500], false),
        (&[500], false),
        (&[501], false),
        (&[400], false),
        (&[401], false),
        (&[404], false),
        (&[429], false),
        (&[301], false),
        (&[0], false),
        (&[503, 0], false),
    ] {
        receiver.answers(answers);
        simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
        let delivered = simulation.deliver().await;
        let expected = Delivered {
            accepted: u64::from(accepted),
            failed: u64::from(!accepted),
            attempts: answers.len() as u64,
        };
        assert_eq!(delivered, expected, "{answers:?}");
        assert_eq!(receiver.take().len(), answers.len(), "{answers:?}");
        sum.accepted += delivered.accepted;
        sum.failed += delivered.failed;
    }
    assert_eq!(
        simulation.deliver().await,
        Delivered::default(),
        "nothing is left"
    );
    let counters = simulation.counters();
    assert_eq!(
        (counters.webhooks_delivered, counters.webhooks_failed),
        (sum.accepted, sum.failed)
    );
}

#[tokio::test]
async fn an_attempt_is_the_same_webhook_again() {
    let receiver = Receiver::start().await;
    let (simulation, client) = told(&receiver).await;
    receiver.answers(&[503, 200]);
    client.contact(&json!({ "lastname": "Berg" })).await;
    simulation.deliver().await;
    let got = receiver.take();
    assert_eq!(got[0].1, got[1].1);
    for (headers, _) in &got {
        assert_eq!(headers["x-secret"], "a&b");
        assert_eq!(headers["x-ms-dynamics-request-name"], "Create");
        assert_eq!(headers["content-type"], "application/json; charset=utf-8");
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_given_up() {
    let receiver = Receiver::start().await;
    let (simulation, _) = told(&receiver).await;
    let nowhere = json!({ "url": "http://127.0.0.1:1/hook" });
    for endpoint in simulation.rows("serviceendpoints") {
        let id = endpoint["serviceendpointid"].as_str().unwrap().parse().unwrap();
        simulation.edit_as_human("serviceendpoints", id, &nowhere);
    }
    simulation.create_as_human("contacts", &json!({ "lastname": "Berg" }));
    let expected = Delivered {
        accepted: 0,
        failed: 1,
        attempts: 1,
    };
    assert_eq!(simulation.deliver().await, expected);
}

#[tokio::test]
async fn webhooks_are_sent_by_themselves_where_that_is_wanted() {
    let receiver = Receiver::start().await;
    let (simulation, client) = told(&receiver).await;
    receiver.answers(&[200, 200, 200]);
    let enough = async {
        for name in ["A", "B", "C"] {
            client.contact(&json!({ "lastname": name })).await;
        }
        while simulation.counters().webhooks_delivered < 3 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::select! {
        () = simulation.keep_delivering() => {}
        () = enough => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => panic!("nothing was sent"),
    }
    assert_eq!(receiver.take().len(), 3);
}

#[tokio::test]
async fn a_key_and_a_query_show_the_secret_in_the_address() {
    let (simulation, client) = organization(0).await;
    let id = registered(&simulation, &client, "https://example.org/hook", None).await;
    for (change, url) in [
        (
            json!({ "authtype": 4, "authvalue": "a b" }),
            "https://example.org/hook?code=a+b",
        ),
        (
            json!({ "authtype": 6, "authvalue": HEADERS }),
            "https://example.org/hook?x-secret=a%26b",
        ),
    ] {
        simulation.edit_as_human("serviceendpoints", id, &change);
        client.contact(&json!({ "lastname": "Berg" })).await;
        let webhook = simulation.take_deliveries().remove(0);
        assert_eq!(webhook.url.as_str(), url);
        assert!(!webhook.headers.contains_key("x-secret"));
    }
}
