//! The transcript of one user.

use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::cornerstone::{Author, Repeated, Status, TrainingType};
use uuid::Uuid;

use crate::client::Client;

async fn status(client: &Client, object: Uuid) -> Value {
    let reply = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    assert_eq!(reply.json()["status"], "success", "{}", reply.text);
    reply.json()["data"]["status"].clone()
}

#[tokio::test]
async fn an_assignment_is_on_the_transcript_at_once() {
    for (assignment, expected) in [
        ("registered", "Registered"),
        ("approved", "Approved"),
        ("assigned", "PendingApproval"),
    ] {
        let client = Client::new().await;
        let object = client.course();
        let reply = client
            .write("assign", object, json!({ "assignment": assignment }))
            .await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("success")));
        assert!(reply.json().get("error").is_none(), "a success has no error");
        assert_eq!(status(&client, object).await, expected);
        assert_eq!(client.portal().api_writes(), 1);
    }
}

#[tokio::test]
async fn a_line_tells_what_a_public_client_reads() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    client.write("complete", object, json!({ "score": 80 })).await;
    let reply = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    let line = &reply.json()["data"];
    for (member, expected) in [
        ("externalId", json!("kari")),
        ("learningObjectId", json!(object)),
        ("learningTitle", json!("Førstehjelp")),
        ("trainingType", json!("OnlineClass")),
        ("registrationNumber", json!(1)),
        ("isGreatestRegistrationNumber", json!(true)),
        ("status", json!("Completed")),
        ("statusGroup", json!("Completed")),
        ("score", json!(80)),
        ("passed", json!(true)),
        ("dueDate", json!(null)),
    ] {
        assert_eq!(line[member], expected, "{member}");
    }
    let completed = line["completedDate"].as_str().unwrap();
    assert!(
        completed.ends_with("+0000"),
        "an offset without a colon: {completed}"
    );
}

#[tokio::test]
async fn steps_follow_one_another() {
    let client = Client::new().await;
    let object = client.course();
    client
        .write("assign", object, json!({ "assignment": "approved" }))
        .await;
    for (action, reached) in [
        ("complete", None),
        ("register", Some("Registered")),
        ("register", None),
        ("in-progress", Some("InProgress")),
        ("complete", Some("Completed")),
        ("complete", None),
        ("withdraw", None),
        ("update", Some("Completed")),
    ] {
        let reply = client.write(action, object, json!({})).await;
        match reached {
            Some(reached) => assert_eq!(
                (reply.status, status(&client, object).await),
                (200, json!(reached))
            ),
            None => assert_eq!(reply.status, 400, "{action}: {}", reply.text),
        }
    }
    assert_eq!(client.portal().api_writes(), 5, "what is refused changes nothing");
}

#[tokio::test]
async fn users_are_withdrawn_from_sessions_only() {
    let client = Client::new().await;
    client.course();
    let session = client
        .portal()
        .add_learning_object("Kurskveld", TrainingType::Session)
        .id;
    client.assign(session).await;
    assert_eq!(client.write("withdraw", session, json!({})).await.status, 200);
    assert_eq!(status(&client, session).await, "Withdrawn");
    assert_eq!(client.assign(session).await.status, 200, "and may come back");
    let registration = client.portal().registration("kari", session).unwrap();
    assert_eq!(
        (registration.number, registration.status),
        (2, Status::Registered)
    );
}

#[tokio::test]
async fn what_is_not_there_is_a_record_that_is_not_found() {
    let client = Client::new().await;
    let object = client.course();
    let nowhere = Uuid::new_v4();
    for reply in [
        client.transcript("overview?externalId=nobody").await,
        client
            .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
            .await,
        client
            .transcript(&format!("details?externalId=kari&learningObjectId={nowhere}"))
            .await,
        client.write("register", object, json!({})).await,
        client
            .write("assign", nowhere, json!({ "assignment": "registered" }))
            .await,
        client
            .write(
                "assign",
                object,
                json!({ "assignment": "registered", "externalId": "nobody" }),
            )
            .await,
    ] {
        assert_eq!(
            (reply.status, reply.message().as_str()),
            (404, "record not found")
        );
    }
    client.portal().change(|settings| settings.refusals_in_200 = true);
    let reply = client.write("register", object, json!({})).await;
    assert_eq!(
        (reply.status, reply.message().as_str()),
        (200, "record not found")
    );
    assert_eq!(reply.json()["status"], "404");
}

#[tokio::test]
async fn a_request_that_is_not_whole_is_refused() {
    let client = Client::new().await;
    let object = client.course();
    for query in [
        "overview",
        "details?externalId=kari",
        "details?externalId=kari&learningObjectId=1",
    ] {
        assert_eq!(client.transcript(query).await.status, 400, "{query}");
    }
    for more in [
        json!({}),
        json!({ "assignment": "maybe" }),
        json!({ "learningObjectId": "x" }),
        json!({ "externalId": null }),
    ] {
        assert_eq!(client.write("assign", object, more).await.status, 400);
    }
    client.assign(object).await;
    for more in [
        json!({ "score": 101 }),
        json!({ "completionDate": "2999-01-01T00:00:00Z" }),
        json!({ "score": "80" }),
    ] {
        assert_eq!(client.write("complete", object, more).await.status, 400);
    }
    let path = "services/api/v1/transcripts/register";
    let plain = [("content-type", "text/plain")];
    assert_eq!(
        client
            .ask(Method::PATCH, path, &plain, None)
            .await
            .unwrap()
            .status,
        415
    );
    assert_eq!(client.portal().api_writes(), 1);
}

