//! [`Secrets`](shared::secrets::Secrets): in memory, and in Secrets Manager over a scripted wire.

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared::clients::Clients;
use shared::secrets::{MemorySecrets, SecretError, Secrets, SecretsManager};

use crate::dynamo::ATTEMPTS;
use crate::wire::{Fate, Wire};

const NAME: &str = "hlf/dynamics365";
const CANARY: &str = "canary-7f3a";
const FIRST: &str = "11111111-1111-4111-8111-111111111111";
const SECOND: &str = "22222222-2222-4222-8222-222222222222";

fn secret(value: &str) -> SecretString {
    value.into()
}

#[tokio::test]
async fn what_was_put_is_what_is_read_with_another_version_than_before() {
    let secrets = MemorySecrets::new();
    let first = secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(secrets.get(NAME).await.unwrap().value.expose_secret(), "one");
    let second = secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
    let read = secrets.get(NAME).await.unwrap();
    assert_eq!((read.value.expose_secret(), &read.version), ("two", &second));
    assert_ne!(first, second);
}

#[tokio::test]
async fn putting_the_same_value_again_under_the_same_token_changes_nothing() {
    let secrets = MemorySecrets::new();
    let first = secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(secrets.put(NAME, &secret("one"), FIRST).await.unwrap(), first);
    secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(secrets.get(NAME).await.unwrap().value.expose_secret(), "two");
    assert!(secrets.put(NAME, &secret("other"), FIRST).await.is_err());
}

#[tokio::test]
async fn a_deleted_secret_is_missing_and_putting_it_again_brings_it_back() {
    let secrets = MemorySecrets::new();
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    secrets.delete(NAME).await.unwrap();
    assert!(matches!(
        secrets.get(NAME).await,
        Err(SecretError::Missing { .. })
    ));
    secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
    assert_eq!(secrets.get(NAME).await.unwrap().value.expose_secret(), "two");
}

#[tokio::test]
async fn deleting_what_is_missing_succeeds() {
    MemorySecrets::new().delete(NAME).await.unwrap();
    let (_, secrets) = always(failure("ResourceNotFoundException"));
    secrets.delete(NAME).await.unwrap();
    let (_, secrets) = always(failure("InvalidRequestException"));
    secrets.delete(NAME).await.unwrap();
}

