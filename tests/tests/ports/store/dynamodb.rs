//! What only happens on the way to DynamoDB: lost answers, conflicts, throttling, parts of answers.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::store::{Content, DynamoStore, Expect, Query, Store, StoreError, Table, Write};

use super::{key, put, read, refused_parts, value};
use crate::dynamo::ATTEMPTS;
use crate::dynamo::Dynamo;
use crate::wire::{Fate, Wire};

fn failure(kind: &str) -> Value {
    json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{kind}"), "message": "scripted"})
}

fn cancelled(codes: &[&str]) -> Value {
    let mut cancelled = failure("TransactionCanceledException");
    let reasons = codes
        .iter()
        .map(|code| json!({"Code": code, "Message": "scripted"}));
    cancelled["CancellationReasons"] = reasons.collect();
    cancelled
}

async fn behind(fates: Vec<Fate>) -> (Dynamo, Wire, DynamoStore) {
    let (dynamo, wire) = (Dynamo::start().await, Wire::first(fates));
    let store = dynamo.store_over(&wire);
    (dynamo, wire, store)
}

async fn always(status: u16, body: Value) -> (Dynamo, Wire, DynamoStore) {
    let (dynamo, wire) = (Dynamo::start().await, Wire::always(status, body));
    let store = dynamo.store_over(&wire);
    (dynamo, wire, store)
}

#[tokio::test]
async fn a_put_that_was_made_and_whose_answer_was_lost_succeeds_once() {
    let (dynamo, wire, store) = behind(vec![Fate::LosesAnswer]).await;
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    assert_eq!(wire.operations(), ["UpdateItem", "UpdateItem"]);
    assert_eq!(read(&dynamo.store(), "a").await.unwrap().version, 1);
}

#[tokio::test]
async fn a_put_without_expectation_whose_answer_was_lost_is_not_doubled() {
    let (dynamo, _, store) = behind(vec![Fate::LosesAnswer, Fate::LosesAnswer]).await;
    store.write(vec![put("a", Expect::Anything, 1)]).await.unwrap();
    assert_eq!(read(&dynamo.store(), "a").await.unwrap().version, 1);
}

#[tokio::test]
async fn a_put_that_another_refused_is_not_taken_for_ours() {
    let (dynamo, _, store) = behind(vec![Fate::Gets(500, failure("InternalServerError"))]).await;
    dynamo
        .store()
        .write(vec![put("a", Expect::Absent, 1)])
        .await
        .unwrap();
    let outcome = store.write(vec![put("a", Expect::Absent, 2)]).await;
    assert_eq!(refused_parts(outcome), [0]);
    assert_eq!(value(&dynamo.store(), "a").await, Some(1));
}

#[tokio::test]
async fn a_transaction_that_was_made_and_whose_answer_was_lost_succeeds_once() {
    let (dynamo, wire, store) = behind(vec![Fate::LosesAnswer]).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Anything, 1)];
    store.write(writes).await.unwrap();
    let tokens: Vec<_> = wire
        .sent()
        .iter()
        .map(|sent| sent.body["ClientRequestToken"].clone())
        .collect();
    assert_eq!(tokens.len(), 2);
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(read(&dynamo.store(), "b").await.unwrap().version, 1);
}

#[tokio::test]
async fn a_delete_whose_answer_was_lost_is_refused_because_nothing_tells_whose_it_was() {
    let (dynamo, _, store) = behind(vec![Fate::LosesAnswer]).await;
    dynamo
        .store()
        .write(vec![put("a", Expect::Absent, 1)])
        .await
        .unwrap();
    let outcome = store
        .write(vec![Write::delete(key("a"), Expect::Version(1))])
        .await;
    assert_eq!(refused_parts(outcome), [0]);
    assert_eq!(value(&dynamo.store(), "a").await, None);
}

