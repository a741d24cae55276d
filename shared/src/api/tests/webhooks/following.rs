//! Rows that webhooks hint at, beside runs and other webhooks.

use std::time::Duration;

use http::Method;
use serde_json::json;

use super::{Hook, OTHER, ROW, open};
use crate::api::tests::book::{Entry, context, work_all, worker};
use crate::api::tests::world::{INTEGRATION, ask, integration};
use crate::clock::Clock as _;
use crate::flow::work::{Job, work};
use crate::model::{Kind, System};
use crate::records;

#[tokio::test]
async fn what_a_webhook_hints_at_is_fetched_and_taken_over_once_however_often_it_comes() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    for _ in 0..50 {
        assert_eq!(hook.send(&context(ROW)).await.status, 202);
    }
    work_all(&hook.world, &hook.book).await;
    assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
    // A row that was made is looked at once more.
    assert_eq!(hook.book.asked_for(ROW), 2);
    for days in [1, 4, 13] {
        hook.world.clock.advance(Duration::from_secs(days * 24 * 3600));
        assert_eq!(hook.send(&context(ROW)).await.status, 202);
        work_all(&hook.world, &hook.book).await;
    }
    let events = hook.events().await;
    assert_eq!((events.len(), &events[0]["state"]), (1, &json!("applied")));
    assert_eq!(events[0]["rows"]["created"], 1);
    assert_eq!(hook.book.asked_for(ROW), 2);
}

#[tokio::test]
async fn nothing_older_overwrites_what_is_newer_whatever_order_webhooks_come_in() {
    let hook = Hook::new().await;
    let named = |name: &str| {
        let mut context = context(ROW);
        context["OperationId"] = name.into();
        context
    };
    hook.book.write(ROW, Entry::Member("Ek", 2));
    hook.told(&named("second")).await;
    // The first of two changes is told last: the row is as it is by now.
    let late = hook.told(&named("first")).await;
    assert_eq!(late["rows"]["unchanged"], 1);
    assert_eq!(hook.name_of(ROW).await.as_deref(), Some("Ek"));
    hook.book.tear_out(ROW);
    let gone = hook.told(&named("third")).await;
    assert_eq!(
        (&gone["state"], &gone["rows"]["removed"]),
        (&json!("applied"), &json!(1))
    );
    assert_eq!(hook.name_of(ROW).await, None);
    let again = hook.told(&named("fourth")).await;
    assert_eq!(again["rows"]["removed"], 0);
}

