use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::error::{Effect, data};
use crate::adapter::{Error, ErrorKind};
use crate::http::Answer;

fn now() -> Timestamp {
    "2027-01-15T11:00:00Z".parse().unwrap()
}

fn told(status: u16, body: &str, effect: Effect) -> Error {
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers: HeaderMap::new(),
        body: body.as_bytes().to_vec(),
        cut: None,
    };
    data(answer, effect, now()).unwrap_err()
}

fn error(error: Value) -> String {
    json!({ "errors": [error] }).to_string()
}

fn until(error: &Error) -> i64 {
    match error.kind() {
        ErrorKind::RateLimited { until } => until.duration_since(now()).as_secs(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_limit_says_until_when() {
    let coded = |code: &str, extensions: Value| {
        error(json!({ "message": "canary", "code": code, "extensions": extensions }))
    };
    let credits = |at: Value| coded("BAD_REQUEST.INSUFFICIENT_CREDITS", json!({ "resetAt": at }));
    for (body, seconds) in [
        (coded("BAD_REQUEST.BURST_RATE_LIMIT_REACHED", json!({})), 5),
        (coded("BAD_REQUEST.CONCURRENCY_LIMIT_REACHED", json!({})), 1),
        (credits(json!("2027-01-15T12:30:00")), 30 * 60),
        (credits(json!("2027-01-15T12:30:00Z")), 90 * 60),
        (credits(json!("2027-01-15T11:30:00")), 1),
        (credits(json!("2099-01-15T12:30:00")), 24 * 3600),
        (credits(json!("soon")), 20 * 60),
        (credits(Value::Null), 20 * 60),
    ] {
        for effect in [Effect::Reads, Effect::Writes] {
            assert_eq!(until(&told(200, &body, effect)), seconds, "{body}");
        }
    }
}

#[test]
fn every_answer_is_sorted_by_what_the_caller_does_next() {
    use ErrorKind::{Malformed, NotFound, PermissionDenied, Rejected, Unauthenticated, Unavailable, Unknown};
    let says = |message: &str| error(json!({ "message": message }));
    let coded = |code: &str| error(json!({ "message": "canary", "extensions": { "code": code } }));
    for (status, body, read, written) in [
        (
            200,
            says("Bad format for API Token. Expected header: canary"),
            Unauthenticated,
            Unauthenticated,
        ),
        (
            200,
            says("The API token is invalid or has expired."),
            Unauthenticated,
            Unauthenticated,
        ),
        (
            200,
            says("Access denied: the API token may not read Account."),
            PermissionDenied,
            PermissionDenied,
        ),
        (200, says("Your query timed out."), Unavailable, Unknown),
        (
            200,
            says("Cannot query field \"canary\" on type \"Query\"."),
            Malformed,
            Malformed,
        ),
        (200, coded("ARGUMENTS_OF_CORRECT_TYPE"), Malformed, Malformed),
        (200, coded("INVALID_VALUE"), Rejected, Rejected),
        (200, says("Something new."), Malformed, Unknown),
        (200, "{\"errors\":[]}".to_owned(), Malformed, Unknown),
        (200, "{}".to_owned(), Malformed, Unknown),
        (200, "[]".to_owned(), Malformed, Unknown),
        (200, "<html>canary".to_owned(), Malformed, Unknown),
        (200, "{\"data\":".to_owned(), Malformed, Unknown),
        (400, coded("INVALID_VALUE"), Rejected, Rejected),
        (400, "canary".to_owned(), Malformed, Unknown),
        (401, String::new(), Unauthenticated, Unauthenticated),
        (403, says("Something new."), PermissionDenied, PermissionDenied),
        (404, "<html>".to_owned(), NotFound, NotFound),
        (307, String::new(), Malformed, Unknown),
        (500, coded("INVALID_VALUE"), Unavailable, Unknown),
        (503, "<html>".to_owned(), Unavailable, Unknown),
        (504, String::new(), Unavailable, Unknown),
    ] {
        assert_eq!(told(status, &body, Effect::Reads).kind(), read, "{status} {body}");
        assert_eq!(
            told(status, &body, Effect::Writes).kind(),
            written,
            "{status} {body}"
        );
    }
}

#[test]
fn an_error_beside_data_says_nothing_of_what_was_done() {
    let body = json!({ "data": { "rows": { "edges": [] } }, "errors": [{ "message": "x", "code": "INVALID_VALUE" }] });
    assert_eq!(
        told(200, &body.to_string(), Effect::Writes).kind(),
        ErrorKind::Unknown
    );
    let nothing =
        json!({ "data": { "rows": null }, "errors": [{ "message": "x", "code": "INVALID_VALUE" }] });
    assert_eq!(
        told(200, &nothing.to_string(), Effect::Writes).kind(),
        ErrorKind::Rejected
    );
    let two = json!({ "errors": [{ "message": "x", "code": "INVALID_VALUE" }, { "message": "and more" }] });
    assert_eq!(
        told(200, &two.to_string(), Effect::Writes).kind(),
        ErrorKind::Unknown
    );
}

#[test]
fn of_a_refused_value_the_field_is_shown_and_the_codes_that_would_do_but_never_people() {
    let refused = |field: &str| {
        let message = format!("Argument 'inputs[1].node.{field}' has an invalid value. canary");
        let inputs =
            json!([{ "code": "7140", "text": "canary" }, { "code": "can\u{e6}ry" }, { "text": "canary" }]);
        let extensions = json!({ "code": "INVALID_VALUE", "exampleValidInputs": inputs });
        told(
            200,
            &error(json!({ "message": message, "extensions": extensions })),
            Effect::Writes,
        )
    };
    let account = refused("account");
    assert_eq!(
        (account.field(), account.fact("possible")),
        (Some("account"), Some("7140"))
    );
    let claimant = refused("subledger");
    assert_eq!(
        (claimant.field(), claimant.fact("possible")),
        (Some("subledger"), None)
    );
    for error in [account, claimant, refused("canary")] {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn a_scope_that_is_missing_is_named() {
    let message = "Access denied: the API token may not write GLImportItem.";
    let error = told(200, &error(json!({ "message": message })), Effect::Writes);
    assert_eq!(error.fact("scope"), Some("GLImportItem"));
}
