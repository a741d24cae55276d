use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::answers::{Answers, Effect, Meaning, Rule, Said, is_no_such_row};
use super::pointer::Pointer;
use super::profile::Condition;
use crate::adapter::{Error, ErrorKind};
use crate::http::Answer;

fn said(status: u16, media: &str, body: &str) -> Said {
    let mut headers = HeaderMap::new();
    if !media.is_empty() {
        headers.insert("content-type", media.parse().unwrap());
    }
    Said::new(Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: body.as_bytes().to_vec(),
        cut: None,
    })
}

fn judge(answers: &Answers, said: &Said, effect: Effect) -> Result<(), Error> {
    answers.judge(said, effect, Timestamp::UNIX_EPOCH)
}

#[test]
fn a_write_that_may_have_been_done_is_not_known_and_a_reading_is_tried_again() {
    for status in [408, 500, 502, 504, 599] {
        let said = said(status, "application/json", "{}");
        let kind = |effect| judge(&Answers::default(), &said, effect).unwrap_err().kind();
        assert_eq!(kind(Effect::Writes), ErrorKind::Unknown, "{status}");
        assert_eq!(kind(Effect::Reads), ErrorKind::Unavailable, "{status}");
    }
}

#[test]
fn what_was_only_taken_is_no_success_unless_the_profile_says_so() {
    let said = said(202, "", "");
    let error = judge(&Answers::default(), &said, Effect::Writes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unknown);
    let rule = Rule {
        statuses: vec![202],
        condition: None,
        means: Meaning::Success,
    };
    let answers = Answers {
        rules: vec![rule],
        ..Answers::default()
    };
    assert!(judge(&answers, &said, Effect::Writes).is_ok());
}

#[test]
fn there_is_no_row_only_where_the_system_says_so() {
    for (media, body, row) in [
        ("application/json", "{}", true),
        ("application/problem+json; charset=utf-8", "{}", true),
        ("", "", true),
        ("text/html", "<html>404</html>", false),
        ("application/json", "<html>", false),
    ] {
        let error = judge(&Answers::default(), &said(404, media, body), Effect::Reads).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(is_no_such_row(&error), row, "{media} {body}");
    }
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rule = |code: &str, means| Rule {
        statuses: Vec::new(),
        condition: Some(Condition {
            pointer: Pointer::parse("/code").unwrap(),
            equals: vec![json!(code), json!(7)],
        }),
        means,
    };
    let answers = Answers {
        rules: vec![rule("A", Meaning::Conflict), rule("B", Meaning::Rejected)],
        ..Answers::default()
    };
    let kind = |body: Value| {
        let said = said(200, "application/json", &body.to_string());
        judge(&answers, &said, Effect::Reads)
            .err()
            .map(|error| error.kind())
    };
    assert_eq!(kind(json!({ "code": "A" })), Some(ErrorKind::Conflict));
    assert_eq!(kind(json!({ "code": "B" })), Some(ErrorKind::Rejected));
    assert_eq!(kind(json!({ "code": 7 })), Some(ErrorKind::Conflict));
    assert_eq!(kind(json!({ "code": "C" })), None);
    assert_eq!(kind(json!([])), None);
}

proptest! {
    #[test]
    fn no_text_of_a_body_is_repeated_but_a_code(status in 300_u16..600, text in "\\PC{0,60}") {
        let answers = Answers { code: Some(Pointer::parse("/code").unwrap()), ..Answers::default() };
        let body = json!({ "code": format!("{text} of Kari"), "message": text });
        let error = judge(&answers, &said(status, "application/json", &body.to_string()), Effect::Reads).unwrap_err();
        prop_assert_eq!(error.fact("code"), None);
        let plain = judge(&answers, &said(status, "application/json", "{}"), Effect::Reads).unwrap_err();
        prop_assert_eq!(error.to_string(), plain.to_string());
    }
}
