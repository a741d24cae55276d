use http::StatusCode;
use quick_xml::escape::escape;
use serde::Deserialize;

use crate::wire::Answer;

const NAMESPACES: &str = "xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" \
    xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\"";

/// Says who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Whoever sent the message.
    Sender,
    /// Whoever received it.
    Receiver,
}

/// Says why an operation was not performed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::xledger) struct Fault {
    role: Role,
    reason: String,
}

impl Fault {
    pub(in crate::xledger) fn new(role: Role, reason: &str) -> Self {
        Self {
            role,
            reason: reason.to_owned(),
        }
    }

    pub(super) fn sender(reason: &str) -> Self {
        Self::new(Role::Sender, reason)
    }

    pub(in crate::xledger) fn to_answer(&self, status: StatusCode) -> Answer {
        let role = match self.role {
            Role::Sender => "soap:Sender",
            Role::Receiver => "soap:Receiver",
        };
        let reason = escape(self.reason.as_str());
        let body = format!(
            "<soap:Fault><soap:Code><soap:Value>{role}</soap:Value></soap:Code><soap:Reason>\
             <soap:Text xml:lang=\"en\">{reason}</soap:Text></soap:Reason></soap:Fault>"
        );
        enveloped(status, &body)
    }
}

/// Returns the answer of an operation that was performed.
pub(super) fn result(operation: &str, value: &str) -> Answer {
    let value = escape(value);
    let body = format!(
        "<{operation}Response xmlns=\"{}\"><{operation}Result>{value}</{operation}Result></{operation}Response>",
        super::service::NAMESPACE
    );
    enveloped(StatusCode::OK, &body)
}

fn enveloped(status: StatusCode, body: &str) -> Answer {
    let envelope = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><soap:Envelope {NAMESPACES}><soap:Body>{body}</soap:Body>\
         </soap:Envelope>"
    );
    Answer::bytes(status, envelope).with("content-type", "application/soap+xml; charset=utf-8")
}