#[tokio::test]
async fn what_is_never_answered_is_unavailable() {
    let (dynamo, wire, store) = behind(vec![Fate::LosesAnswer; 10]).await;
    let outcome = store.get(&[key("a")]).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
    drop(dynamo);
}

#[tokio::test]
async fn a_transaction_that_met_another_is_repeated() {
    let conflict = Fate::Gets(400, cancelled(&["None", "TransactionConflict"]));
    let throttled = Fate::Gets(400, cancelled(&["ThrottlingError", "None"]));
    let (dynamo, wire, store) = behind(vec![conflict, throttled]).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    store.write(writes).await.unwrap();
    assert_eq!(wire.sent().len(), 3);
    assert_eq!(value(&dynamo.store(), "b").await, Some(1));
}

#[tokio::test]
async fn a_transaction_that_always_meets_another_is_unavailable_after_some_tries() {
    let (_dynamo, wire, store) = always(400, cancelled(&["TransactionConflict", "None"])).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    assert!(matches!(
        store.write(writes).await,
        Err(StoreError::Unavailable(_))
    ));
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
}

#[tokio::test]
async fn a_refusal_is_neither_repeated_nor_hidden_by_a_conflict_beside_it() {
    let (_dynamo, wire, store) =
        always(400, cancelled(&["TransactionConflict", "ConditionalCheckFailed"])).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    assert_eq!(refused_parts(store.write(writes).await), [1]);
    assert_eq!(wire.sent().len(), 1);
}

#[tokio::test]
async fn a_single_write_that_met_a_transaction_is_repeated() {
    let conflict = || Fate::Gets(400, failure("TransactionConflictException"));
    let (dynamo, wire, store) = behind(vec![conflict(), Fate::Passes, conflict()]).await;
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    store
        .write(vec![Write::delete(key("a"), Expect::Version(1))])
        .await
        .unwrap();
    assert_eq!(wire.sent().len(), 4);
    assert_eq!(value(&dynamo.store(), "a").await, None);
}

#[tokio::test]
async fn throttling_and_faults_of_the_service_are_repeated_and_then_unavailable() {
    for (status, kind) in [
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "RequestLimitExceeded"),
        (400, "TransactionInProgressException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ] {
        let (_dynamo, wire, store) = always(status, failure(kind)).await;
        let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
        assert!(
            matches!(store.write(writes).await, Err(StoreError::Unavailable(_))),
            "{kind}"
        );
        assert_eq!(wire.sent().len(), ATTEMPTS as usize, "{kind}");
    }
}

#[tokio::test]
async fn errors_of_ours_are_invalid_and_not_repeated() {
    for kind in [
        "ValidationException",
        "ResourceNotFoundException",
        "AccessDeniedException",
    ] {
        let (_dynamo, wire, store) = always(400, failure(kind)).await;
        assert!(
            matches!(store.get(&[key("a")]).await, Err(StoreError::Invalid(_))),
            "{kind}"
        );
        assert_eq!(wire.sent().len(), 1, "{kind}");
    }
    let (_dynamo, wire, store) = always(400, cancelled(&["ValidationError", "None"])).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    assert!(matches!(store.write(writes).await, Err(StoreError::Invalid(_))));
    assert_eq!(wire.sent().len(), 1);
}

