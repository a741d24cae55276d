//! Cornerstone's JSON, and nothing more.

use std::fmt;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

/// A row of a view.
pub(super) type Row = Map<String, Value>;

/// Why bytes are not what they should be, without any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misread {
    /// They end before their end.
    CutShort,
    /// They are not JSON, or more than one text of it, or JSON of another shape.
    Shape,
}

/// One page of a view.
///
/// # Shape
///
/// `{"@odata.context":"…","value":[{…}],"@odata.nextLink":"https://…"}`, without the link on the last page
#[derive(Deserialize)]
pub(super) struct Page {
    /// The rows; none where the member is missing.
    #[serde(default)]
    pub(super) value: Option<Vec<Row>>,
    #[serde(default, rename = "@odata.nextLink")]
    pub(super) next: Option<String>,
    /// An error that came with status 200.
    #[serde(default)]
    pub(super) error: Option<IgnoredAny>,
}

/// What every endpoint but the views answers with.
///
/// # Shape
///
/// `{"status":"success","data":…}`, or with another status `"error":{"message":"…"}`; the status may be that of HTTP
#[derive(Deserialize)]
pub(super) struct Envelope {
    #[serde(default)]
    status: Value,
    #[serde(default)]
    pub(super) data: Value,
    #[serde(default)]
    error: Value,
}

impl Envelope {
    /// Says whether what was asked for was done.
    pub(super) fn is_success(&self) -> bool {
        let status = match &self.status {
            Value::String(status) => status.eq_ignore_ascii_case("success") || status.starts_with('2'),
            Value::Number(status) => status.as_u64().is_some_and(|status| (200..300).contains(&status)),
            _ => false,
        };
        status && (self.error.is_null() || self.message().is_empty())
    }

    /// Returns the status that it tells in the place of the answer's, which may be 200 all the same.
    pub(super) fn told_status(&self) -> Option<u16> {
        let status = match &self.status {
            Value::String(status) => status.parse().ok(),
            Value::Number(status) => status.as_u64().and_then(|status| u16::try_from(status).ok()),
            _ => None,
        };
        status.filter(|status| (300..600).contains(status))
    }

    /// Says whether there is none of what was asked for.
    pub(super) fn is_not_found(&self) -> bool {
        let message = self.message().to_ascii_lowercase();
        message.contains("not found") || message.contains("does not exist")
    }

    /// Only looked at for what kind of fault it tells of: it may name a person.
    fn message(&self) -> &str {
        let message = match &self.error {
            Value::Object(error) => error.get("message").and_then(Value::as_str),
            Value::String(error) => Some(error.as_str()),
            _ => None,
        };
        message.unwrap_or_default()
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").finish_non_exhaustive()
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").finish_non_exhaustive()
    }
}

/// Reads an answer that is an object: a list would be read for one whose members it has in their order.
pub(super) fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Misread> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match bytes.trim_ascii_start().first() {
        None => return Err(Misread::CutShort),
        Some(b'{') => {}
        Some(_) => return Err(Misread::Shape),
    }
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Misread::CutShort,
        _ => Misread::Shape,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(json: &str) -> Envelope {
        read(json.as_bytes()).unwrap()
    }

    #[test]
    fn only_success_without_an_error_is_one() {
        for (json, expected) in [
            (r#"{"status":"success","data":{}}"#, true),
            (r#"{"status":"Success"}"#, true),
            (r#"{"status":200,"error":null}"#, true),
            (r#"{"status":"200","error":{"message":""}}"#, true),
            (r#"{"status":"success","error":{"message":"no"}}"#, false),
            (r#"{"status":"fail"}"#, false),
            (r#"{"status":"429"}"#, false),
            ("{}", false),
        ] {
            assert_eq!(envelope(json).is_success(), expected, "{json}");
        }
        assert_eq!(envelope(r#"{"status":"429"}"#).told_status(), Some(429));
        assert_eq!(envelope(r#"{"status":500}"#).told_status(), Some(500));
        assert_eq!(envelope(r#"{"status":"fail"}"#).told_status(), None);
        assert!(envelope(r#"{"error":{"message":"Record not found."}}"#).is_not_found());
        assert!(!envelope(r#"{"error":{"message":"Not allowed"}}"#).is_not_found());
    }

    #[test]
    fn what_is_cut_short_is_told_from_what_is_something_else() {
        let read = |bytes: &[u8]| read::<Page>(bytes).map(|page| page.value.is_some());
        assert_eq!(read(br#"{"value":[{"a":1}]"#), Err(Misread::CutShort));
        assert_eq!(read(br#"{"value":[]} {}"#), Err(Misread::Shape));
        assert_eq!(read(b"<html>"), Err(Misread::Shape));
        assert_eq!(read(b"[]"), Err(Misread::Shape));
        assert_eq!(read(br#"{"value":[{}],"more":1}"#), Ok(true));
        assert_eq!(read(b"{}"), Ok(false));
    }
}
