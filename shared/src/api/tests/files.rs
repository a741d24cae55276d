//! Files, as somebody has them who imports them by hand, or exports them.

use axum::body::Bytes;
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::world::{Answer, INTEGRATION, World, ask, integration};
use crate::api::Caller;
use crate::clock::Clock as _;
use crate::csv::Profile;
use crate::objects::{Link, sha256};
use crate::store::{Query, Table as Rows};
use crate::transfer::{File, Repeat, Table, close, collect, list_files};

/// An integration whose records travel by files.
const BY_FILES: &str = "/v1/organizations/hlf/integrations/consio";

const CANARY: &str = "Canary Personsen";
const CONTENT: &str = "\u{feff}Nr;E-post\r\n7;ola@example.org\r\n";

fn profile() -> Value {
    json!({
        "dialect": { "audience": "people" },
        "columns": [{ "name": "email", "header": "E-post", "type": "text", "maxLength": 60 }]
    })
}

fn upload_profile() -> Value {
    let mut profile = profile();
    let number = json!({ "name": "id", "header": "Nr", "type": "text", "required": true });
    profile["columns"].as_array_mut().unwrap().insert(0, number);
    profile
}

async fn by_files() -> World {
    let world = World::new();
    let answer = world.put(BY_FILES, &json!({ "settings": {} })).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    world
}

/// What a file is announced with.
pub(super) fn announcement() -> Value {
    json!({
        "purpose": "members",
        "profile": upload_profile(),
        "bytes": CONTENT.len(),
        "sha256": sha256(CONTENT.as_bytes()),
    })
}

fn path(file: &str) -> String {
    format!("{INTEGRATION}/files/{file}")
}

fn upload_path(file: &str) -> String {
    format!("{BY_FILES}/files/{file}")
}

fn id(answer: &Answer) -> String {
    answer.json()["fileId"].as_str().unwrap().to_owned()
}

/// Collects a row, and closes its file where that is asked for.
async fn out(world: &World, key: &str, closes: bool) -> File {
    let store = &*world.ports.store;
    let (purpose, rows) = (
        "members".parse().unwrap(),
        [(key.parse().unwrap(), json!({ "email": CANARY }))],
    );
    let placed = collect(
        store,
        &integration(),
        &purpose,
        Repeat::Never,
        &rows,
        world.clock.now(),
    )
    .await
    .unwrap();
    let table = Table::new(
        Profile::check(&profile()).unwrap(),
        "members".parse().unwrap(),
        None,
    );
    if closes {
        let (objects, file) = (&*world.objects, &placed[0].file);
        close(store, objects, &integration(), file, &table, world.clock.now())
            .await
            .unwrap();
    }
    let (files, _) = list_files(store, &integration(), None, 100).await.unwrap();
    files.into_iter().find(|file| file.id == placed[0].file).unwrap()
}

fn link(shown: &Value) -> Link {
    Link {
        url: shown["url"].as_str().unwrap().to_owned(),
        method: if shown["method"] == "PUT" { "PUT" } else { "GET" },
        headers: serde_json::from_value(shown["headers"].clone()).unwrap_or_default(),
        expires_at: shown["expiresAt"].as_str().unwrap().parse::<Timestamp>().unwrap(),
    }
}

#[tokio::test]
async fn a_file_that_is_ready_is_downloaded_imported_and_settled() {
    let world = World::connected().await;
    let file = out(&world, "1", true).await;
    let shown = world.get(&path(file.id.as_str())).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let json = shown.json();
    assert_eq!(
        (&json["state"], &json["rows"], &json["direction"]),
        (&json!("ready"), &json!(1), &json!("out"))
    );
    assert_eq!(json["sha256"], json!(file.sha256));
    assert!(!shown.body.contains("Canary"));
    let bytes = world
        .objects
        .follow(&link(&json["download"]), world.clock.now())
        .unwrap();
    assert!(std::str::from_utf8(&bytes).unwrap().contains(CANARY));
    let again = world
        .post(&format!("{}/download", path(file.id.as_str())), &json!({}))
        .await;
    assert!(again.json()["download"]["url"].is_string(), "{}", again.body);
    let decision = json!({ "decision": "imported", "reason": "batch 17" });
    for _ in 0..2 {
        let decided = world
            .post(&format!("{}/decision", path(file.id.as_str())), &decision)
            .await;
        assert_eq!(decided.status, 200, "{}", decided.body);
        assert_eq!(decided.json()["decided"]["reason"], "batch 17");
    }
    let other = json!({ "decision": "discarded", "reason": "no" });
    let other = world
        .post(&format!("{}/decision", path(file.id.as_str())), &other)
        .await;
    assert_eq!(
        (other.status.as_u16(), other.code()),
        (409, "file_unfit".to_owned())
    );
    assert!(other.body.contains("imported"), "{}", other.body);
}

