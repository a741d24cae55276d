//! Links of S3, held against the algorithm that they are signed by, which is held against the vector that AWS has published.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use jiff::Timestamp;
use ring::hmac;
use url::Url;

use super::{LONGEST_LINK, Link, ObjectError, Objects as _, S3Objects, Upload, sha256};

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

/// Source: Amazon S3 API Reference, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
const PUBLISHED: &str = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256\
    &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z\
    &X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
    &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

fn objects() -> S3Objects {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-north-1"))
        .credentials_provider(Credentials::new(ID, SECRET, None, None, "test"))
        .build();
    S3Objects::new(Client::from_conf(config), "files")
}

fn now() -> Timestamp {
    "2026-03-01T10:00:00Z".parse().unwrap()
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// Says whether S3 would take a request, by Signature Version 4; its body is not signed, and its headers are.
fn takes(method: &str, url: &str, headers: &BTreeMap<String, String>) -> bool {
    let url = Url::parse(url).unwrap();
    let pairs: Vec<&str> = url.query().unwrap().split('&').collect();
    let value = |name: &str| {
        let mut pairs = url.query_pairs();
        let found = pairs.find_map(|(known, value)| (known == name).then(|| value.into_owned()));
        found.unwrap()
    };
    let mut signed: Vec<&str> = pairs.clone();
    signed.retain(|pair| !pair.starts_with("X-Amz-Signature="));
    signed.sort_unstable();
    let names = value("X-Amz-SignedHeaders");
    let mut lines = String::new();
    for name in names.split(';') {
        let given = match name {
            "host" => url.host_str(),
            name => headers.get(name).map(String::as_str),
        };
        writeln!(lines, "{name}:{}", given.unwrap_or_default()).unwrap();
    }
    let canonical = format!(
        "{method}\n{}\n{}\n{lines}\n{names}\nUNSIGNED-PAYLOAD",
        url.path(),
        signed.join("&")
    );
    let (_, scope) = value("X-Amz-Credential")
        .split_once('/')
        .map(|(id, scope)| (id.to_owned(), scope.to_owned()))
        .unwrap();
    let date = value("X-Amz-Date");
    let text = format!(
        "AWS4-HMAC-SHA256\n{date}\n{scope}\n{}",
        sha256(canonical.as_bytes())
    );
    let first = format!("AWS4{SECRET}").into_bytes();
    let key = scope.split('/').fold(first, |key: Vec<u8>, part| mac(&key, part));
    let signature: String = mac(&key, &text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    signature == value("X-Amz-Signature")
}

fn takes_link(link: &Link) -> bool {
    takes(link.method, &link.url, &link.headers)
}

fn parameter(link: &Link, name: &str) -> Option<String> {
    let url = Url::parse(&link.url).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

#[test]
fn the_published_vector_is_taken_and_nothing_like_it() {
    assert!(takes("GET", PUBLISHED, &BTreeMap::new()));
    for (part, other) in [
        ("test.txt", "tests.txt"),
        ("=86400", "=86401"),
        ("20130524T0", "20130524T1"),
    ] {
        assert!(!takes("GET", &PUBLISHED.replace(part, other), &BTreeMap::new()));
    }
    assert!(!takes("PUT", PUBLISHED, &BTreeMap::new()));
}

#[tokio::test]
async fn a_link_to_read_is_signed_for_its_object_its_name_and_its_minutes() {
    let minutes = Duration::from_secs(600);
    let key = "hlf/xledger/0190/file.csv";
    let link = objects()
        .link_to_get(key, "file.csv", minutes, now())
        .await
        .unwrap();
    assert!(takes_link(&link), "{}", link.url);
    assert!(
        link.url
            .starts_with("https://files.s3.eu-north-1.amazonaws.com/hlf/xledger/0190/file.csv?")
    );
    assert_eq!(parameter(&link, "X-Amz-Expires").as_deref(), Some("600"));
    assert_eq!(
        parameter(&link, "X-Amz-Date").as_deref(),
        Some("20260301T100000Z")
    );
    let disposition = parameter(&link, "response-content-disposition");
    assert_eq!(disposition.as_deref(), Some("attachment; filename=\"file.csv\""));
    assert_eq!(link.expires_at, "2026-03-01T10:10:00Z".parse().unwrap());
    for (part, other) in [
        ("file.csv?", "other.csv?"),
        ("Expires=600", "Expires=601"),
        ("hlf/", "nlf/"),
    ] {
        let url = link.url.replace(part, other);
        assert!(url != link.url && !takes("GET", &url, &link.headers), "{part}");
    }
}

#[tokio::test]
async fn a_link_to_put_is_signed_for_length_checksum_and_content_type() {
    let upload = Upload {
        bytes: 3,
        sha256: &sha256(b"one"),
        content_type: "text/csv; charset=utf-8",
    };
    let link = objects()
        .link_to_put("a/b/c/upload.csv", &upload, LONGEST_LINK, now())
        .await
        .unwrap();
    assert!(takes_link(&link), "{}", link.url);
    let signed = parameter(&link, "X-Amz-SignedHeaders").unwrap();
    for (name, value) in [
        ("content-length", "3"),
        ("content-type", "text/csv; charset=utf-8"),
        (
            "x-amz-checksum-sha256",
            "dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z/0Me0=",
        ),
    ] {
        // What is not in a header that is signed is in the query, which is signed as a whole.
        let header = link
            .headers
            .get(name)
            .filter(|_| signed.split(';').any(|one| one == name));
        let query = parameter(&link, name);
        let bound = header.cloned().or(query);
        assert_eq!(bound.as_deref(), Some(value), "{name}");
        let mut headers = link.headers.clone();
        if headers.insert(name.to_owned(), "4".to_owned()).is_some() {
            assert!(!takes("PUT", &link.url, &headers), "{name}");
        }
    }
    assert!(!takes("GET", &link.url, &link.headers));
}

#[tokio::test]
async fn no_link_lives_longer_than_a_quarter_of_an_hour() {
    let longer = LONGEST_LINK + Duration::from_secs(1);
    let link = objects().link_to_get("a", "a.csv", longer, now()).await;
    assert!(matches!(link, Err(ObjectError::Invalid(_))));
}