#[tokio::test]
async fn nobody_is_assigned_what_is_not_active_and_nothing_who_is_not() {
    let client = Client::new().await;
    let object = client.course();
    client
        .portal()
        .change_learning_object(object, |object| object.active = false);
    assert_eq!(client.assign(object).await.status, 400);
    client
        .portal()
        .change_learning_object(object, |object| object.active = true);
    client.portal().change_user("kari", |user| user.active = false);
    assert_eq!(client.assign(object).await.status, 400);
    assert!(client.portal().registrations().is_empty());
}

#[tokio::test]
async fn a_second_assignment_is_what_the_portal_makes_of_it() {
    for (repeated, status, registrations) in [
        (Repeated::Refused, 400, 1),
        (Repeated::Ignored, 200, 1),
        (Repeated::Registered, 200, 2),
    ] {
        let client = Client::new().await;
        let object = client.course();
        client
            .portal()
            .change(|settings| settings.repeated_assignment = repeated);
        client.assign(object).await;
        assert_eq!(client.assign(object).await.status, status);
        assert_eq!(
            client.portal().registrations().len(),
            registrations,
            "{repeated:?}"
        );
        assert_eq!(client.portal().api_writes(), registrations);
    }
}

#[tokio::test]
async fn what_is_done_is_taken_again_where_it_recurs() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().enrol("kari", object, Status::Completed);
    assert_eq!(client.assign(object).await.status, 400);
    client
        .portal()
        .change_learning_object(object, |object| object.recurs = true);
    assert_eq!(client.assign(object).await.status, 200);
    assert_eq!(client.portal().registration("kari", object).unwrap().number, 2);
}

#[tokio::test]
async fn comments_and_custom_fields_are_kept() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    let more = json!({ "comment": "Møtte", "customFields": [{ "name": "refusjon", "values": ["4711"] }] });
    assert_eq!(client.write("update", object, more.clone()).await.status, 200);
    let key = format!("externalId=kari&learningObjectId={object}");
    let details = client.transcript(&format!("details?{key}")).await;
    assert_eq!(details.json()["data"]["comment"], "Møtte");
    let fields = client.transcript(&format!("custom-fields?{key}")).await;
    assert_eq!(fields.json()["data"], more["customFields"]);
}

#[tokio::test]
async fn an_overview_shows_what_is_asked_for() {
    let client = Client::new().await;
    let done = client.course();
    let video = client
        .portal()
        .add_learning_object("Film", TrainingType::Video)
        .id;
    let (hidden, gone) = (
        client
            .portal()
            .add_learning_object("Gammelt", TrainingType::Material)
            .id,
        Uuid::new_v4(),
    );
    client.portal().enrol("kari", done, Status::Completed);
    client.portal().enrol("kari", video, Status::PendingApproval);
    client.portal().enrol("kari", hidden, Status::Completed);
    client
        .portal()
        .change_registration("kari", hidden, |line| line.archived = true);
    let shown = async |query: &str| {
        let reply = client
            .transcript(&format!("overview?externalId=kari{query}"))
            .await;
        let ids: Vec<Value> = reply.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|line| line["learningTitle"].clone())
            .collect();
        ids.len()
    };
    assert_eq!(shown("").await, 2);
    assert_eq!(shown("&includeArchived=true").await, 3);
    assert_eq!(shown("&statusGroups=Completed").await, 1);
    assert_eq!(shown("&statusGroups=NotStarted,InProgress").await, 1);
    assert_eq!(shown("&status=PendingApproval").await, 1);
    assert_eq!(
        shown("&trainingType=Video,Material&includeArchived=true").await,
        2
    );
    client
        .portal()
        .change_registration("kari", video, |line| line.removed = true);
    assert_eq!(shown("&includeArchived=true").await, 2);
    assert!(client.portal().registration("kari", gone).is_none());
}

#[tokio::test]
async fn one_record_comes_in_a_list_where_the_portal_has_it_so() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    client.portal().change(|settings| settings.lists_of_one = true);
    let reply = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    assert_eq!(reply.json()["data"][0]["status"], "Registered");
    let reply = client
        .get("services/api/x/users/v2/employees?externalId=kari")
        .await;
    assert_eq!(reply.json()["data"][0]["externalId"], "kari");
}

#[tokio::test]
async fn the_portal_keeps_a_list_of_who_changed_what() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    client.simulation.advance(SignedDuration::from_mins(1));
    client.portal().advance("kari", object, Status::InProgress);
    let writes = client.portal().writes();
    let told: Vec<_> = writes
        .iter()
        .map(|write| (write.by, write.action, write.status))
        .collect();
    assert_eq!(
        told,
        [
            (Author::Api, "assign", Status::Registered),
            (Author::Human, "change", Status::InProgress)
        ]
    );
    assert!(writes[0].at < writes[1].at && writes[0].external_id == "kari");
}
