//! Faults that spoil an answer after the request was performed.

use std::time::Duration;

use super::{Fault, Faults, batch, page};
use crate::wire::{Answer, Body, Delivery};

impl Fault {
    /// Returns the answer as the fault leaves it.
    pub(crate) fn spoil(&self, faults: &Faults, answer: Answer) -> Answer {
        match self {
            Self::ResetAfter => answer.delivered(Delivery::Reset),
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

fn halve(mut answer: Answer) -> Answer {
    let plain = answer.body.to_plain();
    answer.body = Body::Bytes(plain.slice(..plain.len() / 2));
    answer
}
