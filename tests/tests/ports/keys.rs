//! The behaviour of keys, and what KMS's answers become.

use std::collections::HashMap;
use std::sync::Mutex;

use aws_sdk_dynamodb::config::SharedHttpClient;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use shared::clients::Clients;
use shared::keys::{KeyError, KeyNames, Keys, KmsKeys, MemoryKeys, Sealed};

use crate::wire::{Fate, Wire};

fn secret() -> SecretString {
    SecretString::from("xis_canary")
}

fn verifies(key: &shared::keys::PublicKey, message: &[u8], signature: &[u8]) -> bool {
    let point = [&[4][..], &key.x, &key.y].concat();
    let algorithm = &ring::signature::ECDSA_P256_SHA256_FIXED;
    let key = ring::signature::UnparsedPublicKey::new(algorithm, point);
    key.verify(message, signature).is_ok()
}

/// Longer than what KMS encrypts by itself.
fn long() -> SecretString {
    "xis_canary".repeat(10_000).into()
}

/// Every implementation, each with another of its kind.
fn both() -> [[Box<dyn Keys>; 2]; 2] {
    let kms = || Box::new(kms(&pretended())) as Box<dyn Keys>;
    let memory = || Box::new(MemoryKeys::new()) as Box<dyn Keys>;
    [[memory(), memory()], [kms(), kms()]]
}

#[tokio::test]
async fn what_was_sealed_in_a_context_opens_in_that_context_and_in_no_other() {
    for [keys, others] in both() {
        for secret in [secret(), long()] {
            let sealed = keys.seal("one", &secret).await.unwrap();
            let opened = keys.open("one", &sealed).await.unwrap();
            assert_eq!(opened.expose_secret(), secret.expose_secret());
            for context in ["", "two", "on", "onex"] {
                let opened = keys.open(context, &sealed).await;
                assert!(matches!(opened, Err(KeyError::Sealed)), "{keys:?} {context}");
            }
            let opened = others.open("one", &sealed).await;
            assert!(matches!(opened, Err(KeyError::Sealed)), "{keys:?}");
        }
    }
}

#[tokio::test]
async fn what_was_changed_does_not_open() {
    for [keys, _] in both() {
        for secret in [secret(), long()] {
            let Sealed(text) = keys.seal("one", &secret).await.unwrap();
            let (start, end) = (200.min(text.len()), text.len().saturating_sub(20));
            let within = (start..end).step_by(9_973);
            for position in (0..start).chain(within).chain(end..text.len()) {
                let mut changed = text.clone().into_bytes();
                changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
                let changed = Sealed(String::from_utf8(changed).unwrap());
                assert!(keys.open("one", &changed).await.is_err(), "{keys:?} {position}");
            }
            let Sealed(other) = keys.seal("one", &secret).await.unwrap();
            let (first, last) = (text.split_at(text.len() / 2).0, other.split_at(other.len() / 2).1);
            let mixed = format!("{first}{last}");
            for text in ["", "AAAA", "no base64", "v2.", "v2.AAAA", "v2.AAAA.AAAA", &mixed] {
                assert!(keys.open("one", &Sealed(text.to_owned())).await.is_err());
            }
        }
    }
}

#[tokio::test]
async fn sealing_the_same_twice_gives_two_different_texts() {
    for [keys, _] in both() {
        for secret in [secret(), long()] {
            let [one, other] = [
                keys.seal("one", &secret).await.unwrap(),
                keys.seal("one", &secret).await.unwrap(),
            ];
            assert_ne!(one, other);
        }
    }
}

#[tokio::test]
async fn three_hundred_thousand_bytes_fit_in_a_row_when_they_are_sealed() {
    for [keys, _] in both() {
        let secret = SecretString::from("x".repeat(300_000));
        let sealed = keys.seal("one", &secret).await.unwrap();
        assert!(sealed.0.len() < 401_000, "{}", sealed.0.len());
        let opened = keys.open("one", &sealed).await.unwrap();
        assert_eq!(opened.expose_secret().len(), 300_000);
    }
}