#[tokio::test]
async fn a_token_that_stands_for_other_writes_is_unavailable() {
    let (_dynamo, _, store) = always(400, failure("IdempotentParameterMismatchException")).await;
    let writes = vec![put("a", Expect::Absent, 1), put("b", Expect::Absent, 1)];
    assert!(matches!(
        store.write(writes).await,
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn keys_that_were_left_unread_are_asked_for_again() {
    let dynamo = Dynamo::start().await;
    dynamo
        .store()
        .write(vec![put("a", Expect::Absent, 1)])
        .await
        .unwrap();
    let wire = Wire::new(|number, sent| match number {
        0 | 1 => Fate::Gets(
            200,
            json!({"Responses": {}, "UnprocessedKeys": sent.body["RequestItems"]}),
        ),
        _ => Fate::Passes,
    });
    assert_eq!(value(&dynamo.store_over(&wire), "a").await, Some(1));
    let sent = wire.sent();
    assert_eq!(sent.len(), 3);
    assert_eq!(sent[2].body["RequestItems"]["control"]["ConsistentRead"], true);
}

#[tokio::test]
async fn keys_that_are_always_left_unread_are_unavailable() {
    let dynamo = Dynamo::start().await;
    let wire = Wire::new(|_, sent| {
        Fate::Gets(
            200,
            json!({"Responses": {}, "UnprocessedKeys": sent.body["RequestItems"]}),
        )
    });
    let outcome = dynamo.store_over(&wire).get(&[key("a")]).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))));
    assert_eq!(wire.sent().len(), 8);
}

#[tokio::test]
async fn an_empty_page_with_a_key_is_not_the_end() {
    let empty = json!({"Items": [], "Count": 0, "LastEvaluatedKey": {"pk": {"S": "hlf"}, "sk": {"S": "a"}}});
    let (dynamo, wire, store) = behind(vec![Fate::Gets(200, empty)]).await;
    dynamo
        .store()
        .write(vec![put("b", Expect::Absent, 1)])
        .await
        .unwrap();
    let page = store
        .query(&Query::new(Table::Control, "hlf", "", 10))
        .await
        .unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(wire.sent()[1].body["ExclusiveStartKey"]["sk"]["S"], "a");
}

#[tokio::test]
async fn a_row_without_its_attributes_is_malformed() {
    let dynamo = Dynamo::start().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let foreign = dynamo.client().put_item().table_name("control");
    foreign
        .item("pk", text("hlf"))
        .item("sk", text("a"))
        .send()
        .await
        .unwrap();
    let outcome = dynamo.store().get(&[key("a")]).await;
    assert!(matches!(outcome, Err(StoreError::Malformed { sort, .. }) if sort == "a"));
}

#[tokio::test]
async fn expiry_is_kept_in_seconds_and_due_time_in_milliseconds() {
    let dynamo = Dynamo::start().await;
    let at: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let content = Content::of(&1).due_at(at).expires_at(at);
    let put = Write::put(key("a"), Expect::Absent, content);
    dynamo.store().write(vec![put]).await.unwrap();
    let items = dynamo.client().scan().table_name("control").send().await.unwrap();
    let item = &items.items()[0];
    assert_eq!(item["expires_at"], AttributeValue::N("1767225600".to_owned()));
    assert_eq!(item["due_at"], AttributeValue::N("1767225600000".to_owned()));
    assert_eq!(item["due"], AttributeValue::S("due".to_owned()));
}

#[tokio::test]
async fn every_read_for_a_decision_is_strong_and_every_unit_is_counted() {
    let (dynamo, wire) = (Dynamo::start().await, Wire::first(Vec::new()));
    let store = dynamo.store_over(&wire);
    store.write(vec![put("a", Expect::Absent, 1)]).await.unwrap();
    assert_eq!(store.counts().write_units, 1.0);
    store
        .write(vec![put("b", Expect::Absent, 1), put("c", Expect::Absent, 1)])
        .await
        .unwrap();
    assert_eq!(store.counts().write_units, 5.0);
    store.get(&[key("a"), key("b"), key("z")]).await.unwrap();
    store
        .query(&Query::new(Table::Control, "hlf", "", 10))
        .await
        .unwrap();
    let sent = wire.sent();
    assert_eq!(sent[2].body["RequestItems"]["control"]["ConsistentRead"], true);
    assert_eq!(sent[3].body["ConsistentRead"], true);
    assert_eq!(
        (store.counts().read_requests, store.counts().write_requests),
        (2, 2)
    );
    assert_eq!(store.counts().read_units, 4.0);
}