#[tokio::test]
async fn a_token_of_the_wrong_length_is_refused_by_every_implementation() {
    let (wire, manager) = first(Vec::new());
    let all: [Box<dyn Secrets>; 2] = [Box::new(MemorySecrets::new()), Box::new(manager)];
    for secrets in all {
        assert!(secrets.put(NAME, &secret("one"), "short").await.is_err());
    }
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn nothing_shows_what_a_secret_holds() {
    let memory = MemorySecrets::new();
    memory.put(NAME, &secret(CANARY), FIRST).await.unwrap();
    let read = memory.get(NAME).await.unwrap();
    let unreadable = json!({"SecretString": {"not": "a text", "value": CANARY}, "Name": NAME});
    let (_, manager) = always((200, unreadable));
    let error = manager.get(NAME).await.unwrap_err();
    let (_, refusing) = always(failure("LimitExceededException"));
    let refused = refusing.put(NAME, &secret(CANARY), FIRST).await.unwrap_err();
    let shown = format!("{memory:?} {read:?} {manager:?} {error:?} {refused:?}");
    assert!(!shown.contains(CANARY), "{shown}");
}

fn failure(kind: &str) -> (u16, Value) {
    (400, json!({"__type": kind, "message": "scripted"}))
}

fn answer((status, body): (u16, Value)) -> Fate {
    Fate::Gets(status, body)
}

fn manager(wire: &Wire) -> SecretsManager {
    let client = Clients::new(wire.config("http://secrets.test")).secrets_manager();
    SecretsManager::new(client, "integrations/")
}

fn first(fates: Vec<(u16, Value)>) -> (Wire, SecretsManager) {
    let wire = Wire::first(fates.into_iter().map(answer).collect());
    let manager = manager(&wire);
    (wire, manager)
}

fn always((status, body): (u16, Value)) -> (Wire, SecretsManager) {
    let wire = Wire::always(status, body);
    let manager = manager(&wire);
    (wire, manager)
}

fn version(token: &str) -> (u16, Value) {
    (
        200,
        json!({"Name": "integrations/hlf/dynamics365", "VersionId": token}),
    )
}

#[tokio::test]
async fn a_secret_is_read_under_its_prefix() {
    let answer = json!({"Name": "integrations/hlf/dynamics365", "SecretString": "one", "VersionId": FIRST});
    let (wire, secrets) = always((200, answer));
    let read = secrets.get(NAME).await.unwrap();
    assert_eq!(
        (read.value.expose_secret(), read.version.as_str()),
        ("one", FIRST)
    );
    assert_eq!(
        wire.sent()[0].body,
        json!({"SecretId": "integrations/hlf/dynamics365"})
    );
}

#[tokio::test]
async fn a_secret_that_is_there_gets_a_new_version_under_the_token() {
    let (wire, secrets) = first(vec![version(FIRST)]);
    assert_eq!(secrets.put(NAME, &secret("one"), FIRST).await.unwrap(), FIRST);
    assert_eq!(wire.operations(), ["PutSecretValue"]);
    assert_eq!(
        wire.sent()[0].body,
        json!({
            "SecretId": "integrations/hlf/dynamics365",
            "ClientRequestToken": FIRST,
            "SecretString": "one",
        })
    );
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_created_under_the_same_token() {
    let (wire, secrets) = first(vec![failure("ResourceNotFoundException"), version(FIRST)]);
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(wire.operations(), ["PutSecretValue", "CreateSecret"]);
    let created = &wire.sent()[1].body;
    assert_eq!(
        (&created["Name"], &created["ClientRequestToken"]),
        (&json!("integrations/hlf/dynamics365"), &json!(FIRST))
    );
}

#[tokio::test]
async fn a_secret_that_another_creates_first_gets_a_new_version_all_the_same() {
    let missing = failure("ResourceNotFoundException");
    let (wire, secrets) = first(vec![missing, failure("ResourceExistsException"), version(FIRST)]);
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(
        wire.operations(),
        ["PutSecretValue", "CreateSecret", "PutSecretValue"]
    );
}

#[tokio::test]
async fn a_secret_that_waits_for_its_deletion_is_restored_and_put() {
    let (wire, secrets) = first(vec![
        failure("InvalidRequestException"),
        version(FIRST),
        version(FIRST),
    ]);
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    assert_eq!(
        wire.operations(),
        ["PutSecretValue", "RestoreSecret", "PutSecretValue"]
    );
}

#[tokio::test]
async fn a_secret_is_deleted_with_a_week_of_grace() {
    let (wire, secrets) = first(vec![(200, json!({}))]);
    secrets.delete(NAME).await.unwrap();
    let expected = json!({"SecretId": "integrations/hlf/dynamics365", "RecoveryWindowInDays": 7});
    assert_eq!(wire.sent()[0].body, expected);
}

#[tokio::test]
async fn refusals_and_failures_are_sorted_by_what_the_caller_does_next() {
    let read = |kind| async move {
        let (_, secrets) = always(failure(kind));
        secrets.get(NAME).await.unwrap_err()
    };
    for kind in ["ResourceNotFoundException", "InvalidRequestException"] {
        assert!(
            matches!(read(kind).await, SecretError::Missing { name } if name == NAME),
            "{kind}"
        );
    }
    for kind in ["AccessDeniedException", "DecryptionFailure"] {
        assert!(
            matches!(read(kind).await, SecretError::Denied { name } if name == NAME),
            "{kind}"
        );
    }
    for kind in [
        "ThrottlingException",
        "InternalServiceError",
        "LimitExceededException",
    ] {
        assert!(matches!(read(kind).await, SecretError::Unavailable(_)), "{kind}");
    }
}

#[tokio::test]
async fn throttling_is_repeated() {
    let (wire, secrets) = always(failure("ThrottlingException"));
    assert!(secrets.get(NAME).await.is_err());
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
}