#[tokio::test]
async fn a_signature_is_verified_by_the_public_key() {
    let keys = MemoryKeys::new();
    let (signature, public) = (keys.sign(b"message").await.unwrap(), keys.public().await.unwrap());
    assert!(verifies(&public[0], b"message", &signature.0));
    assert!(!verifies(&public[0], b"messagE", &signature.0));
    let other = MemoryKeys::new();
    assert!(!verifies(
        &other.public().await.unwrap()[0],
        b"message",
        &signature.0
    ));
    let both = other.after(&keys).public().await.unwrap();
    assert_eq!((both.len(), both[1]), (2, public[0]));
}

fn names() -> KeyNames {
    KeyNames {
        signs: Some("alias/signs".to_owned()),
        signed: None,
        seals: Some("alias/seals".to_owned()),
    }
}

fn kms(wire: &Wire) -> KmsKeys {
    named(wire, names())
}

fn named(wire: &Wire, names: KeyNames) -> KmsKeys {
    let config = crate::dynamo::configure("http://kms.test", SharedHttpClient::new(wire.clone()));
    KmsKeys::new(Clients::new(config).kms(), names)
}

/// Does what KMS does with texts that it seals: what it sealed opens whole and in its context only.
fn pretended() -> Wire {
    let sealed = Mutex::new(HashMap::new());
    Wire::new(move |_, sent| {
        let asked = &sent.body;
        let mut sealed = sealed.lock().unwrap();
        let mut seal = |plain: &str| {
            let blob = STANDARD.encode([uuid::Uuid::new_v4(); 4].map(uuid::Uuid::into_bytes).concat());
            let known = (asked["EncryptionContext"].clone(), plain.to_owned());
            sealed.insert(blob.clone(), known);
            json!({ "CiphertextBlob": blob, "Plaintext": plain, "KeyId": "k" })
        };
        match sent.operation.as_str() {
            "Encrypt" => Fate::Gets(200, seal(asked["Plaintext"].as_str().unwrap())),
            "GenerateDataKey" => {
                let key = [uuid::Uuid::new_v4(); 2].map(uuid::Uuid::into_bytes);
                Fate::Gets(200, seal(&STANDARD.encode(key.concat())))
            }
            _ => match sealed.get(asked["CiphertextBlob"].as_str().unwrap()) {
                Some((context, plain)) if *context == asked["EncryptionContext"] => {
                    Fate::Gets(200, json!({ "Plaintext": plain, "KeyId": "k" }))
                }
                _ => Fate::Gets(400, json!({ "__type": "InvalidCiphertextException" })),
            },
        }
    })
}

#[tokio::test]
async fn kms_signs_as_it_is_told_and_its_signature_is_written_as_tokens_want_it() {
    // SEQUENCE of the INTEGERs 1 and 2, which DER writes as short as it can.
    let der = STANDARD.encode([0x30, 6, 2, 1, 1, 2, 1, 2]);
    let wire = Wire::always(200, json!({ "KeyId": "k", "Signature": der }));
    let signature = kms(&wire).sign(b"message").await.unwrap();
    let mut expected = [0; 64];
    (expected[31], expected[63]) = (1, 2);
    assert_eq!(signature.0, expected);
    let asked = &wire.sent()[0].body;
    assert_eq!(
        (&asked["KeyId"], &asked["MessageType"], &asked["SigningAlgorithm"]),
        (&json!("alias/signs"), &json!("RAW"), &json!("ECDSA_SHA_256"))
    );
}

