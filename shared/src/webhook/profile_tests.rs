//! Schemes as humans put them.

use secrecy::SecretString;
use serde_json::{Value, json};

use super::{Secrets, Verifier, profile};

fn faults(scheme: &Value) -> Vec<String> {
    let faults = profile::check(scheme).expect_err("something is wrong with it");
    faults.into_iter().map(|fault| fault.field).collect()
}

#[test]
fn there_is_no_scheme_without_a_check() {
    for scheme in [
        json!({}),
        json!({ "type": null }),
        json!({ "type": "none" }),
        json!({ "type": "" }),
        json!({ "type": "Standard" }),
        json!({ "type": ["standard"] }),
    ] {
        assert_eq!(faults(&scheme), ["scheme.type"], "{scheme}");
    }
    assert_eq!(faults(&json!(null)), ["scheme"]);
}

#[test]
fn every_fault_of_a_scheme_is_told_at_once() {
    let hmac = json!({
        "type": "hmac", "header": "x signature", "prefix": "a,b", "encoding": "none", "algorithm": "md5",
        "timestamp": { "header": "Date", "separator": "0", "toleranceSeconds": 4000, "optional": true },
        "check": false,
    });
    let expected = [
        "scheme.header",
        "scheme.prefix",
        "scheme.encoding",
        "scheme.algorithm",
        "scheme.timestamp.header",
        "scheme.timestamp.separator",
        "scheme.timestamp.toleranceSeconds",
        "scheme.timestamp.optional",
        "scheme.check",
    ];
    assert_eq!(faults(&hmac), expected);
    let dataverse = json!({ "type": "dataverse", "organizationId": "hlf", "code": "code" });
    assert_eq!(
        faults(&dataverse),
        ["scheme.organizationId", "scheme.header", "scheme.code"]
    );
    assert_eq!(faults(&json!({ "type": "cornerstone" })), ["scheme.header"]);
    assert_eq!(
        faults(&json!({ "type": "standard", "tolerance": 9 })),
        ["scheme.tolerance"]
    );
}

#[test]
fn a_secret_stands_in_one_place() {
    let both = json!({ "type": "dataverse", "header": "x-secret", "query": "code" });
    assert_eq!(faults(&both), ["scheme.query"]);
    let query = json!({ "type": "dataverse", "query": "a&code" });
    assert_eq!(faults(&query), ["scheme.query"]);
}

#[test]
fn a_header_that_a_gateway_writes_proves_nothing() {
    for name in [
        "X-Amzn-Trace-Id",
        "x-amz-date",
        "X-Forwarded-For",
        "Host",
        "via",
        "Content-Type",
        "Cookie",
        "",
        "x:y",
        "å",
    ] {
        let scheme = json!({ "type": "cornerstone", "header": name });
        assert_eq!(faults(&scheme), ["scheme.header"], "{name}");
    }
    assert!(profile::check(&json!({ "type": "cornerstone", "header": "Authorization" })).is_ok());
}

#[test]
fn signature_and_time_stand_in_two_headers() {
    let scheme = json!({
        "type": "hmac", "header": "X-Signature", "encoding": "hex", "timestamp": { "header": "x-signature" },
    });
    assert_eq!(faults(&scheme), ["scheme.timestamp.header"]);
}

#[test]
fn nothing_that_was_put_is_repeated() {
    let scheme = json!({ "type": "canary", "canary": "canary" });
    let faults = profile::check(&scheme).unwrap_err();
    assert!(!format!("{faults:?}").contains("canary"));
}

#[test]
fn the_faults_of_scheme_and_secrets_are_told_together() {
    let secrets = SecretString::from("{}");
    let faults = Verifier::read(&json!({ "type": "hmac" }), &secrets).unwrap_err();
    let paths: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(paths, ["scheme.header", "scheme.encoding", "secrets.current"]);
}

#[test]
fn both_secrets_are_judged() {
    let json = r#"{ "current": "canary", "previous": "canary2", "previousUntil": "2027-01-31T09:00:00Z" }"#;
    let secrets = Secrets::read(&json.into()).unwrap();
    for scheme in [
        json!({ "type": "standard" }),
        json!({ "type": "xledger" }),
        json!({ "type": "dataverse", "header": "x-secret" }),
        json!({ "type": "cornerstone", "header": "x-secret" }),
        json!({ "type": "hmac", "header": "x-signature", "encoding": "hex" }),
    ] {
        let faults = Verifier::new(&profile::check(&scheme).unwrap(), &secrets).unwrap_err();
        let paths: Vec<_> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(paths, ["secrets.current", "secrets.previous"], "{scheme}");
        assert!(!format!("{faults:?}").contains("canary"));
    }
}
