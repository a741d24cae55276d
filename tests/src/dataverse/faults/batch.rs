//! Faults in the answers of batches.

use super::Fault;
use crate::wire::{Answer, Body};

/// A boundary that is allowed by the grammar and that careless parsers stumble over.
const DENIED: &str = "\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n\
    HTTP/1.1 403 Forbidden\r\nContent-Type: application/json; odata.metadata=minimal\r\nOData-Version: 4.0\r\n\r\n\
    {\"error\":{\"code\":\"0x80040220\",\"message\":\"The user lacks prvReadContact for the row.\"}}\r\n";

const ODD: &str = "batch response=(1):'+_,-./:? x";

/// Spoils a multipart answer; any other is left alone.
pub(super) fn spoil(fault: &Fault, mut answer: Answer) -> Answer {
    let Some(boundary) = boundary(&answer) else {
        return answer;
    };
    let body = String::from_utf8_lossy(&answer.body.to_plain()).into_owned();
    let delimiter = format!("--{boundary}");
    let mut parts: Vec<&str> = body.split(&delimiter).skip(1).collect();
    let end = parts.pop().unwrap_or_default();
    match fault {
        Fault::MissingPart { index } if *index < parts.len() => drop(parts.remove(*index)),
        Fault::DeniedPart { index } if *index < parts.len() => parts[*index] = DENIED,
        Fault::MisorderedParts => parts.reverse(),
        Fault::OddBoundary => {
            answer = answer.with("content-type", &format!("multipart/mixed; boundary=\"{ODD}\""))
        }
        _ => {}
    }
    let delimiter = if matches!(fault, Fault::OddBoundary) {
        format!("--{ODD}")
    } else {
        delimiter
    };
    let joined: String = parts
        .iter()
        .chain([&end])
        .map(|part| format!("{delimiter}{part}"))
        .collect();
    answer.body = Body::Bytes(joined.into());
    answer
}

fn boundary(answer: &Answer) -> Option<String> {
    let kind = answer.headers.get("content-type")?.to_str().ok()?;
    kind.split_once("boundary=")
        .map(|(_, boundary)| boundary.to_owned())
}
