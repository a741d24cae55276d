//! The behaviour that every store of objects has, by the list of [`Objects`]; run on the one in memory.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::{LONGEST_LINK, MAX_BYTES, MemoryObjects, ObjectError, Objects, Trouble, Upload, sha256};

const KEY: &str = "hlf/xledger/0190/file.csv";

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_secs(seconds)
}

#[tokio::test]
async fn what_was_put_is_read_until_it_is_replaced_or_deleted() {
    let objects = MemoryObjects::new();
    for text in ["one", "other"] {
        objects.put(KEY, text.into(), "text/csv").await.unwrap();
        assert_eq!(objects.get(KEY).await.unwrap(), text);
        let head = objects.head(KEY).await.unwrap();
        assert_eq!(
            (head.bytes, head.sha256),
            (text.len() as u64, Some(sha256(text.as_bytes())))
        );
        assert_eq!(head.content_type.as_deref(), Some("text/csv"));
    }
    for _ in 0..2 {
        objects.delete(KEY).await.unwrap();
        assert!(matches!(objects.get(KEY).await, Err(ObjectError::Missing { key }) if key == KEY));
        assert!(matches!(
            objects.head(KEY).await,
            Err(ObjectError::Missing { .. })
        ));
    }
}

#[tokio::test]
async fn what_is_too_large_is_not_put_and_no_link_lets_it_be() {
    let objects = MemoryObjects::new();
    let large = Bytes::from(vec![0; usize::try_from(MAX_BYTES).unwrap() + 1]);
    let put = objects.put(KEY, large.clone(), "text/csv").await;
    assert!(matches!(put, Err(ObjectError::TooLarge { .. })));
    let upload = Upload {
        bytes: large.len() as u64,
        sha256: &sha256(b""),
        content_type: "text/csv",
    };
    let link = objects.link_to_put(KEY, &upload, LONGEST_LINK, now()).await;
    assert!(matches!(link, Err(ObjectError::TooLarge { .. })));
    objects.put(KEY, large.slice(1..), "text/csv").await.unwrap();
}

#[tokio::test]
async fn a_link_is_for_one_method_and_ends_by_itself() {
    let objects = MemoryObjects::new();
    let minute = Duration::from_secs(60);
    let link = objects.link_to_get(KEY, "file.csv", minute, now()).await.unwrap();
    assert_eq!(objects.follow(&link, now()), None, "there is nothing yet");
    objects.put(KEY, "one".into(), "text/csv").await.unwrap();
    assert_eq!(objects.follow(&link, after(59)), Some("one".into()));
    assert_eq!(objects.follow(&link, after(60)), None);
    assert!(!objects.upload(&link, "text/csv", "other".into(), now()));
    for long in [LONGEST_LINK + Duration::from_secs(1), Duration::ZERO] {
        let link = objects.link_to_get(KEY, "file.csv", long, now()).await;
        assert!(matches!(link, Err(ObjectError::Invalid(_))));
    }
}

#[tokio::test]
async fn a_link_to_put_takes_what_it_was_made_for_and_nothing_else() {
    let objects = MemoryObjects::new();
    let upload = Upload {
        bytes: 3,
        sha256: &sha256(b"one").to_ascii_uppercase(),
        content_type: "text/csv",
    };
    let link = objects
        .link_to_put(KEY, &upload, LONGEST_LINK, now())
        .await
        .unwrap();
    assert!(!objects.upload(&link, "text/csv", "two".into(), now()));
    assert!(!objects.upload(&link, "text/csv", "ones".into(), now()));
    assert!(!objects.upload(&link, "text/html", "one".into(), now()));
    assert!(!objects.upload(&link, "text/csv", "one".into(), after(900)));
    assert!(objects.keys().is_empty());
    assert!(objects.upload(&link, "text/csv", "one".into(), after(899)));
    assert_eq!(objects.follow(&link, now()), None, "it is not for reading");
    assert_eq!(objects.get(KEY).await.unwrap(), "one");
}

#[tokio::test]
async fn a_name_that_means_something_to_a_header_is_refused() {
    let objects = MemoryObjects::new();
    let names = [
        "a\"b.csv",
        "a\r\nb",
        "",
        "../x",
        ".x",
        "å.csv",
        "a b",
        &"a".repeat(129),
    ];
    for name in names {
        let link = objects.link_to_get(KEY, name, LONGEST_LINK, now()).await;
        assert!(matches!(link, Err(ObjectError::Invalid(_))), "{name}");
    }
}

#[tokio::test]
async fn a_checksum_that_is_none_is_refused() {
    let objects = MemoryObjects::new();
    for sha256 in ["", "x", &"g".repeat(64), &"å".repeat(32), &"a".repeat(63)] {
        let upload = Upload {
            bytes: 3,
            sha256,
            content_type: "text/csv",
        };
        let link = objects.link_to_put(KEY, &upload, LONGEST_LINK, now()).await;
        assert!(matches!(link, Err(ObjectError::Invalid(_))), "{sha256}");
    }
}

#[tokio::test]
async fn what_is_the_matter_is_told_and_changes_nothing() {
    let objects = MemoryObjects::new();
    objects.put(KEY, "one".into(), "text/csv").await.unwrap();
    objects.trouble(Trouble::Denied);
    assert!(matches!(objects.get(KEY).await, Err(ObjectError::Denied { .. })));
    objects.trouble(Trouble::Down);
    let put = objects.put(KEY, "two".into(), "text/csv").await;
    assert!(matches!(put, Err(ObjectError::Unavailable(_))));
    objects.trouble(None);
    assert_eq!(objects.get(KEY).await.unwrap(), "one");
}