#[tokio::test]
async fn a_caller_who_may_not_read_records_is_shown_a_file_without_a_link() {
    let world = World::connected().await;
    let file = out(&world, "1", true).await;
    let context = json!({
        "caller": "viewer",
        "organizations": "hlf",
        "scopes": "integration:read",
    });
    let caller = Caller::from_context(context.as_object().unwrap());
    let asked = ask(Method::GET, &path(file.id.as_str())).by(caller);
    let shown = world.answer(asked).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert_eq!(shown.json()["download"], Value::Null);
}

#[tokio::test]
async fn a_file_that_collects_has_no_link_and_cannot_be_closed_where_nothing_renders_it() {
    let world = World::connected().await;
    let file = out(&world, "1", false).await;
    let shown = world.get(&path(file.id.as_str())).await.json();
    assert_eq!(
        (&shown["state"], &shown["download"], &shown["bytes"]),
        (&json!("collecting"), &Value::Null, &Value::Null)
    );
    let closed = world
        .post(&format!("{}/download", path(file.id.as_str())), &json!({}))
        .await;
    assert_eq!(
        (closed.status.as_u16(), closed.code()),
        (409, "file_unfit".to_owned())
    );
}

#[tokio::test]
async fn files_are_listed_newest_first_page_by_page_and_by_state() {
    let world = World::connected().await;
    for key in 0..5 {
        out(&world, &key.to_string(), key % 2 == 0).await;
        world.clock.advance(std::time::Duration::from_secs(1));
    }
    let mut found = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = world.get(&format!("{INTEGRATION}/files{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let page = page.json();
        found.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["fileId"].clone()),
        );
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    // Two rows share a file: the odd ones are collected into what the next even one closes.
    assert_eq!(found.len(), 3);
    let mut sorted = found.clone();
    sorted.sort_by_key(|id| std::cmp::Reverse(id.as_str().unwrap().to_owned()));
    assert_eq!(found, sorted);
    for (state, count) in [("ready", 3), ("collecting", 0)] {
        let page = world
            .get(&format!("{INTEGRATION}/files?state={state}"))
            .await
            .json();
        assert_eq!(page["items"].as_array().unwrap().len(), count, "{state}");
    }
    for query in ["?state=x", "?state=ready&state=done", "?limit=0", "?other=1"] {
        assert_eq!(
            world.get(&format!("{INTEGRATION}/files{query}")).await.status,
            400,
            "{query}"
        );
    }
}

#[tokio::test]
async fn a_file_that_was_uploaded_is_accepted_and_its_link_is_answered_once() {
    let world = by_files().await;
    let post = || {
        ask(Method::POST, &format!("{BY_FILES}/files"))
            .json(&announcement())
            .key("k")
    };
    let announced = world.answer(post()).await;
    assert_eq!(announced.status, 201, "{}", announced.body);
    let again = world.answer(post()).await;
    assert_eq!(id(&again), id(&announced));
    assert_eq!(again.json()["upload"], Value::Null);
    let accept = format!("{}/accept", upload_path(&id(&announced)));
    let early = world.post(&accept, &json!({})).await;
    assert_eq!(
        (early.status.as_u16(), early.code()),
        (409, "file_not_uploaded".to_owned())
    );
    let upload = &announced.json()["upload"];
    let content_type = upload["headers"]["content-type"].as_str().unwrap();
    let now = world.clock.now();
    assert!(
        !world
            .objects
            .upload(&link(upload), content_type, Bytes::from("other"), now)
    );
    assert!(
        world
            .objects
            .upload(&link(upload), content_type, Bytes::from(CONTENT), now)
    );
    for _ in 0..2 {
        let accepted = world.post(&accept, &json!({})).await;
        assert_eq!(accepted.status, 200, "{}", accepted.body);
        let json = accepted.json();
        assert_eq!(
            (&json["state"], &json["rows"], &json["refusedRows"]),
            (&json!("accepted"), &json!(1), &json!(0))
        );
    }
}

