//! Misbehaviour that only Xledger has; what any system does wrong is in [`crate::dataverse::faults`], for all of them.
//!
//! Of those, the ones that break the connection, the status, the time or the body are as good here as anywhere; `unauthorized`,
//! `tooManyRequests` and `errorInBody` speak as Dataverse does.

use http::StatusCode;
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::graphql::Refusal;
use super::server::{Xledger, json_answer, maintenance};
use super::soap::{Fault, Role};
use super::usage::Limit;
use crate::wire::{Answer, Delivery, Request};

/// Says what goes wrong.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Misbehaviour {
    /// Answers as if a limit were exceeded.
    Limit {
        /// The limit.
        limit: Limit,
        /// For credits: when there are new ones.
        #[serde(default)]
        resets_after_seconds: i64,
    },
    /// Answers that the query timed out.
    TimedOut,
    /// Answers as if the API token were bad.
    BadToken,
    /// Answers 503 with a page for humans.
    Maintenance,
    /// Answers with an error.
    Error {
        /// The message.
        message: String,
        /// The code beside the message.
        #[serde(default)]
        code: Option<String>,
        /// The extensions.
        #[serde(default)]
        extensions: Option<Value>,
    },
    /// Does what was asked later by the simulated clock, and resets the connection or answers with a status now.
    ApplyLater {
        /// How much later.
        seconds: i64,
        /// The status; the connection is reset when there is none.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Takes the first nodes of every list in the variables and forgets the others, and resets the connection or answers with
    /// a status.
    ApplyFirst {
        /// The number of nodes that are taken.
        nodes: usize,
        /// The status; the connection is reset when there is none.
        #[serde(default)]
        status: Option<u16>,
    },
    /// Answers with a fault of SOAP.
    SoapFault {
        /// The status, which is 500, or 200 where the service hides its faults.
        status: u16,
        /// Who is to blame.
        role: Role,
        /// The reason.
        reason: String,
    },
}

impl Xledger {
    /// Returns the answer that a request gets instead of being performed now.
    pub(crate) fn instead(&self, misbehaviour: &Misbehaviour, request: &Request) -> Answer {
        let now = self.clock.now();
        match misbehaviour {
            Misbehaviour::Limit {
                limit,
                resets_after_seconds,
            } => {
                let resets_at = now + SignedDuration::from_secs(*resets_after_seconds);
                json_answer(&limit.refusal(resets_at).to_body())
            }
            Misbehaviour::TimedOut => json_answer(&Refusal::timed_out().to_body()),
            Misbehaviour::BadToken => {
                json_answer(&Refusal::new("The API token is invalid or has expired.").to_body())
            }
            Misbehaviour::Maintenance => maintenance(),
            Misbehaviour::Error {
                message,
                code,
                extensions,
            } => {
                let error = json!({ "message": message, "code": code, "extensions": extensions });
                json_answer(&json!({ "errors": [error] }))
            }
            Misbehaviour::ApplyLater { seconds, status } => {
                self.perform_later(now + SignedDuration::from_secs(*seconds), request.clone());
                lost(*status)
            }
            Misbehaviour::ApplyFirst { nodes, status } => {
                self.settle();
                drop(self.perform(&shortened(request, *nodes), now));
                lost(*status)
            }
            Misbehaviour::SoapFault { status, role, reason } => {
                Fault::new(*role, reason).to_answer(code_of(*status))
            }
        }
    }
}

/// Returns what is seen of an answer that was lost.
fn lost(status: Option<u16>) -> Answer {
    match status {
        Some(status) => Answer::empty(code_of(status)),
        None => Answer::empty(StatusCode::OK).delivered(Delivery::Reset),
    }
}

/// Returns the request with at most so many items in each list of its variables.
fn shortened(request: &Request, items: usize) -> Request {
    let mut request = request.clone();
    let Ok(mut body) = serde_json::from_slice::<Value>(&request.body) else {
        return request;
    };
    let variables = body["variables"].as_object_mut();
    for list in variables
        .into_iter()
        .flatten()
        .filter_map(|(_, value)| value.as_array_mut())
    {
        list.truncate(items);
    }
    request.body = body.to_string().into();
    request
}

fn code_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}
