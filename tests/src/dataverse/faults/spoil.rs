//! Faults that spoil an answer after the request was performed.

use std::time::Duration;

use jiff::SignedDuration;
use jiff::fmt::rfc2822::DateTimeParser;

use super::{Fault, Faults, batch, instead, page};
use crate::wire::{Answer, Body, Delivery};

impl Fault {
    /// Returns how long to wait before the answer of a request that was performed.
    pub(crate) fn wait_after(&self) -> Duration {
        match self {
            Self::DelayAfter { milliseconds } => Duration::from_millis(*milliseconds),
            _ => Duration::ZERO,
        }
    }

    /// Returns the answer as the fault leaves it.
    pub(crate) fn spoil(&self, faults: &Faults, answer: Answer) -> Answer {
        match self {
            Self::ResetAfter => answer.delivered(Delivery::Reset),
            Self::StatusAfter {
                status,
                body,
                retry_after,
            } => instead::scripted(*status, body.as_ref(), retry_after.as_deref()).dated_as(&answer),
            Self::Header { name, value } => headed(answer, name, value.as_deref()),
            Self::SkewedDate { seconds } => skewed(answer, *seconds),
            Self::StallInBody => answer.delivered(Delivery::Stalled),
            Self::Drip { milliseconds } => {
                answer.delivered(Delivery::Dripped(Duration::from_millis(*milliseconds)))
            }
            Self::TruncatedBody => answer.delivered(Delivery::Truncated),
            Self::WrongContentLength => answer.delivered(Delivery::TooShort),
            Self::Oversized { bytes } => answer.delivered(Delivery::Padded(*bytes)),
            Self::TruncatedJson => halve(answer),
            Self::MissingPart { .. }
            | Self::DeniedPart { .. }
            | Self::MisorderedParts
            | Self::OddBoundary => batch::spoil(self, answer),
            _ => page::spoil(self, faults, answer),
        }
    }
}

fn headed(mut answer: Answer, name: &str, value: Option<&str>) -> Answer {
    answer.headers.remove(name);
    match value {
        Some(value) => answer.with(name, value),
        None => answer,
    }
}

/// Moves the date of an answer; one that cannot be read is left alone.
fn skewed(answer: Answer, seconds: i64) -> Answer {
    let date = answer.headers.get("date").and_then(|date| date.to_str().ok());
    let told = date.and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let moved = told.and_then(|told| told.checked_add(SignedDuration::from_secs(seconds)).ok());
    match moved {
        Some(moved) => answer.dated(moved),
        None => answer,
    }
}

fn halve(mut answer: Answer) -> Answer {
    let plain = answer.body.to_plain();
    answer.body = Body::Bytes(plain.slice(..plain.len() / 2));
    answer
}
