//! What was asked of a server, in numbers and one by one.

use jiff::Timestamp;
use serde::Serialize;

use super::server::SignIn;

/// Counts the token calls of one client with one grant type that reached the server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Calls {
    /// The client as it called itself.
    pub client_id: String,
    /// The grant type as it was asked for.
    pub grant_type: String,
    /// Calls that were given a token, whether or not the answer arrived.
    pub given: u64,
    /// Calls that were refused.
    pub refused: u64,
}

/// Describes one token call that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The client as it called itself.
    pub client_id: String,
    /// The grant type as it was asked for.
    pub grant_type: String,
    /// The error, such as `invalid_grant`.
    pub error: &'static str,
    /// The number of the error, where the system has numbers.
    pub number: Option<u64>,
    /// When.
    pub at: Timestamp,
}

/// Keeps account of token calls.
#[derive(Debug, Default)]
pub(super) struct Book {
    calls: Vec<Calls>,
    refused: Vec<Refused>,
}

impl Book {
    pub(super) fn note_given(&mut self, client_id: &str, grant_type: &str) {
        self.line(client_id, grant_type).given += 1;
    }

    pub(super) fn note_refused(&mut self, refused: Refused) {
        self.line(&refused.client_id, &refused.grant_type).refused += 1;
        self.refused.push(refused);
    }

    fn line(&mut self, client_id: &str, grant_type: &str) -> &mut Calls {
        let mut lines = self.calls.iter();
        let known = lines.position(|line| line.client_id == client_id && line.grant_type == grant_type);
        let at = known.unwrap_or_else(|| {
            self.calls.push(Calls {
                client_id: client_id.to_owned(),
                grant_type: grant_type.to_owned(),
                ..Calls::default()
            });
            self.calls.len() - 1
        });
        &mut self.calls[at]
    }
}

impl SignIn {
    /// Returns the number of token calls by client and grant type.
    pub fn calls(&self) -> Vec<Calls> {
        self.state().book.calls.clone()
    }

    /// Returns the number of token calls of one client with one grant type.
    pub fn calls_of(&self, client_id: &str, grant_type: &str) -> Calls {
        self.state().book.line(client_id, grant_type).clone()
    }

    /// Returns every token call that was refused, in order.
    pub fn refusals(&self) -> Vec<Refused> {
        self.state().book.refused.clone()
    }
}
