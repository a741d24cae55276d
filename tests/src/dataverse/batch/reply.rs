//! The answer's form.

use http::{HeaderName, HeaderValue, StatusCode};
use uuid::Uuid;

use crate::wire::Answer;

/// Holds the answer to one item of a batch.
#[derive(Debug)]
pub(super) enum Reply {
    Single(Part),
    ChangeSet(Vec<Part>),
}

/// Holds the answer to one operation.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) content_id: Option<String>,
    pub(super) answer: Answer,
}

impl Reply {
    fn text(&self) -> String {
        match self {
            Self::Single(part) => part.text(),
            Self::ChangeSet(parts) => {
                let boundary = format!("changesetresponse_{}", Uuid::new_v4());
                let parts = multipart(&boundary, parts.iter().map(Part::text));
                format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n{parts}")
            }
        }
    }

    /// Returns the status of the first operation that failed.
    pub(super) fn failure(&self) -> Option<StatusCode> {
        let parts = match self {
            Self::Single(part) => std::slice::from_ref(part),
            Self::ChangeSet(parts) => parts,
        };
        parts
            .iter()
            .map(|part| part.answer.status)
            .find(|status| status.as_u16() >= 400)
    }
}

/// Writes the whole answer.
pub(super) fn write(status: StatusCode, replies: &[Reply]) -> Answer {
    let boundary = format!("batchresponse_{}", Uuid::new_v4());
    let body = multipart(&boundary, replies.iter().map(Reply::text));
    Answer::bytes(status, body).with("content-type", &format!("multipart/mixed; boundary={boundary}"))
}

fn multipart(boundary: &str, parts: impl Iterator<Item = String>) -> String {
    let parts: String = parts.map(|part| format!("--{boundary}\r\n{part}")).collect();
    format!("{parts}--{boundary}--\r\n")
}

impl Part {
    fn text(&self) -> String {
        let id = self
            .content_id
            .as_ref()
            .map(|id| format!("Content-ID: {id}\r\n"))
            .unwrap_or_default();
        let status = self.answer.status;
        let reason = status.canonical_reason().unwrap_or_default();
        let failed = status.as_u16() >= 400;
        let request = if failed {
            format!("REQ_ID: {}\r\n", Uuid::new_v4())
        } else {
            String::new()
        };
        let body = self.answer.body.to_plain();
        format!(
            "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n\
             HTTP/1.1 {} {reason}\r\n{request}{}OData-Version: 4.0\r\n\r\n{}\r\n",
            status.as_u16(),
            self.headers(),
            String::from_utf8_lossy(&body)
        )
    }

    fn headers(&self) -> String {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!(
                "{}: {}\r\n",
                spelled(name.as_str()),
                value.to_str().unwrap_or_default()
            )
        };
        self.answer.headers.iter().map(line).collect()
    }
}

/// Spells a header's name as the Web API does.
fn spelled(name: &str) -> &str {
    match name {
        "content-type" => "Content-Type",
        "etag" => "ETag",
        "location" => "Location",
        "odata-entityid" => "OData-EntityId",
        "preference-applied" => "Preference-Applied",
        "retry-after" => "Retry-After",
        other => other,
    }
}
