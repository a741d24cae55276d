//! Messages of SOAP 1.2, out and in.

use std::io;

use crate::adapters::xledger::xml::{self, Element, Unreadable, read, write_text};
use crate::norwegian;

const ENVELOPE: &str = "http://www.w3.org/2003/05/soap-envelope";
const NAMESPACE: &str = "http://ws.xledger.net/";

/// What every message is sent as.
pub(super) const MEDIA_TYPE: &str = "application/soap+xml; charset=utf-8";

/// The most letters of a reason that are passed on.
const LONGEST_REASON: usize = 300;

/// What an answer says; a result may be a key, and is not shown.
pub(super) enum Reply {
    Result(String),
    Fault(Fault),
}

/// Why an operation was not performed, as the service says.
pub(super) struct Fault {
    pub(super) blames: Blames,
    pub(super) reason: String,
}

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blames {
    /// Whoever sent the message: it was refused.
    Sender,
    /// The message is none that the service reads: it was refused.
    Message,
    /// Whoever received it: nothing is said of what was done.
    Receiver,
}

/// Why an answer is no message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misread {
    #[error(transparent)]
    Xml(#[from] Unreadable),
    #[error("the answer is no message of SOAP 1.2")]
    Envelope,
    #[error("the answer is a message of another operation")]
    Operation,
}

impl Blames {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "Sender",
            Self::Message => "Message",
            Self::Receiver => "Receiver",
        }
    }
}

/// Writes the message of an operation.
///
/// # Errors
///
/// Never: to write into memory does not fail.
pub(super) fn message(operation: &str, parameters: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    xml::write(|writer| {
        let envelope = writer.create_element("soap12:Envelope");
        let envelope = envelope.with_attribute(("xmlns:soap12", ENVELOPE));
        envelope.write_inner_content(|writer| {
            let body = writer.create_element("soap12:Body");
            body.write_inner_content(|writer| {
                let message = writer.create_element(operation);
                let message = message.with_attribute(("xmlns", NAMESPACE));
                message.write_inner_content(|writer| {
                    let mut parameters = parameters.iter();
                    parameters.try_for_each(|(name, text)| write_text(writer, name, text))
                })?;
                Ok(())
            })?;
            Ok(())
        })?;
        Ok(())
    })
}

/// Reads an answer to an operation.
pub(super) fn reply(operation: &str, body: &[u8]) -> Result<Reply, Misread> {
    let envelope = read(body)?;
    if !envelope.is(ENVELOPE, "Envelope") {
        return Err(Misread::Envelope);
    }
    let body = envelope.child(ENVELOPE, "Body").ok_or(Misread::Envelope)?;
    let [content] = body.children.as_slice() else {
        return Err(Misread::Envelope);
    };
    if content.is(ENVELOPE, "Fault") {
        return Ok(Reply::Fault(fault(content)));
    }
    if content.namespace != NAMESPACE || content.name != format!("{operation}Response") {
        return Err(Misread::Operation);
    }
    // A result that is nothing has no element.
    let result = content.child(NAMESPACE, &format!("{operation}Result"));
    let result = result.map(|result| result.text.trim().to_owned());
    Ok(Reply::Result(result.unwrap_or_default()))
}

fn fault(fault: &Element) -> Fault {
    let within = |path: [&str; 2]| {
        let [outer, inner] = path;
        fault.child(ENVELOPE, outer)?.child(ENVELOPE, inner)
    };
    let code = within(["Code", "Value"]).map_or("", |value| value.text.trim());
    let blames = match code.rsplit(':').next() {
        Some("Sender") => Blames::Sender,
        Some("VersionMismatch" | "MustUnderstand" | "DataEncodingUnknown") => Blames::Message,
        _ => Blames::Receiver,
    };
    let reason = within(["Reason", "Text"]).map(|text| text.text.clone());
    Fault {
        blames,
        reason: reason.unwrap_or_default(),
    }
}

impl Fault {
    /// Says whether it is the key that the service does not take. The words for it are not public.
    pub(super) fn is_about_key(&self) -> bool {
        let reason = self.reason.to_lowercase();
        self.blames == Blames::Sender && reason.contains("key") && !reason.contains("file")
    }

