//! Webhooks as they arrive.

use std::fmt;
use std::hint::black_box;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use ring::hmac::{HMAC_SHA256, Key};
use url::form_urlencoded;

use super::mac;
use super::refused::{Reason, Refused};
use super::verified::VerifiedWebhook;
use super::verifier::Verifier;

/// The most bytes of a header that is looked at.
const LONGEST: usize = 4096;

/// A request that says it is a webhook: nothing of it is to be believed.
#[derive(Clone, Default)]
pub struct RawWebhook {
    /// Its headers, each as often as it stands there.
    pub headers: HeaderMap,
    /// What stands behind the `?` of its address, as it was sent.
    pub query: Option<String>,
    /// The bytes of its body, as they were sent; they need not be text.
    pub body: Bytes,
}

impl RawWebhook {
    /// Finds out whether it comes from who keeps the secret.
    ///
    /// # Errors
    ///
    /// `Refused` where it does not, where it is too old or of the future, and where anything is missing, doubled or
    /// ambiguous.
    pub fn verify(self, verifier: &Verifier, now: Timestamp) -> Result<VerifiedWebhook, Refused> {
        Ok(verifier.check(self, now)?)
    }

    /// Refuses what was sent to an endpoint that is not there, with the work that one that is there would have made.
    #[must_use]
    pub fn refuse(self) -> Refused {
        let nobody = Key::new(HMAC_SHA256, &[0; 32]);
        black_box(mac::signs(&nobody, &[&self.body], &[0; 32]));
        Reason::Endpoint.into()
    }

    /// Returns a header that stands there once, in visible ASCII and spaces.
    pub(super) fn header(&self, name: &str) -> Result<&str, Reason> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Err(Reason::Missing),
            (Some(value), None) => {
                let text = value.to_str().ok().filter(|text| text.len() <= LONGEST);
                text.ok_or(Reason::Malformed)
            }
            (Some(_), Some(_)) => Err(Reason::Repeated),
        }
    }

    /// Returns a part of the query that stands there once.
    pub(super) fn query(&self, name: &str) -> Result<String, Reason> {
        let query = self.query.as_deref().unwrap_or_default();
        if query.len() > LONGEST {
            return Err(Reason::Malformed);
        }
        let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
        match (values.next(), values.next()) {
            (None, _) => Err(Reason::Missing),
            (Some((_, value)), None) => Ok(value.into_owned()),
            (Some(_), Some(_)) => Err(Reason::Repeated),
        }
    }
}

/// Headers and query may hold a secret, and the body is a person's.
impl fmt::Debug for RawWebhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawWebhook")
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_not_there_refuses_everything() {
        for body in ["", "{}"] {
            let raw = RawWebhook {
                body: body.into(),
                ..RawWebhook::default()
            };
            assert_eq!(raw.refuse().reason(), Reason::Endpoint);
        }
    }

    #[test]
    fn nothing_of_a_webhook_is_shown() {
        let mut raw = RawWebhook {
            query: Some("code=canary".to_owned()),
            body: "canary".into(),
            ..RawWebhook::default()
        };
        raw.headers.insert("x-secret", "canary".parse().unwrap());
        assert!(!format!("{raw:?}").contains("canary"));
    }

    #[test]
    fn a_header_is_found_however_its_name_is_written() {
        let mut raw = RawWebhook::default();
        let name = http::HeaderName::from_bytes(b"Webhook-ID").unwrap();
        raw.headers.insert(name, "one".parse().unwrap());
        assert_eq!(raw.header("webhook-id"), Ok("one"));
        raw.headers.append("webhook-id", "one".parse().unwrap());
        assert_eq!(raw.header("webhook-id"), Err(Reason::Repeated));
    }
}
