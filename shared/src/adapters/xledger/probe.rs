//! One cheap question for each capability.

use serde_json::json;

use super::adapter::Xledger;
use super::books::peek_accounts;
use super::client::Client;
use super::config::Protocol;
use super::ledger::may_write;
use super::look::{BOOKS, QUEUE};
use crate::adapter::{Error, ErrorKind, Finding, Result};

impl Xledger {
    pub(super) async fn ask_everything(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(client) = &self.ways.graphql {
            findings.extend(self.ask_graphql(client).await);
        }
        if let Some(soap) = &self.ways.soap {
            findings.push(told(
                "sign in by SOAP",
                soap.sign_in().await,
                "SOAP lets the user in",
            ));
        }
        if self.settings.protocol == Protocol::Csv {
            let answer = "vouchers go into files, which a human imports: nothing is asked";
            findings.push(finding("find a way", true, None, answer));
        } else if findings.is_empty() {
            let answer = "there are no credentials for any of the ways to the ledger";
            findings.push(finding("find a way", false, Some("configuration"), answer));
        }
        findings
    }

    async fn ask_graphql(&self, client: &Client) -> Vec<Finding> {
        let greeted = client.greet().await;
        let mut findings = vec![told("sign in", greeted, "the API token is accepted")];
        if findings.iter().any(|finding| !finding.works) {
            return findings;
        }
        findings.push(told(
            "read the import queue",
            client.peek(&QUEUE).await,
            "lines that wait to be posted can be read",
        ));
        findings.push(told(
            "write to the import queue",
            may_write(client).await,
            "lines may be added; none was",
        ));
        findings.push(told(
            "read posted lines",
            client.peek(&BOOKS).await,
            "lines in the books can be read",
        ));
        findings.push(self.ask_by_name(client).await);
        findings.push(told(
            "read accounts",
            peek_accounts(client).await,
            "accounts are checked before anything is sent",
        ));
        findings
    }

    /// Without it, nobody could say whether what was sent has arrived.
    async fn ask_by_name(&self, client: &Client) -> Finding {
        let name = format!("{}_in", self.settings.ext_identifier_filter);
        let mut found = Ok(());
        for listing in [QUEUE, BOOKS] {
            let listing = listing.with(name.clone(), "[String!]!", json!(["RE-"]));
            found = found.and(client.peek(&listing).await);
        }
        told(
            "find lines by name",
            found,
            "what was sent is found again by its name",
        )
    }
}

fn told(question: &str, result: Result<()>, answer: &str) -> Finding {
    match result {
        Ok(()) => finding(question, true, None, answer),
        Err(error) => finding(question, false, Some(cause(&error)), &error.to_string()),
    }
}

fn finding(question: &str, works: bool, cause: Option<&'static str>, answer: &str) -> Finding {
    Finding {
        question: question.to_owned(),
        works,
        cause,
        answer: answer.to_owned(),
    }
}

fn cause(error: &Error) -> &'static str {
    const KNOWN: [&str; 4] = ["name", "tls", "network", "configuration"];
    let named = error
        .fact("cause")
        .and_then(|cause| KNOWN.into_iter().find(|known| *known == cause));
    named.unwrap_or(match error.kind() {
        ErrorKind::Unauthenticated => "key",
        ErrorKind::PermissionDenied => "scope",
        ErrorKind::NotFound | ErrorKind::Rejected | ErrorKind::Unsupported => "configuration",
        _ => "system",
    })
}