    /// Returns the reason in one line, without what is hidden and without numbers of persons.
    pub(super) fn told<'a>(&self, hidden: impl IntoIterator<Item = &'a str>) -> String {
        let mut reason = self.reason.clone();
        let mut hidden: Vec<&str> = hidden.into_iter().filter(|text| !text.is_empty()).collect();
        // What holds another text goes before it.
        hidden.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
        for text in hidden {
            reason = reason.replace(text, "…");
        }
        let words: Vec<&str> = reason
            .split(|letter: char| letter.is_whitespace() || letter.is_control())
            .filter(|word| !word.is_empty())
            .collect();
        let line = words.join(" ");
        norwegian::redact(&line).chars().take(LONGEST_REASON).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enveloped(body: &str) -> String {
        format!("<s:Envelope xmlns:s=\"{ENVELOPE}\"><s:Body>{body}</s:Body></s:Envelope>")
    }

    fn faulted(code: &str, reason: &str) -> Fault {
        let body = enveloped(&format!(
            "<s:Fault><s:Code><s:Value>{code}</s:Value></s:Code><s:Reason><s:Text xml:lang=\"en\">{reason}</s:Text>\
             </s:Reason></s:Fault>"
        ));
        match reply("LogonKey", body.as_bytes()) {
            Ok(Reply::Fault(fault)) => fault,
            _ => panic!("{body}"),
        }
    }

    #[test]
    fn a_message_is_escaped_and_namespaced() {
        let written = message(
            "LogonKey",
            &[("sLogonID", "ola"), ("sPassword", "a<b>&\"c'</sPassword>")],
        )
        .unwrap();
        let text = String::from_utf8(written.clone()).unwrap();
        assert!(
            text.contains("a&lt;b&gt;&amp;&quot;c&apos;&lt;/sPassword&gt;"),
            "{text}"
        );
        let root = read(&written).unwrap();
        let operation = root
            .child(ENVELOPE, "Body")
            .unwrap()
            .child(NAMESPACE, "LogonKey")
            .unwrap();
        assert_eq!(operation.children.len(), 2);
        assert_eq!(
            operation.child(NAMESPACE, "sPassword").unwrap().text,
            "a<b>&\"c'</sPassword>"
        );
    }

    #[test]
    fn a_result_is_read_by_namespace_and_not_by_prefix() {
        for (body, expected) in [
            (
                "<LogonKeyResponse xmlns=\"http://ws.xledger.net/\"><LogonKeyResult> K&amp;1 </LogonKeyResult></LogonKeyResponse>",
                "K&1",
            ),
            (
                "<x:LogonKeyResponse xmlns:x=\"http://ws.xledger.net/\"><x:LogonKeyResult>K</x:LogonKeyResult></x:LogonKeyResponse>",
                "K",
            ),
            (
                "<LogonKeyResponse xmlns=\"http://ws.xledger.net/\"><LogonKeyResult/></LogonKeyResponse>",
                "",
            ),
            ("<LogonKeyResponse xmlns=\"http://ws.xledger.net/\"/>", ""),
        ] {
            match reply("LogonKey", enveloped(body).as_bytes()) {
                Ok(Reply::Result(result)) => assert_eq!(result, expected),
                _ => panic!("{body}"),
            }
        }
    }

    #[test]
    fn what_is_no_answer_to_the_operation_is_not_taken_for_one() {
        let other = "<ReceiveFileResponse xmlns=\"http://ws.xledger.net/\"/>";
        let elsewhere = "<LogonKeyResponse xmlns=\"http://elsewhere.example/\"/>";
        let eleven =
            "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body/></s:Envelope>";
        for (body, why) in [
            (enveloped(other), Misread::Operation),
            (enveloped(elsewhere), Misread::Operation),
            (enveloped(""), Misread::Envelope),
            (enveloped(&format!("{other}{other}")), Misread::Envelope),
            (eleven.to_owned(), Misread::Envelope),
            ("<html/>".to_owned(), Misread::Envelope),
            ("{}".to_owned(), Misread::Xml(Unreadable::Syntax)),
            (
                format!("<!DOCTYPE a>{}", enveloped(other)),
                Misread::Xml(Unreadable::DocumentType),
            ),
        ] {
            assert_eq!(reply("LogonKey", body.as_bytes()).err(), Some(why), "{body}");
        }
    }

    #[test]
    fn a_fault_says_who_is_to_blame() {
        for (code, blames) in [
            ("s:Sender", Blames::Sender),
            ("Sender", Blames::Sender),
            ("s:MustUnderstand", Blames::Message),
            ("s:Receiver", Blames::Receiver),
            ("", Blames::Receiver),
            ("s:Client", Blames::Receiver),
        ] {
            assert_eq!(faulted(code, "why").blames, blames, "{code}");
        }
        assert!(faulted("s:Sender", "The key is not valid or has expired.").is_about_key());
        assert!(!faulted("s:Receiver", "The key is not valid.").is_about_key());
        assert!(!faulted("s:Sender", "The file was refused: a key is missing.").is_about_key());
    }

    #[test]
    fn a_reason_is_one_line_without_what_is_hidden() {
        let fault = faulted(
            "s:Sender",
            "Logon of ola failed:\n password canary,  person 310190 12345,\tkey &lt;canary-long&gt;",
        );
        let told = fault.told(["canary", "canary-long", "ola", ""]);
        assert_eq!(told, "Logon of … failed: password …, person [11 digits], key <…>");
        assert_eq!(
            faulted("s:Sender", &"é ".repeat(400)).told([]).chars().count(),
            LONGEST_REASON
        );
    }
}
