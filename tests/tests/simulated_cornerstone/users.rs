//! Users, and the endpoints before the Transcript API.

use http::Method;
use serde_json::{Value, json};
use tests::cornerstone::Status;

use crate::client::{Client, Reply};

const EMPLOYEES: &str = "services/api/x/users/v2/employees";

async fn in_json(client: &Client, path: &str) -> Reply {
    let accept = [("accept", "application/json")];
    client
        .ask(Method::GET, &format!("services/api/{path}"), &accept, None)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_user_is_found_by_what_the_organization_calls_it_or_by_number() {
    let client = Client::new().await;
    client.course();
    for path in ["?externalId=kari", "/1"] {
        let reply = client.get(&format!("{EMPLOYEES}{path}")).await;
        let user = &reply.json()["data"];
        assert_eq!(
            (reply.status, &user["id"], &user["externalId"]),
            (200, &json!(1), &json!("kari")),
            "{path}"
        );
        assert_eq!(
            (&user["workerStatus"]["active"], &user["ous"]),
            (&json!(true), &json!([]))
        );
    }
    for path in ["?externalId=nobody", "/2"] {
        assert_eq!(
            client.get(&format!("{EMPLOYEES}{path}")).await.message(),
            "record not found"
        );
    }
    assert_eq!(client.get(&format!("{EMPLOYEES}/kari")).await.status, 400);
}

#[tokio::test]
async fn users_are_listed_by_number_and_in_pages() {
    let client = Client::new().await;
    client.portal().seed("u", 120, 0, 0, 1);
    let list = async |query: &str| client.get(&format!("{EMPLOYEES}{query}")).await.json();
    let some = list("?ids=3,7,999").await;
    let ids: Vec<&Value> = some["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| &user["id"])
        .collect();
    assert_eq!(ids, [&json!(3), &json!(7)]);
    assert_eq!(list("").await["data"].as_array().unwrap().len(), 100);
    let second = list("?page=2").await;
    assert_eq!(
        (second["data"].as_array().unwrap().len(), &second["totalRecords"]),
        (20, &json!(120))
    );
}

#[tokio::test]
async fn an_old_endpoint_answers_in_xml_unless_json_is_asked_for() {
    let client = Client::new().await;
    let object = client.course();
    client
        .portal()
        .change_learning_object(object, |object| object.title = "Fisk & <vilt>".to_owned());
    client.portal().enrol("kari", object, Status::InProgress);
    let path = "TranscriptAndTask/Transcript?UserId=kari";
    let xml = client.get(&format!("services/api/{path}")).await;
    assert!(xml.header("content-type").starts_with("application/xml") && xml.json().is_null());
    assert!(
        xml.text.contains("<Title>Fisk &amp; &lt;vilt&gt;</Title>"),
        "{}",
        xml.text
    );
    let json = in_json(&client, path).await;
    assert!(json.header("content-type").starts_with("application/json"));
    let line = &json.json()["data"][0]["Transcripts"][0];
    assert_eq!(
        (&line["Status"], &line["LoId"]),
        (&json!("In Progress"), &json!(object))
    );
    let begun = line["LastAccessDate"].as_str().unwrap();
    assert!(begun.len() == 24 && begun.ends_with("+0000"), "{begun}");
}

#[tokio::test]
async fn an_old_transcript_has_fifty_lines_a_page_and_neither_archived_nor_removed_ones() {
    let client = Client::new().await;
    client.portal().seed("u", 1, 60, 60, 1);
    let page = async |query: &str| {
        let reply = in_json(&client, &format!("TranscriptAndTask/Transcript?UserId=u1{query}")).await;
        let body = reply.json();
        (
            body["data"][0]["Transcripts"].as_array().unwrap().len(),
            body["totalRecords"].as_u64().unwrap(),
        )
    };
    assert_eq!(
        (page("").await, page("&PageNumber=2").await),
        ((50, 60), (10, 60))
    );
    assert_eq!(page("&PageNumber=3").await, (0, 60));
    let objects = client.portal().learning_objects();
    client
        .portal()
        .change_registration("u1", objects[0].id, |line| line.archived = true);
    client
        .portal()
        .change_registration("u1", objects[1].id, |line| line.removed = true);
    assert_eq!(page("&PageNumber=2").await, (8, 58));
    let begun = client
        .portal()
        .registrations()
        .iter()
        .filter(|line| line.status == Status::InProgress)
        .count();
    assert!(begun > 2);
    assert!(page("&InprogressOnly=true").await.1 as usize <= begun);
    assert_eq!(
        page("&Status=In%20Progress").await,
        page("&InprogressOnly=true").await
    );
}

#[tokio::test]
async fn an_old_transcript_is_of_an_active_user() {
    let client = Client::new().await;
    client.course();
    client.portal().change_user("kari", |user| user.active = false);
    let reply = in_json(&client, "TranscriptAndTask/Transcript?UserId=kari").await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (404, "record not found")
    );
    assert_eq!(
        client.transcript("overview?externalId=kari").await.status,
        200,
        "the new one is not so"
    );
}

#[tokio::test]
async fn a_learning_object_tells_its_title_and_its_type() {
    let client = Client::new().await;
    let object = client.course();
    let reply = in_json(&client, &format!("LO/GetDetails?ObjectID={object}&ActorID=kari")).await;
    let item = &reply.json()["data"][0]["trainingItem"];
    assert_eq!(
        (&item["Title"], &item["Type"]),
        (&json!("Førstehjelp"), &json!("Online Class"))
    );
    assert_eq!(in_json(&client, "LO/GetDetails?ObjectID=x").await.status, 400);
}