#[tokio::test]
async fn a_function_without_a_key_is_told_so_before_anything_is_asked() {
    let wire = Wire::always(200, json!({ "KeyId": "k" }));
    let none = KeyNames {
        signs: None,
        signed: None,
        seals: None,
    };
    let keys = named(&wire, none);
    let sealed = Sealed("AAEC".to_owned());
    for refused in [
        keys.sign(b"message").await.err(),
        keys.public().await.err(),
        keys.seal("one", &secret()).await.err(),
        keys.sealer("one").await.err(),
        keys.open("one", &sealed).await.err(),
    ] {
        assert!(matches!(refused, Some(KeyError::Denied(_))), "{refused:?}");
    }
    assert!(wire.sent().is_empty());
}

#[tokio::test]
async fn what_kms_does_not_take_is_sealed_here_by_a_key_of_its_own_in_one_call() {
    for (bytes, seals) in [(4096, "Encrypt"), (4097, "GenerateDataKey")] {
        let wire = pretended();
        let keys = kms(&wire);
        let secret = SecretString::from("x".repeat(bytes));
        let sealed = keys.seal("client", &secret).await.unwrap();
        keys.open("client", &sealed).await.unwrap();
        assert_eq!(wire.operations(), [seals, "Decrypt"]);
        for sent in wire.sent() {
            assert_eq!(sent.body["EncryptionContext"], json!({ "for": "client" }));
            assert_eq!(sent.body["KeyId"], json!("alias/seals"));
        }
    }
    let wire = pretended();
    kms(&wire).seal("client", &long()).await.unwrap();
    assert_eq!(wire.sent()[0].body["KeySpec"], json!("AES_256"));
    assert!(wire.sent()[0].body.get("Plaintext").is_none());
}

#[tokio::test]
async fn what_kms_sealed_whole_opens_whatever_its_length() {
    let plain = STANDARD.encode("x".repeat(4096));
    let wire = Wire::always(200, json!({ "Plaintext": plain, "KeyId": "k" }));
    let opened = kms(&wire)
        .open("client", &Sealed("AAEC".to_owned()))
        .await
        .unwrap();
    assert_eq!(opened.expose_secret().len(), 4096);
    assert_eq!(wire.sent()[0].body["CiphertextBlob"], json!("AAEC"));
}

#[tokio::test]
async fn a_key_of_its_own_that_is_not_one_is_refused() {
    let short = json!({ "Plaintext": "AAEC", "CiphertextBlob": "AAEC", "KeyId": "k" });
    let wire = Wire::always(200, short);
    let sealed = kms(&wire).seal("client", &long()).await;
    assert!(matches!(sealed, Err(KeyError::Malformed)));
    let opened = kms(&wire)
        .open("client", &Sealed("v2.AAEC.AAEC".to_owned()))
        .await;
    assert!(matches!(opened, Err(KeyError::Sealed)));
}

#[tokio::test]
async fn kms_seals_in_the_context_and_its_refusals_are_sorted() {
    let wire = Wire::always(200, json!({ "CiphertextBlob": "AAEC", "KeyId": "k" }));
    let sealed = kms(&wire).seal("client", &secret()).await.unwrap();
    assert_eq!(sealed, Sealed("AAEC".to_owned()));
    assert_eq!(
        wire.sent()[0].body["EncryptionContext"],
        json!({ "for": "client" })
    );
    for (code, denied) in [
        ("InvalidCiphertextException", None),
        ("DisabledException", Some(true)),
        ("AccessDeniedException", Some(true)),
        ("KMSInternalException", Some(false)),
    ] {
        let answer = json!({ "__type": code, "message": "canary" });
        let wire = Wire::new(move |_, _| Fate::Gets(400, answer.clone()));
        let error = kms(&wire).open("client", &sealed).await.unwrap_err();
        match denied {
            None => assert!(matches!(error, KeyError::Sealed), "{code}"),
            Some(true) => assert!(matches!(error, KeyError::Denied(_)), "{code}"),
            Some(false) => assert!(matches!(error, KeyError::Unavailable(_)), "{code}"),
        }
        assert!(!error.to_string().contains("canary"));
    }
}