#[tokio::test]
async fn a_row_that_goes_while_it_is_taken_over_does_not_stay() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Fleeting);
    let event = hook.told(&context(ROW)).await;
    assert_eq!(
        (&event["rows"]["created"], &event["rows"]["removed"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(hook.name_of(ROW).await, None);
}

#[tokio::test]
async fn more_deletions_than_the_guard_lets_pass_are_left_to_a_run_that_asks() {
    let hook = Hook::new().await;
    let ids: Vec<String> = (0..30)
        .map(|number| format!("{number:08x}-0a5b-4c3d-9e8f-102938475610"))
        .collect();
    for id in &ids {
        hook.book.write(id, Entry::Member("Ek", 1));
        hook.told(&context(id)).await;
    }
    for id in &ids {
        hook.book.tear_out(id);
    }
    let mut removed = 0;
    for id in &ids {
        let mut gone = context(id);
        gone["MessageName"] = "Delete".into();
        let event = hook.told(&gone).await;
        removed += event["rows"]["removed"].as_u64().unwrap();
        if event["rows"]["left"] == 1 {
            assert_eq!(event["state"], "applied");
            assert!(hook.name_of(id).await.is_some());
        }
    }
    // The guard of the integration: twenty rows, or a tenth of what is linked.
    assert_eq!(removed, 20);
    let runs = hook.world.get(&format!("{INTEGRATION}/runs")).await.json();
    assert_eq!(runs["items"][0]["trigger"], "webhook");
    hook.world.clock.advance(Duration::from_secs(24 * 3600));
    let mut gone = context(&ids[29]);
    gone["Depth"] = 2.into();
    assert_eq!(hook.told(&gone).await["rows"]["removed"], 1);
}

#[tokio::test]
async fn an_id_under_which_something_else_was_signed_is_not_followed_and_is_seen() {
    let hook = Hook::new().await;
    let standard = json!({ "name": "standard", "scheme": { "type": "standard" },
        "records": [{ "kind": "member", "id": "/id" }] });
    let opened = open(&hook.world, &standard).await.json();
    let id = opened["endpointId"].as_str().unwrap();
    let secret = opened["secret"].as_str().unwrap().to_owned().into();
    let send = async |body: &'static str| {
        hook.world.clock.advance(Duration::from_millis(1));
        let now = hook.world.clock.now();
        let scheme = crate::webhook::profile::check(&json!({ "type": "standard" })).unwrap();
        let raw = scheme.sign(&secret, "msg_1", body.into(), now).unwrap();
        let mut ask = ask(Method::POST, &format!("/v1/webhooks/dynamics365/{id}"));
        for (name, value) in &raw.headers {
            ask = ask.header(name.as_str(), value.to_str().unwrap());
        }
        let ask = ask.header("content-type", "application/json").body(body);
        assert_eq!(hook.world.answer(ask.by(None)).await.status, 202);
        work_all(&hook.world, &hook.book).await;
    };
    hook.book.write("1", Entry::Member("Ek", 1));
    hook.book.write("2", Entry::Member("Berg", 1));
    send(r#"{"id":"1"}"#).await;
    for _ in 0..3 {
        send(r#"{"id":"2"}"#).await;
    }
    let events = hook.events().await;
    let states: Vec<_> = events
        .iter()
        .map(|event| (event["state"].as_str(), event["cause"].as_str()))
        .collect();
    assert_eq!(
        states,
        [
            (Some("dead_lettered"), Some("signature")),
            (Some("applied"), None)
        ]
    );
    assert_eq!(hook.name_of("1").await.as_deref(), Some("Ek"));
    assert_eq!(hook.name_of("2").await, None);
}

#[tokio::test]
async fn a_webhook_during_a_sync_is_not_held_up_and_the_newer_version_wins() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    let run = hook.world.post(&format!("{INTEGRATION}/sync"), &json!({})).await;
    assert_eq!(run.status, 202);
    let _slice = hook
        .world
        .queue
        .receive(System::Dynamics365)
        .expect("the run's first slice is in flight");
    let event = hook.told(&context(ROW)).await;
    assert_eq!(event["state"], "applied");
    let id = ROW.parse().unwrap();
    let key = records::record_key(&integration().organization, Kind::Member, &id);
    assert!(hook.world.ports.store.get(&[key]).await.unwrap()[0].is_some());
}

#[tokio::test]
async fn of_fifty_deliveries_that_are_worked_at_once_one_is_followed() {
    let hook = Hook::new().await;
    hook.book.write(ROW, Entry::Member("Ek", 1));
    assert_eq!(hook.send(&context(ROW)).await.status, 202);
    let received = hook.world.queue.receive(System::Dynamics365).unwrap();
    let job: Job = serde_json::from_str(&received.message.body).unwrap();
    let worker = worker(&hook.world, &hook.book);
    let worked = futures::future::join_all((0..50).map(|_| work(&worker, &job))).await;
    assert!(worked.iter().all(Result::is_ok));
    assert_eq!((hook.events().await.len(), hook.book.asked_for(ROW)), (1, 2));
}

#[tokio::test]
async fn a_page_that_is_older_than_what_a_webhook_brought_overwrites_nothing_and_revives_nothing() {
    let hook = Hook::new().await;
    for (row, name) in [(ROW, "Ny"), (OTHER, "Borte")] {
        hook.book.write(row, Entry::Member(name, 2));
        hook.told(&context(row)).await;
    }
    hook.book.tear_out(OTHER);
    let mut gone = context(OTHER);
    gone["MessageName"] = "Delete".into();
    assert_eq!(hook.told(&gone).await["rows"]["removed"], 1);
    // The run read its page before all that.
    *hook.book.page.lock().unwrap() = vec![(ROW, "Gammel", 1), (OTHER, "Borte", 2)];
    let run = hook.world.post(&format!("{INTEGRATION}/sync"), &json!({})).await;
    work_all(&hook.world, &hook.book).await;
    let run = format!("{INTEGRATION}/runs/{}", run.json()["runId"].as_str().unwrap());
    let run = hook.world.get(&run).await.json();
    assert_eq!(
        (hook.name_of(ROW).await.as_deref(), hook.name_of(OTHER).await),
        (Some("Ny"), None),
        "{run}"
    );
    assert_eq!(run["state"], "succeeded", "{run}");
}
