//! The behaviour of keys, and what KMS's answers become.

use aws_sdk_dynamodb::config::SharedHttpClient;
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

#[tokio::test]
async fn what_was_sealed_in_a_context_opens_in_that_context_and_in_no_other() {
    let keys = MemoryKeys::new();
    let sealed = keys.seal("one", &secret()).await.unwrap();
    let opened = keys.open("one", &sealed).await.unwrap();
    assert_eq!(opened.expose_secret(), "xis_canary");
    for context in ["", "two", "on", "onex"] {
        let opened = keys.open(context, &sealed).await;
        assert!(matches!(opened, Err(KeyError::Sealed)), "{context}");
    }
    let others = MemoryKeys::new().open("one", &sealed).await;
    assert!(matches!(others, Err(KeyError::Sealed)));
}

#[tokio::test]
async fn what_was_changed_does_not_open() {
    let keys = MemoryKeys::new();
    let Sealed(text) = keys.seal("one", &secret()).await.unwrap();
    for position in 0..text.len() {
        let mut changed = text.clone().into_bytes();
        changed[position] = if changed[position] == b'A' { b'B' } else { b'A' };
        let changed = Sealed(String::from_utf8(changed).unwrap());
        assert!(keys.open("one", &changed).await.is_err(), "{position}");
    }
    for text in ["", "AAAA", "no base64"] {
        assert!(keys.open("one", &Sealed(text.to_owned())).await.is_err());
    }
}

#[tokio::test]
async fn sealing_the_same_twice_gives_two_different_texts() {
    let keys = MemoryKeys::new();
    let [one, other] = [
        keys.seal("one", &secret()).await,
        keys.seal("one", &secret()).await,
    ];
    assert_ne!(one.unwrap(), other.unwrap());
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
        signs: "alias/signs".to_owned(),
        signed: None,
        seals: Some("alias/seals".to_owned()),
    }
}

fn kms(wire: &Wire) -> KmsKeys {
    let config = crate::dynamo::configure("http://kms.test", SharedHttpClient::new(wire.clone()));
    KmsKeys::new(Clients::new(config).kms(), names())
}

#[tokio::test]
async fn kms_signs_as_it_is_told_and_its_signature_is_written_as_tokens_want_it() {
    use base64::Engine as _;
    // SEQUENCE of the INTEGERs 1 and 2, which DER writes as short as it can.
    let der = base64::engine::general_purpose::STANDARD.encode([0x30, 6, 2, 1, 1, 2, 1, 2]);
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