#[tokio::test]
async fn an_upload_that_is_refused_says_where_it_is_wrong() {
    let world = by_files().await;
    let text = CONTENT.replace("E-post", "Navn");
    let mut body = announcement();
    body["sha256"] = sha256(text.as_bytes()).into();
    body["bytes"] = text.len().into();
    let announced = world.post(&format!("{BY_FILES}/files"), &body).await;
    let upload = &announced.json()["upload"];
    let content_type = upload["headers"]["content-type"].as_str().unwrap();
    let now = world.clock.now();
    assert!(
        world
            .objects
            .upload(&link(upload), content_type, Bytes::from(text), now)
    );
    let refused = world
        .post(&format!("{}/accept", upload_path(&id(&announced))), &json!({}))
        .await;
    assert_eq!(refused.json()["state"], "refused", "{}", refused.body);
    assert_eq!(refused.json()["faults"][0]["row"], 0);
    assert!(!refused.body.contains("ola@"));
}

#[tokio::test]
async fn an_announcement_or_decision_that_is_wrong_names_each_field() {
    let world = by_files().await;
    let wrong = json!({ "purpose": "members", "profile": {}, "bytes": 0, "sha256": "x" });
    let answer = world.post(&format!("{BY_FILES}/files"), &wrong).await;
    assert_eq!(answer.status, 400, "{}", answer.body);
    assert_eq!(answer.fields()[..2], ["bytes", "sha256"]);
    let mut wrong = announcement();
    wrong["profile"]["columns"] = json!([
        { "name": "email", "type": "date" }, { "name": "shoeSize", "type": "text" }, { "name": "deleted", "type": "text" },
    ]);
    let places = ["columns.0.type", "columns.1.name", "columns.2.type", "columns"];
    assert_eq!(
        world.post(&format!("{BY_FILES}/files"), &wrong).await.fields(),
        places.map(|place| format!("profile.{place}"))
    );
    let mut usual = announcement();
    usual.as_object_mut().unwrap().remove("profile");
    let announced = world.post(&format!("{BY_FILES}/files"), &usual).await;
    assert_eq!(announced.status, 201, "{}", announced.body);
    for nobody_reads in ["invoices", "Å"] {
        wrong["purpose"] = nobody_reads.into();
        assert_eq!(
            world.post(&format!("{BY_FILES}/files"), &wrong).await.fields(),
            ["purpose"]
        );
    }
    let mut wrong = announcement();
    wrong["purpose"] = "Å".into();
    assert_eq!(
        world.post(&format!("{BY_FILES}/files"), &wrong).await.fields(),
        ["purpose"]
    );
    let world = World::connected().await;
    let file = out(&world, "1", true).await;
    let wrong = json!({ "decision": "imported", "reason": " " });
    let answer = world
        .post(&format!("{}/decision", path(file.id.as_str())), &wrong)
        .await;
    assert_eq!(answer.fields(), ["reason"]);
}

#[tokio::test]
async fn the_status_says_how_many_files_wait_and_what_to_do() {
    let world = World::connected().await;
    let quiet = world.get(INTEGRATION).await.json();
    assert_eq!(quiet["files"], 0);
    let file = out(&world, "1", true).await;
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(
        (&status["files"], &status["filesSince"]),
        (&json!(1), &json!("2026-01-31T10:00:00Z"))
    );
    assert_eq!(status["health"]["level"], "attention");
    assert_eq!(
        status["health"]["cause"],
        "a file has waited for somebody since 2026-01-31"
    );
    let decision = json!({ "decision": "discarded", "reason": "no" });
    world
        .post(&format!("{}/decision", path(file.id.as_str())), &decision)
        .await;
    assert_eq!(world.get(INTEGRATION).await.json()["files"], 0);
}

#[tokio::test]
async fn what_is_disconnected_leaves_no_row_with_anything_of_a_person() {
    let world = World::connected().await;
    out(&world, "1", true).await;
    out(&world, "2", false).await;
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    let query = Query::new(Rows::Control, "hlf", "", 1000);
    let rows = world.ports.store.query(&query).await.unwrap().rows;
    assert!(rows.iter().all(|row| !row.body.contains("Canary")));
    let left = |prefix: &str| rows.iter().filter(|row| row.key.sort.starts_with(prefix)).count();
    assert_eq!((left("file-"), left("file#"), left("filed#")), (0, 2, 2));
}
