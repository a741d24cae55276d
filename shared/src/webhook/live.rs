//! Keys that count: the current one, and the one before it until its end.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use subtle::{Choice, ConstantTimeEq as _};

use super::secrets::{CURRENT, PREVIOUS, Secrets};
use crate::model::FieldError;

/// What a scheme makes of the secrets of an endpoint.
pub(super) struct Live<K> {
    current: K,
    previous: Option<(K, Timestamp)>,
}

impl<K> Live<K> {
    /// Makes keys of secrets, each by `read`, which says else what would be one.
    pub(super) fn read(
        secrets: &Secrets,
        read: impl Fn(&str) -> Result<K, String>,
    ) -> Result<Self, Vec<FieldError>> {
        let fault = |path: &'static str| move |reason: String| FieldError::new(path, reason);
        let text = secrets.current.expose_secret();
        let current = read(text).map_err(fault(CURRENT));
        let previous = secrets.previous.as_ref().map(|(secret, until)| {
            let key = different(secret.expose_secret(), text).and_then(&read);
            Ok((key.map_err(fault(PREVIOUS))?, *until))
        });
        match (current, previous.transpose()) {
            (Ok(current), Ok(previous)) => Ok(Self { current, previous }),
            (current, previous) => Err(current.err().into_iter().chain(previous.err()).collect()),
        }
    }

    /// Says whether any key that is live matches; all of them are asked.
    pub(super) fn any(&self, now: Timestamp, matches: impl Fn(&K) -> Choice) -> bool {
        let previous = self.previous.as_ref().filter(|(_, until)| now < *until);
        let matched = previous.map_or(Choice::from(0), |(key, _)| matches(key));
        (matched | matches(&self.current)).into()
    }
}

fn different<'a>(previous: &'a str, current: &str) -> Result<&'a str, String> {
    match previous.as_bytes().ct_eq(current.as_bytes()).into() {
        false => Ok(previous),
        true => Err("must be another than the current one".to_owned()),
    }
}
