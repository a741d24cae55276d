//! The secrets of an endpoint: one, and while it takes the place of another, two.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use crate::model::FieldError;
use crate::settings::{Faults, Section};

/// Where the secret stands, for faults.
pub(super) const CURRENT: &str = "secrets.current";
/// Where the one before it stands.
pub(super) const PREVIOUS: &str = "secrets.previous";

/// The secret of an endpoint, and the one before it for as long as it counts; there is no place for a third.
///
/// # Shape
///
/// As it is put and kept, in the store of secrets and never in a row:
///
/// ```json
/// { "current": "whsec_…", "previous": "whsec_…", "previousUntil": "2027-01-31T09:00:00Z" }
/// ```
#[derive(Debug, Clone)]
pub struct Secrets {
    pub(super) current: SecretString,
    pub(super) previous: Option<(SecretString, Timestamp)>,
}

impl Secrets {
    /// Takes a secret that no other is live beside.
    #[must_use]
    pub const fn of(current: SecretString) -> Self {
        Self {
            current,
            previous: None,
        }
    }

    /// Reads secrets; whether a scheme can do anything with them is [`Verifier::new`](super::Verifier::new)'s to say.
    ///
    /// # Errors
    ///
    /// Every fault, under `secrets`, and nothing of what they hold. A previous secret without an end is one.
    pub fn read(json: &SecretString) -> Result<Self, Vec<FieldError>> {
        let unreadable = |_| vec![FieldError::new("secrets", "must be a JSON object")];
        let value: Value = serde_json::from_str(json.expose_secret()).map_err(unreadable)?;
        let faults = Faults::default();
        let secrets = Section::open("secrets", &value, &faults).and_then(|section| {
            let current = section.required("current", secret);
            let previous = previous(&section);
            section.finish();
            Some(Self {
                current: current?,
                previous: previous?,
            })
        });
        faults.or(secrets)
    }
}

/// Reads the secret before, which may be missing, with its end, which may not.
fn previous(section: &Section<'_>) -> Option<Option<(SecretString, Timestamp)>> {
    let (secret, until) = (
        section.text("previous", secret),
        section.text("previousUntil", end),
    );
    let is_there = |name| section.get(name).is_some();
    match (is_there("previous"), is_there("previousUntil")) {
        (false, false) => Some(None),
        (true, true) => Some(Some((secret?, until?))),
        (true, false) => {
            section.fault("previousUntil", "is required where there is a previous secret");
            None
        }
        (false, true) => {
            section.fault("previousUntil", "is of no use without a previous secret");
            None
        }
    }
}

fn secret(text: &str) -> Result<SecretString, String> {
    Ok(text.into())
}

fn end(text: &str) -> Result<Timestamp, String> {
    let time = text.parse().ok();
    time.ok_or_else(|| "must be a time with its offset, such as 2027-01-31T09:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(json: &str) -> Vec<String> {
        let faults = Secrets::read(&json.into()).unwrap_err();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    #[test]
    fn two_secrets_are_live_at_most_and_the_older_one_ends() {
        let both = r#"{ "current": "a", "previous": "b", "previousUntil": "2027-01-31T10:00:00+01:00" }"#;
        let secrets = Secrets::read(&both.into()).unwrap();
        let (_, until) = secrets.previous.unwrap();
        assert_eq!(until, "2027-01-31T09:00:00Z".parse().unwrap());
        assert_eq!(
            faults(r#"{ "current": "a", "previous": "b" }"#),
            ["secrets.previousUntil"]
        );
        let third = r#"{ "current": "a", "previous": ["b", "c"], "previousUntil": "2027-01-31T09:00:00Z" }"#;
        assert_eq!(faults(third), [PREVIOUS]);
    }

    #[test]
    fn every_fault_is_told_and_nothing_is_shown() {
        let wrong = r#"{ "current": 1, "previousUntil": "canary", "canary": 1 }"#;
        let paths = [
            "secrets.current",
            "secrets.previousUntil",
            "secrets.previousUntil",
            "secrets.canary",
        ];
        assert_eq!(faults(wrong), paths);
        assert_eq!(faults("[]"), ["secrets"]);
        assert_eq!(faults("canary"), ["secrets"]);
        assert_eq!(faults("{}"), [CURRENT]);
        let secrets = Secrets::read(&r#"{ "current": "canary" }"#.into()).unwrap();
        assert!(!format!("{secrets:?}").contains("canary"));
    }
}
