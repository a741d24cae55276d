//! One function for each operation.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use secrecy::{ExposeSecret, SecretString};
use url::Url;
use uuid::Uuid;

use super::account::SoapAccount;
use super::envelope::{Blames, Fault, MEDIA_TYPE, Misread, Reply, message, reply};
use crate::adapter::{self, Error, ErrorKind};
use crate::adapters::xledger::xml::is_plain;
use crate::clock::Clock;
use crate::http::{Answer, Call, Cause, Failure, Http, Limits, retry_at};

const LOGON: &str = "LogonKey";
const UPLOAD: &str = "ReceiveFile";
const IMPORT_CODE: &str = "GL02XML";

/// What an upload may take. With a second one and two keys between, it is still well within the time of a claim.
const UPLOAD_LIMITS: Limits = Limits {
    total: Duration::from_secs(40),
    body: 64 << 10,
};

/// The most letters of a key.
const LONGEST_KEY: usize = 4_000;

/// Speaks to the services in the name of one user.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) account: SoapAccount,
    /// For what wants no certificate, which is not shown one.
    http: Http,
    uploads: Http,
    clock: Arc<dyn Clock>,
}

/// A file as it is sent.
pub(super) struct File<'a> {
    pub(super) name: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) entity: &'a str,
    /// What a reason must not tell of it.
    pub(super) hidden: Vec<&'a str>,
}

/// What became of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Uploaded {
    Accepted,
    /// The key was not taken, and so the file was not.
    KeyRefused,
    Rejected(String),
    NotSent(String),
    Unknown,
}

impl Client {
    pub(super) fn new(account: SoapAccount, http: &Http, clock: Arc<dyn Clock>) -> Self {
        let identity = account.credentials.identity.clone();
        let uploads = identity.map_or_else(|| http.clone(), |identity| http.with_identity(identity));
        Self {
            account,
            http: http.clone(),
            uploads,
            clock,
        }
    }

    /// Asks for a key.
    pub(super) async fn logon(&self) -> adapter::Result<SecretString> {
        let (settings, credentials) = (&self.account.settings, &self.account.credentials);
        let parameters = [
            ("sLogonID", &*credentials.user),
            ("sPassword", credentials.password.expose_secret()),
            ("sApplication", &*settings.application),
        ];
        let call = call(&settings.authentication, LOGON, &parameters, Limits::SHORT)
            .map_err(|_| Error::new(ErrorKind::Malformed, "the message could not be written"))?;
        let answer = self
            .http
            .send(call)
            .await
            .map_err(|failure| unanswered(&failure))?;
        let answer = answer.whole().map_err(|failure| unanswered(&failure))?;
        match reply(LOGON, &answer.body) {
            Ok(Reply::Result(key)) if key.is_empty() => Err(refused(None)),
            Ok(Reply::Result(key)) if key.len() <= LONGEST_KEY && is_plain(&key) => Ok(key.into()),
            Ok(Reply::Result(_)) => Err(Error::new(ErrorKind::Malformed, "the service gives no key")),
            Ok(Reply::Fault(fault)) => Err(self.logon_fault(&fault)),
            Err(misread) => Err(self.logon_refused(&answer, misread)),
        }
    }

    /// Sends a file, once.
    pub(super) async fn upload(&self, key: &SecretString, file: &File<'_>) -> Uploaded {
        let (settings, credentials) = (&self.account.settings, &self.account.credentials);
        let encoded = STANDARD.encode(file.bytes);
        let parameters = [
            ("sUserName", &*credentials.user),
            ("sKey", key.expose_secret()),
            ("sApplication", &*settings.application),
            ("sFileName", file.name),
            ("aFile", &encoded),
            ("sImportCode", IMPORT_CODE),
            ("iEntityCode", file.entity),
        ];
        let Ok(call) = call(&settings.upload, UPLOAD, &parameters, UPLOAD_LIMITS) else {
            return Uploaded::Rejected("the message could not be written".to_owned());
        };
        match self.uploads.send(call).await {
            Ok(answer) if answer.cut.is_some() => doubtful("the answer breaks off"),
            Ok(answer) => self.uploaded(&answer, key, file),
            Err(failure) if failure.may_have_been_sent() => doubtful(&failure.to_string()),
            Err(failure) => Uploaded::NotSent(failure.to_string()),
        }
    }

