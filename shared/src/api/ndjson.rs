//! Lines of JSON, in and out: `{"id":"100234","lastName":"…"}` each, and a result for each.

use axum::body::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::problem::{Fault, Problem};
use super::{Code, body};
use crate::model::{FieldError, Fields, Kind, RecordId};
use crate::records::{Line, LineResult, PutError, PutOutcome, Wish};

/// The longest line, in bytes: a transaction of as many as fit stays within its 4 MB.
const MAX_LINE: usize = 32 * 1024;

/// The most lines: so many results still fit into an answer of 6 MB.
const MAX_LINES: usize = 10_000;

/// How many faults of one line are told.
const MAX_FAULTS: usize = 3;

/// The longest name of a field that is repeated, in characters.
const MAX_FIELD: usize = 60;

/// The word in a path that is no record's id.
const RESERVED: &str = "bulk";

/// What became of one line.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BulkResult {
    /// Its number, from 1.
    line: usize,
    /// The record, where the line named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    id: Option<RecordId>,
    /// `created`, `updated` or `unchanged`; `refused` where the line is wrong; `failed` where it may work later.
    outcome: &'static str,
    /// The record's version.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// What is wrong with the line: the first few faults.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Fault>,
}

/// Splits a body into lines, each to be read for itself; empty ones are counted and passed over.
///
/// # Errors
///
/// `TooLarge` where there are too many, before any is taken.
pub(super) fn lines(body: &Bytes, kind: Kind) -> Result<impl Iterator<Item = Line> + Send + use<>, Problem> {
    if body.iter().filter(|byte| **byte == b'\n').count() > MAX_LINES {
        return Err(Problem::new(Code::TooLarge).because(format!("at most {MAX_LINES} lines are taken")));
    }
    let lines = Split(Some(body.clone())).enumerate();
    let filled = lines.filter(|(_, line)| !line.trim_ascii().is_empty());
    Ok(filled.map(move |(index, line)| Line {
        number: index + 1,
        wish: wish(kind, &line),
    }))
}

/// Slices of one body, without copies.
struct Split(Option<Bytes>);

impl Iterator for Split {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut rest = self.0.take()?;
        let Some(end) = rest.iter().position(|byte| *byte == b'\n') else {
            return Some(rest);
        };
        let line = rest.split_to(end);
        self.0 = Some(rest.slice(1..));
        Some(line)
    }
}

fn wish(kind: Kind, line: &[u8]) -> Result<Wish, Vec<FieldError>> {
    let refuse = |field: &str, reason: String| vec![FieldError::new(field, reason)];
    if line.len() > MAX_LINE {
        return Err(refuse("line", format!("is longer than {MAX_LINE} bytes")));
    }
    let mut object = body::object(line).map_err(|problem| refuse("line", problem.to_string()))?;
    let id = id(&mut object);
    let fields = Fields::from_json(kind, &object);
    match (id, fields) {
        (Ok(id), Ok(fields)) => Ok(Wish { id, fields }),
        (id, fields) => Err(id
            .err()
            .into_iter()
            .chain(fields.err().into_iter().flatten())
            .collect()),
    }
}

fn id(object: &mut Map<String, Value>) -> Result<RecordId, FieldError> {
    match object.remove("id") {
        Some(Value::String(text)) if text == RESERVED => Err(FieldError::new("id", "is a reserved word")),
        Some(Value::String(text)) => text
            .parse()
            .map_err(|error| FieldError::new("id", format!("is malformed: a {error}"))),
        _ => Err(FieldError::new("id", "is required, as a text")),
    }
}

/// Writes a result as a line.
pub(super) fn written(result: LineResult) -> Bytes {
    let mut line = serde_json::to_vec(&BulkResult::from(result)).unwrap_or_default();
    line.push(b'\n');
    line.into()
}

impl From<LineResult> for BulkResult {
    fn from(
        LineResult {
            number: line,
            id,
            outcome,
        }: LineResult,
    ) -> Self {
        let blank = Self {
            line,
            id,
            outcome: "failed",
            version: None,
            errors: Vec::new(),
        };
        match outcome {
            Ok((outcome, version)) => Self {
                outcome: outcome.as_str(),
                version: Some(version),
                ..blank
            },
            Err(PutError::Invalid(errors)) => Self {
                outcome: "refused",
                errors: faults(errors),
                ..blank
            },
            Err(error) => {
                let problem = Problem::from(error);
                let reason = problem.code.title().to_lowercase();
                Self {
                    errors: vec![Fault {
                        field: "line".to_owned(),
                        reason,
                    }],
                    ..blank
                }
            }
        }
    }
}

/// A name that nobody knows may be as long as the line; the answer has its own limit.
fn faults(errors: Vec<FieldError>) -> Vec<Fault> {
    let shorten = |error: FieldError| Fault {
        field: error.field.chars().take(MAX_FIELD).collect(),
        reason: error.reason,
    };
    errors.into_iter().take(MAX_FAULTS).map(shorten).collect()
}

impl PutOutcome {
    /// Returns the name that the API uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &'static str) -> Vec<Line> {
        lines(&Bytes::from_static(body.as_bytes()), Kind::Member)
            .unwrap()
            .collect()
    }

    #[test]
    fn lines_are_counted_also_where_they_are_empty() {
        let lines = read("{\"id\":\"1\",\"lastName\":\"Ek\"}\r\n\n{\"id\":\"2\"}");
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 3]);
        assert!(lines.iter().all(|line| line.wish.is_ok()));
    }

    #[test]
    fn a_line_that_is_wrong_is_told_with_everything_that_is() {
        let lines =
            read("{\"id\":7,\"nickname\":\"x\"}\n[1]\n{\"id\":\"bulk\"}\n{\"id\":\"1\",\"id\":\"2\"}");
        assert_eq!(lines[0].wish.as_ref().unwrap_err().len(), 2);
        assert!(lines.iter().all(|line| line.wish.is_err()));
    }

    #[test]
    fn too_many_lines_are_refused_before_any_is_taken() {
        let body = Bytes::from("{}\n".repeat(MAX_LINES + 1));
        assert_eq!(lines(&body, Kind::Member).err().unwrap().code, Code::TooLarge);
    }
}
