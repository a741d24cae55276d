//! The answer's form.

use std::fmt::Write as _;

use http::StatusCode;
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
    let mut body = String::new();
    for reply in replies {
        body += &format!("--{boundary}\r\n");
        match reply {
            Reply::Single(part) => body += &write_part(part),
            Reply::ChangeSet(parts) => body += &write_change_set(parts),
        }
    }
    body += &format!("--{boundary}--\r\n");
    Answer::bytes(status, body).with("content-type", &format!("multipart/mixed; boundary={boundary}"))
}

fn write_change_set(parts: &[Part]) -> String {
    let boundary = format!("changesetresponse_{}", Uuid::new_v4());
    let mut body = format!("Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n");
    for part in parts {
        body += &format!("--{boundary}\r\n{}", write_part(part));
    }
    body + &format!("--{boundary}--\r\n")
}

fn write_part(part: &Part) -> String {
    let mut text = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n".to_owned();
    if let Some(id) = &part.content_id {
        text += &format!("Content-ID: {id}\r\n");
    }
    let answer = &part.answer;
    let status = answer.status;
    text += &format!(
        "\r\nHTTP/1.1 {} {}\r\n",
        status.as_u16(),
        status.canonical_reason().unwrap_or_default()
    );
    if status.as_u16() >= 400 {
        text += &format!("REQ_ID: {}\r\n", Uuid::new_v4());
    }
    for (name, value) in &answer.headers {
        write!(
            text,
            "{}: {}\r\n",
            spelled(name.as_str()),
            value.to_str().unwrap_or_default()
        )
        .expect("writing to memory cannot fail");
    }
    text + "OData-Version: 4.0\r\n\r\n" + &String::from_utf8_lossy(&answer.body.to_plain()) + "\r\n"
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
