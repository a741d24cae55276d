//! Misbehaviour that only Cornerstone has; what any system does wrong is in [`crate::dataverse::faults`], for all of them.
//!
//! Of those, the ones that break the connection, the status, the time, the body, or the rows and links of a page are as good here
//! as anywhere; `unauthorized`, `tooManyRequests` and `errorInBody` speak as Dataverse does.

use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;

use super::answer::{Refusal, json_answer, outage};
use super::server::Cornerstone;
use crate::wire::{Answer, Delivery, Request};

/// Says what goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Misbehaviour {
    /// Answers 429, with anything in the headers that tell of limits, or without them.
    TooManyRequests {
        /// The text of `x-csod-throttling-rate-limit-urilevel`.
        #[serde(default)]
        level: Option<String>,
        /// The text of `x-csod-requests-remaining-urilevel`.
        #[serde(default)]
        remaining: Option<String>,
    },
    /// Answers 401, as for a bad token or for a missing permission.
    Unauthorized,
    /// Answers 503 with a page for humans.
    Outage,
    /// Answers that there is no such record.
    NotFound,
    /// Answers 200 with an error in the envelope.
    ErrorInEnvelope {
        /// The message.
        message: String,
    },
    /// Does what was asked later by the simulated clock, and resets the connection or answers with a status now.
    ApplyLater {
        /// How much later.
        seconds: i64,
        /// The status; the connection is reset when there is none.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Makes every next link invalid.
    ExpireNextLinks,
}

impl Cornerstone {
    /// Returns the answer that a request gets instead of being performed now, if it gets one.
    pub(crate) fn instead(&self, misbehaviour: &Misbehaviour, request: &Request) -> Option<Answer> {
        Some(match misbehaviour {
            Misbehaviour::TooManyRequests { level, remaining } => {
                let told = [
                    ("x-csod-throttling-rate-limit-urilevel", level),
                    ("x-csod-requests-remaining-urilevel", remaining),
                ];
                let told = told
                    .into_iter()
                    .filter_map(|(name, text)| Some((name, text.as_deref()?)));
                told.fold(Refusal::too_many().to_answer(), |answer, (name, text)| {
                    answer.with(name, text)
                })
            }
            Misbehaviour::Unauthorized => Refusal::unauthorized().to_answer(),
            Misbehaviour::Outage => outage(),
            Misbehaviour::NotFound => Refusal::not_found().to_answer(),
            Misbehaviour::ErrorInEnvelope { message } => {
                let refusal = Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message);
                json_answer(StatusCode::OK, &refusal.to_body())
            }
            Misbehaviour::ApplyLater { seconds, status } => {
                self.perform_later(self.now() + SignedDuration::from_secs(*seconds), request.clone());
                lost(*status)
            }
            Misbehaviour::ExpireNextLinks => {
                self.expire_next_links();
                return None;
            }
        })
    }
}

/// Returns what is seen of an answer that was lost.
fn lost(status: Option<u16>) -> Answer {
    match status {
        Some(status) => Answer::empty(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)),
        None => Answer::empty(StatusCode::OK).delivered(Delivery::Reset),
    }
}
