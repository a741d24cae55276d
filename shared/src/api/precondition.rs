//! `If-Match` and `If-None-Match`, and the `ETag` that they name: the version of a row.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::Problem;
use crate::integration::Precondition;

/// Returns the `ETag` of a version.
pub(super) fn etag(version: u64) -> (HeaderName, HeaderValue) {
    let tag = format!("\"{version}\"");
    let value = HeaderValue::from_str(&tag).expect("a number in quotes is a header value");
    (header::ETAG, value)
}

/// Which version of a thing the caller has in mind.
pub(super) struct If(pub(super) Precondition);

impl<S: Send + Sync> FromRequestParts<S> for If {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.headers).map(Self)
    }
}

fn read(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let matches = one(headers, "If-Match")?;
    let none_matches = one(headers, "If-None-Match")?;
    match (matches, none_matches) {
        (None, None) => Ok(Precondition::None),
        (Some("*"), None) => Ok(Precondition::Exists),
        (Some(tag), None) => version(tag).map(Precondition::Version),
        (None, Some("*")) => Ok(Precondition::Absent),
        (None, Some(_)) => Err(Problem::of_field("If-None-Match", "must be *")),
        (Some(_), Some(_)) => Err(Problem::of_field(
            "If-Match",
            "must not come together with If-None-Match",
        )),
    }
}

fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<Option<&'a str>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    match (value.to_str(), values.next()) {
        (Ok(text), None) => Ok(Some(text.trim())),
        _ => Err(Problem::of_field(name, "must be given once")),
    }
}

fn version(tag: &str) -> Result<u64, Problem> {
    let digits = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let number = digits.and_then(|digits| digits.parse().ok());
    number.ok_or_else(|| Problem::of_field("If-Match", "must be one ETag as it was answered, such as \"3\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_one(name: &'static str, value: &str) -> Result<Precondition, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        read(&headers)
    }

    #[test]
    fn a_tag_reads_back_as_the_version_it_was_made_of() {
        let (_, tag) = etag(7);
        assert_eq!(
            read_one("if-match", tag.to_str().unwrap()).unwrap(),
            Precondition::Version(7)
        );
        assert_eq!(read_one("if-match", "*").unwrap(), Precondition::Exists);
        assert_eq!(read_one("if-none-match", "*").unwrap(), Precondition::Absent);
    }

    #[test]
    fn what_is_no_tag_of_ours_is_refused() {
        for tag in ["7", "W/\"7\"", "\"7\", \"8\"", "\"x\"", "\"", ""] {
            assert!(read_one("if-match", tag).is_err(), "{tag}");
        }
        assert!(read_one("if-none-match", "\"7\"").is_err());
    }
}
