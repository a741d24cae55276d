//! `$batch`: many operations in one request.
//!
//! Source: Microsoft Learn, "Execute batch operations using the Web API"; `OData` 4.0 part 1, section 11.7.

use std::fmt::Write as _;

use http::Method;
use uuid::Uuid;

/// The most operations that one batch takes, those in change sets included.
///
/// Source: Microsoft Learn, "Execute batch operations using the Web API".
pub(super) const MOST_OPERATIONS: usize = 1000;

/// One request inside a batch.
#[derive(Clone)]
pub(super) struct Operation {
    pub(super) method: Method,
    /// The path from the host's root, with its query.
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
}

/// What is done together: one operation, or several of which all are done or none.
#[derive(Clone)]
pub(super) enum Unit {
    One(Operation),
    Together(Vec<Operation>),
}

impl Unit {
    /// Makes the smallest unit that holds these operations; nothing where there are none.
    pub(super) fn of(mut operations: Vec<Operation>) -> Option<Self> {
        match operations.len() {
            0 | 1 => operations.pop().map(Self::One),
            _ => Some(Self::Together(operations)),
        }
    }

    pub(super) fn operations(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Together(operations) => operations.len(),
        }
    }
}

/// A batch as it is sent.
pub(super) struct Batch {
    pub(super) content_type: String,
    pub(super) body: String,
}

/// Writes a batch.
pub(super) fn write(units: &[&Unit]) -> Batch {
    let boundary = format!("batch_{}", Uuid::new_v4());
    let mut body = String::new();
    for unit in units {
        open(&mut body, &boundary);
        match unit {
            Unit::One(operation) => write_operation(&mut body, operation, None),
            Unit::Together(operations) => write_change_set(&mut body, operations),
        }
    }
    close(&mut body, &boundary);
    Batch {
        content_type: content_type(&boundary),
        body,
    }
}

fn write_change_set(body: &mut String, operations: &[Operation]) {
    let boundary = format!("changeset_{}", Uuid::new_v4());
    line(body, &format!("Content-Type: {}", content_type(&boundary)));
    line(body, "");
    for (position, operation) in operations.iter().enumerate() {
        open(body, &boundary);
        write_operation(body, operation, Some(position + 1));
    }
    close(body, &boundary);
}

fn write_operation(body: &mut String, operation: &Operation, content_id: Option<usize>) {
    line(body, "Content-Type: application/http");
    line(body, "Content-Transfer-Encoding: binary");
    if let Some(id) = content_id {
        line(body, &format!("Content-ID: {id}"));
    }
    line(body, "");
    line(body, &format!("{} {} HTTP/1.1", operation.method, operation.path));
    line(body, "Accept: application/json");
    for (name, value) in &operation.headers {
        line(body, &format!("{name}: {value}"));
    }
    if operation.body.is_some() {
        line(body, "Content-Type: application/json; type=entry");
    }
    line(body, "");
    line(body, operation.body.as_deref().unwrap_or_default());
}

fn content_type(boundary: &str) -> String {
    format!("multipart/mixed; boundary=\"{boundary}\"")
}

fn open(body: &mut String, boundary: &str) {
    line(body, &format!("--{boundary}"));
}

fn close(body: &mut String, boundary: &str) {
    line(body, &format!("--{boundary}--"));
}

/// Every line ends in CR LF, the last one too: the Web API insists on it.
fn line(body: &mut String, text: &str) {
    write!(body, "{text}\r\n").expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(path: &str) -> Operation {
        Operation {
            method: Method::PATCH,
            path: path.to_owned(),
            headers: vec![("If-Match", "*".to_owned())],
            body: Some("{}".to_owned()),
        }
    }

    #[test]
    fn every_line_of_a_batch_ends_in_cr_lf() {
        let one = Unit::One(operation("/a"));
        let both = Unit::of(vec![operation("/b"), operation("/c")]).unwrap();
        let batch = write(&[&one, &both]);
        assert_eq!(
            batch.body.matches('\n').count(),
            batch.body.matches("\r\n").count()
        );
        assert!(batch.body.ends_with("--\r\n"));
    }

    #[test]
    fn operations_of_a_change_set_are_numbered_and_those_outside_are_not() {
        let both = Unit::of(vec![operation("/b"), operation("/c")]).unwrap();
        let body = write(&[&Unit::One(operation("/a")), &both]).body;
        assert_eq!(body.matches("Content-ID: ").count(), 2);
        assert!(body.contains("Content-ID: 2\r\n\r\nPATCH /c HTTP/1.1\r\n"));
    }
}