    fn uploaded(&self, answer: &Answer, key: &SecretString, file: &File<'_>) -> Uploaded {
        match reply(UPLOAD, &answer.body) {
            Ok(Reply::Result(result)) if answer.status.is_success() && is_taken(&result) => {
                Uploaded::Accepted
            }
            Ok(Reply::Result(_)) => doubtful("the result is none that is known"),
            Ok(Reply::Fault(fault)) if fault.is_about_key() => Uploaded::KeyRefused,
            Ok(Reply::Fault(fault)) => {
                let hidden = file.hidden.iter().copied();
                let reason = fault.told(self.secrets().chain([key.expose_secret()]).chain(hidden));
                match fault.blames {
                    Blames::Sender | Blames::Message => Uploaded::Rejected(reason),
                    Blames::Receiver => doubtful(&reason),
                }
            }
            Err(misread) => match answer.status.as_u16() {
                401 | 403 if self.account.credentials.identity.is_none() => Uploaded::NotSent(
                    "the service wants a certificate: give one with the credentials".to_owned(),
                ),
                status @ (401 | 403 | 404 | 405 | 413 | 415 | 429) => {
                    Uploaded::NotSent(format!("the service turns the upload away (status={status})"))
                }
                _ => doubtful(&misread.to_string()),
            },
        }
    }

    fn secrets(&self) -> impl Iterator<Item = &str> {
        let credentials = &self.account.credentials;
        [credentials.password.expose_secret(), &*credentials.user].into_iter()
    }

    fn logon_fault(&self, fault: &Fault) -> Error {
        let reason = fault.told(self.secrets());
        let error = match fault.blames {
            Blames::Sender => refused(Some(reason)),
            Blames::Message => Error::new(ErrorKind::Malformed, "the service does not read the message")
                .with("reason", reason),
            Blames::Receiver => {
                Error::new(ErrorKind::Unavailable, "the service could not give a key").with("reason", reason)
            }
        };
        error.with("code", fault.blames.as_str())
    }

    fn logon_refused(&self, answer: &Answer, misread: Misread) -> Error {
        let until = || retry_at(&answer.headers, self.clock.now());
        let (kind, message) = match answer.status.as_u16() {
            401 => (ErrorKind::Unauthenticated, "the service does not let us in"),
            403 => (ErrorKind::PermissionDenied, "the service does not let us in"),
            404 | 405 => (ErrorKind::NotFound, "there is no such service"),
            429 => (
                ErrorKind::RateLimited { until: until() },
                "the service wants to be left alone",
            ),
            408 | 500.. => (ErrorKind::Unavailable, "the service is not available"),
            _ => {
                return Error::new(ErrorKind::Malformed, misread.to_string())
                    .with("status", answer.status.as_u16());
            }
        };
        Error::new(kind, message).with("status", answer.status.as_u16())
    }
}

fn call(url: &Url, operation: &str, parameters: &[(&str, &str)], limits: Limits) -> std::io::Result<Call> {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    headers.insert(ACCEPT, HeaderValue::from_static("application/soap+xml"));
    Ok(Call {
        method: Method::POST,
        url: url.clone(),
        headers,
        body: message(operation, parameters)?.into(),
        limits,
    })
}

/// Says whether a result is the name of something that was taken.
fn is_taken(result: &str) -> bool {
    let number = result.parse::<u64>().is_ok_and(|number| number > 0);
    number || result.parse::<Uuid>().is_ok() || ["true", "ok"].contains(&result.to_lowercase().as_str())
}

/// Tells the log what nobody can be told otherwise: the ledger may have the file.
fn doubtful(reason: &str) -> Uploaded {
    tracing::warn!(reason, "nobody can say what became of an upload");
    Uploaded::Unknown
}

fn refused(reason: Option<String>) -> Error {
    let message = "the service refuses user, password or application";
    let error = Error::new(ErrorKind::Unauthenticated, message);
    match reason {
        Some(reason) => error.with("reason", reason),
        None => error,
    }
}

/// Says what a request that got no answer ends in; to ask for a key twice does no harm.
fn unanswered(failure: &Failure) -> Error {
    let (kind, cause) = match failure.cause() {
        Cause::Forbidden => (ErrorKind::Malformed, "configuration"),
        Cause::TooLarge | Cause::Encoding => (ErrorKind::Malformed, "system"),
        Cause::Name => (ErrorKind::Unavailable, "name"),
        Cause::Tls | Cause::Identity => (ErrorKind::Unavailable, "tls"),
        Cause::Network | Cause::Timeout => (ErrorKind::Unavailable, "network"),
    };
    Error::new(kind, failure.to_string()).with("cause", cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_result_that_names_something_says_that_the_file_was_taken() {
        for taken in ["1", "4711", "true", "OK", "3F2504E0-4F89-11D3-9A0C-0305E82C3301"] {
            assert!(is_taken(taken), "{taken}");
        }
        for doubtful in [
            "",
            "0",
            "-1",
            "false",
            "Error",
            "1 error",
            "The file was not imported",
        ] {
            assert!(!is_taken(doubtful), "{doubtful}");
        }
    }
}
