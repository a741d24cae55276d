//! [`Secrets`](shared::secrets::Secrets): in memory, and in Secrets Manager over a scripted wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use shared::clients::Clients;
use shared::secrets::{MemorySecrets, SecretError, Secrets, SecretsManager, Trouble};

use crate::dynamo::ATTEMPTS;
use crate::wire::{Fate, Sent, Wire};

const NAME: &str = "hlf/dynamics365";
const CANARY: &str = "canary-7f3a";
const FIRST: &str = "11111111-1111-4111-8111-111111111111";
const SECOND: &str = "22222222-2222-4222-8222-222222222222";
const THIRD: &str = "33333333-3333-4333-8333-333333333333";
const FOURTH: &str = "44444444-4444-4444-8444-444444444444";

fn secret(value: &str) -> SecretString {
    value.into()
}

/// Every implementation.
fn both() -> [Box<dyn Secrets>; 2] {
    [Box::new(MemorySecrets::new()), Box::new(manager(&pretended()))]
}

/// Returns what is read of a secret, if anything is.
async fn read(secrets: &dyn Secrets) -> Option<String> {
    match secrets.get(NAME).await {
        Ok(secret) => Some(secret.value.expose_secret().to_owned()),
        Err(SecretError::Missing { name }) if name == NAME => None,
        Err(error) => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn what_was_put_is_what_is_read_with_another_version_than_before() {
    for secrets in both() {
        let first = secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        assert_eq!(secrets.get(NAME).await.unwrap().value.expose_secret(), "one");
        let second = secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
        let read = secrets.get(NAME).await.unwrap();
        assert_eq!((read.value.expose_secret(), &read.version), ("two", &second));
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn putting_the_same_value_again_under_the_same_token_changes_nothing() {
    for secrets in both() {
        let first = secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        assert_eq!(secrets.put(NAME, &secret("one"), FIRST).await.unwrap(), first);
        secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
        secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "two");
        for other in [
            secrets.put(NAME, &secret("other"), FIRST).await,
            secrets.put_pending(NAME, &secret("other"), FIRST).await,
        ] {
            assert!(matches!(other, Err(SecretError::Invalid(_))), "{secrets:?}");
        }
    }
}

#[tokio::test]
async fn a_deleted_secret_is_missing_and_putting_it_again_brings_it_back() {
    for secrets in both() {
        secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        secrets.delete(NAME).await.unwrap();
        assert_eq!(read(&*secrets).await, None);
        secrets.put(NAME, &secret("two"), SECOND).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "two");
    }
}

#[tokio::test]
async fn what_is_pending_changes_nothing_of_what_is_read_until_it_is_promoted() {
    for secrets in both() {
        secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        let second = secrets.put_pending(NAME, &secret("two"), SECOND).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "one");
        let pending = secrets.get_version(NAME, &second).await.unwrap();
        assert_eq!(
            (pending.value.expose_secret(), &pending.version),
            ("two", &second)
        );
        secrets.promote(NAME, &second).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "two");
        assert_eq!(secrets.get(NAME).await.unwrap().version, second);
    }
}

#[tokio::test]
async fn what_is_put_pending_where_nothing_is_current_is_current_at_once() {
    for secrets in both() {
        let first = secrets.put_pending(NAME, &secret("one"), FIRST).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "one");
        secrets.promote(NAME, &first).await.unwrap();
        secrets.delete(NAME).await.unwrap();
        let second = secrets.put_pending(NAME, &secret("two"), SECOND).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "two", "{secrets:?}");
        secrets.promote(NAME, &second).await.unwrap();
        assert_eq!(read(&*secrets).await.unwrap(), "two");
    }
}

