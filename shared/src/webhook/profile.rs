//! Reading a scheme as a human puts it, with every fault at once.

use http::HeaderName;
use serde_json::Value;

use super::cornerstone::Cornerstone;
use super::dataverse::Dataverse;
use super::hmac::Hmac;
use super::scheme::Scheme;
use crate::model::FieldError;
use crate::settings::{Faults, Section};

/// What the names of headers begin with, or are, that somebody between the sender and us writes or takes away.
///
/// Source: Amazon API Gateway Developer Guide, "Transform API requests and responses for HTTP APIs", reserved headers;
/// RFC 9110, section 7.6.1.
const NOT_THE_SENDERS: &[&str] = &[
    "apigw-",
    "connection",
    "content-",
    "cookie",
    "date",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
    "via",
    "x-amz-",
    "x-amzn-",
    "x-forwarded-",
];

/// Reads a scheme; the form of each is said where it is.
///
/// # Errors
///
/// Every fault, under `scheme`, and nothing of what its settings hold.
///
/// # Example
///
/// ```
/// use serde_json::json;
/// use shared::webhook::profile;
///
/// let scheme = json!({ "type": "hmac", "encoding": "HEX", "timestamp": { "separator": "1" } });
/// let faults = profile::check(&scheme).expect_err("much is wrong with it");
/// let paths: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
/// let wrong = ["scheme.header", "scheme.encoding", "scheme.timestamp.header", "scheme.timestamp.separator"];
/// assert_eq!(paths, wrong);
/// ```
pub fn check(json: &Value) -> Result<Scheme, Vec<FieldError>> {
    let faults = Faults::default();
    let scheme = Section::open("scheme", json, &faults).and_then(|section| {
        let name = section.required("type", name)?;
        let scheme = read(name, &section);
        section.finish();
        scheme
    });
    faults.or(scheme)
}

fn read(name: &str, section: &Section<'_>) -> Option<Scheme> {
    match name {
        "standard" => Some(Scheme::Standard),
        "xledger" => Some(Scheme::Xledger),
        "dataverse" => Dataverse::read(section).map(Scheme::Dataverse),
        "cornerstone" => Cornerstone::read(section).map(Scheme::Cornerstone),
        "hmac" => Hmac::read(section).map(Scheme::Hmac),
        _ => None,
    }
}

fn name(text: &str) -> Result<&'static str, String> {
    let known = Scheme::NAMES.iter().find(|name| **name == text).copied();
    known.ok_or_else(|| format!("must be one of {}", Scheme::NAMES.join(", ")))
}

/// Accepts the name of a header that reaches us as it was sent, and returns it in lower case.
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let name = Some(text)
        .filter(|text| text.len() <= 100)
        .and_then(|text| HeaderName::from_bytes(text.as_bytes()).ok());
    let name = name.ok_or_else(|| "must be the name of a header".to_owned())?;
    let is_or_begins = |taken: &&str| match taken.ends_with('-') {
        true => name.as_str().starts_with(*taken),
        false => name.as_str() == *taken,
    };
    match NOT_THE_SENDERS.iter().any(is_or_begins) {
        true => Err("must be a header that only the sender writes".to_owned()),
        false => Ok(name.as_str().to_owned()),
    }
}