#[tokio::test]
async fn promoting_or_withdrawing_once_more_changes_nothing() {
    for secrets in both() {
        secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        let second = secrets.put_pending(NAME, &secret("two"), SECOND).await.unwrap();
        let third = secrets.put_pending(NAME, &secret("three"), THIRD).await.unwrap();
        for _ in 0..2 {
            secrets.withdraw(NAME, &second).await.unwrap();
            secrets.promote(NAME, &third).await.unwrap();
            assert_eq!(read(&*secrets).await.unwrap(), "three");
        }
        for _ in 0..2 {
            secrets.withdraw(NAME, &third).await.unwrap();
            assert_eq!(read(&*secrets).await.unwrap(), "three", "what is current stays");
        }
        let fourth = secrets.put_pending(NAME, &secret("four"), FOURTH).await.unwrap();
        for _ in 0..2 {
            secrets.withdraw(NAME, &fourth).await.unwrap();
            assert_eq!(read(&*secrets).await.unwrap(), "three");
        }
        secrets.withdraw("hlf/other", &fourth).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_that_was_withdrawn_or_replaced_is_promoted() {
    for secrets in both() {
        let first = secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
        let second = secrets.put_pending(NAME, &secret("two"), SECOND).await.unwrap();
        secrets.withdraw(NAME, &second).await.unwrap();
        let third = secrets.put_pending(NAME, &secret("three"), THIRD).await.unwrap();
        let fourth = secrets.put_pending(NAME, &secret("four"), FOURTH).await.unwrap();
        secrets.promote(NAME, &fourth).await.unwrap();
        for version in [&first, &second, &third, "unknown"] {
            let promoted = secrets.promote(NAME, version).await;
            assert!(
                matches!(promoted, Err(SecretError::Missing { .. })),
                "{secrets:?} {version}"
            );
        }
        assert_eq!(read(&*secrets).await.unwrap(), "four");
        secrets.delete(NAME).await.unwrap();
        let promoted = secrets.promote(NAME, &fourth).await;
        assert!(matches!(promoted, Err(SecretError::Missing { .. })));
        assert!(secrets.get_version(NAME, &fourth).await.is_err());
    }
}

#[tokio::test]
async fn memory_can_be_made_full_or_denied_or_down() {
    let secrets = MemorySecrets::new();
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    secrets.trouble(Trouble::Full);
    assert_eq!(read(&secrets).await.unwrap(), "one");
    secrets.put(NAME, &secret("one"), FIRST).await.unwrap();
    for full in [
        secrets.put(NAME, &secret("two"), SECOND).await,
        secrets.put_pending(NAME, &secret("two"), SECOND).await,
    ] {
        assert!(matches!(full, Err(SecretError::Full { name }) if name == NAME));
    }
    secrets.trouble(Trouble::Denied);
    assert!(matches!(secrets.get(NAME).await, Err(SecretError::Denied { .. })));
    secrets.trouble(Trouble::Down);
    assert!(matches!(
        secrets.withdraw(NAME, FIRST).await,
        Err(SecretError::Unavailable(_))
    ));
    secrets.trouble(None);
    assert_eq!(read(&secrets).await.unwrap(), "one");
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
        for put in [
            secrets.put(NAME, &secret("one"), "short").await,
            secrets.put_pending(NAME, &secret("one"), "short").await,
        ] {
            assert!(matches!(put, Err(SecretError::Invalid(_))));
        }
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

/// Does what Secrets Manager does with one secret.
fn pretended() -> Wire {
    let kept = Mutex::new(Kept::default());
    Wire::new(move |_, sent| answer(kept.lock().unwrap().carry_out(sent)))
}

/// A secret as Secrets Manager has it.
#[derive(Debug, Default)]
struct Kept {
    versions: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    deleted: bool,
}

impl Kept {
    fn carry_out(&mut self, sent: &Sent) -> (u16, Value) {
        let text = |name: &str| sent.body[name].as_str().map(str::to_owned);
        let ours = text("SecretId").or(text("Name")).unwrap() == "integrations/hlf/dynamics365";
        let is_new = self.versions.is_empty() || !ours;
        match sent.operation.as_str() {
            "CreateSecret" => self.put(sent, "AWSCURRENT"),
            _ if is_new => failure("ResourceNotFoundException"),
            "DeleteSecret" | "RestoreSecret" => {
                self.deleted = sent.operation == "DeleteSecret";
                (200, json!({}))
            }
            "DescribeSecret" => self.describe(),
            _ if self.deleted => failure("InvalidRequestException"),
            "PutSecretValue" => self.put(sent, sent.body["VersionStages"][0].as_str().unwrap()),
            "GetSecretValue" => {
                let labelled = text("VersionStage").and_then(|label| self.labels.get(&label).cloned());
                self.get(&text("VersionId").or(labelled).unwrap_or_default())
            }
            _ => self.move_label(
                &text("VersionStage").unwrap(),
                text("RemoveFromVersionId"),
                text("MoveToVersionId"),
            ),
        }
    }

    fn put(&mut self, sent: &Sent, label: &str) -> (u16, Value) {
        let token = sent.body["ClientRequestToken"].as_str().unwrap().to_owned();
        let value = sent.body["SecretString"].as_str().unwrap().to_owned();
        match self.versions.get(&token) {
            Some(known) if *known != value => return failure("ResourceExistsException"),
            Some(_) => {}
            None => {
                self.versions.insert(token.clone(), value);
                self.labels.insert(label.to_owned(), token.clone());
            }
        }
        version(&token)
    }

    fn get(&self, id: &str) -> (u16, Value) {
        match self.versions.get(id) {
            Some(value) => (200, json!({ "SecretString": value, "VersionId": id })),
            None => failure("ResourceNotFoundException"),
        }
    }

    fn describe(&self) -> (u16, Value) {
        let mut labels: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (label, version) in &self.labels {
            labels.entry(version).or_default().insert(label);
        }
        let deleted = self.deleted.then_some(1_700_000_000);
        (
            200,
            json!({ "VersionIdsToStages": labels, "DeletedDate": deleted }),
        )
    }

    fn move_label(&mut self, label: &str, from: Option<String>, to: Option<String>) -> (u16, Value) {
        let holder = self.labels.remove(label);
        if holder != from {
            self.labels
                .extend(holder.map(|holder| (label.to_owned(), holder)));
            return failure("InvalidParameterException");
        }
        self.labels.extend(to.map(|to| (label.to_owned(), to)));
        (200, json!({}))
    }
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
        json!({"SecretId": "integrations/hlf/dynamics365", "VersionStage": "AWSCURRENT"})
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
            "VersionStages": ["AWSCURRENT"],
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
    for kind in [
        "AccessDeniedException",
        "DecryptionFailure",
        "EncryptionFailure",
        "KMSAccessDeniedException",
    ] {
        assert!(
            matches!(read(kind).await, SecretError::Denied { name } if name == NAME),
            "{kind}"
        );
    }
    for kind in ["ThrottlingException", "InternalServiceError"] {
        assert!(matches!(read(kind).await, SecretError::Unavailable(_)), "{kind}");
    }
    for kind in ["InvalidParameterException", "ResourceExistsException"] {
        assert!(matches!(read(kind).await, SecretError::Invalid(_)), "{kind}");
    }
    let (_, secrets) = always(failure("LimitExceededException"));
    for put in [
        secrets.put(NAME, &secret("one"), FIRST).await,
        secrets.put_pending(NAME, &secret("one"), FIRST).await,
    ] {
        assert!(matches!(put, Err(SecretError::Full { name }) if name == NAME));
    }
}

fn labels(labels: &Value) -> (u16, Value) {
    (200, json!({ "VersionIdsToStages": labels }))
}

#[tokio::test]
async fn a_pending_version_is_put_under_its_label_and_promoted_from_the_current_one() {
    let described = labels(&json!({ FIRST: ["AWSCURRENT"], SECOND: ["AWSPENDING"] }));
    let (wire, secrets) = first(vec![version(SECOND), described, version(SECOND), version(SECOND)]);
    secrets.put_pending(NAME, &secret("two"), SECOND).await.unwrap();
    secrets.promote(NAME, SECOND).await.unwrap();
    let sent = wire.sent();
    assert_eq!(sent[0].body["VersionStages"], json!(["AWSPENDING"]));
    assert_eq!(sent[1].operation, "DescribeSecret", "which shows no value");
    let moved = json!({
        "SecretId": "integrations/hlf/dynamics365", "VersionStage": "AWSCURRENT",
        "RemoveFromVersionId": FIRST, "MoveToVersionId": SECOND,
    });
    assert_eq!(sent[2].body, moved);
    let removed = json!({
        "SecretId": "integrations/hlf/dynamics365", "VersionStage": "AWSPENDING",
        "RemoveFromVersionId": SECOND,
    });
    assert_eq!(
        (sent[3].operation.as_str(), &sent[3].body),
        ("UpdateSecretVersionStage", &removed)
    );
}

#[tokio::test]
async fn a_promotion_that_died_between_its_steps_is_finished_by_repeating_it() {
    let described = labels(&json!({ FIRST: ["AWSPREVIOUS"], SECOND: ["AWSCURRENT", "AWSPENDING"] }));
    let (wire, secrets) = first(vec![described, version(SECOND)]);
    secrets.promote(NAME, SECOND).await.unwrap();
    assert_eq!(wire.operations(), ["DescribeSecret", "UpdateSecretVersionStage"]);
    assert_eq!(wire.sent()[1].body["VersionStage"], json!("AWSPENDING"));
}

#[tokio::test]
async fn a_label_that_somebody_else_moves_meanwhile_is_left_to_them() {
    let described = labels(&json!({ FIRST: ["AWSCURRENT"], SECOND: ["AWSPENDING"] }));
    for kind in ["InvalidParameterException", "ThrottlingException"] {
        let described = described.clone();
        let wire = Wire::new(move |_, sent| match sent.operation.as_str() {
            "DescribeSecret" => answer(described.clone()),
            _ => answer(failure(kind)),
        });
        let promoted = manager(&wire).promote(NAME, SECOND).await;
        assert!(matches!(promoted, Err(SecretError::Unavailable(_))), "{kind}");
    }
}

#[tokio::test]
async fn throttling_is_repeated() {
    let (wire, secrets) = always(failure("ThrottlingException"));
    assert!(secrets.get(NAME).await.is_err());
    assert_eq!(wire.sent().len(), ATTEMPTS as usize);
}
