//! What an organization shows to the system.
//!
//! # Shape
//!
//! One of `{"apiKey":"…"}`, `{"token":"…"}`, `{"userName":"…","password":"…"}` and
//! `{"clientId":"…","clientSecret":"…"}`, as the profile's `auth` wants it, with `expiresAt` where it is known; and `{}`
//! where records travel as files.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::profile::Auth;
use crate::model::FieldError;
use crate::settings::{Faults, Section};

/// What is shown.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) shown: Shown,
    pub(super) expires_at: Option<Timestamp>,
}

/// Who somebody is, in the way that a profile wants it.
#[derive(Debug, Clone)]
pub(super) enum Shown {
    Nothing,
    ApiKey(SecretString),
    Token(SecretString),
    Login { user: String, password: SecretString },
    Client { id: String, secret: SecretString },
}

impl Credentials {
    /// Reads credentials; a fault names the member and never what it holds.
    pub(super) fn read(json: &SecretString) -> Result<Self, Vec<FieldError>> {
        let unreadable = |_| vec![FieldError::new("credentials", "must be a JSON object")];
        let value: Value = serde_json::from_str(json.expose_secret()).map_err(unreadable)?;
        let faults = Faults::default();
        let credentials = Section::open("credentials", &value, &faults).and_then(|section| {
            let shown = shown(&section);
            let expires_at = section.text("expiresAt", end);
            section.finish();
            Some(Self {
                shown: shown?,
                expires_at,
            })
        });
        faults.or(credentials)
    }

    /// Checks that they are what the profile wants.
    pub(super) fn check(&self, auth: &Auth) -> Result<(), Vec<FieldError>> {
        let wanted = match (auth, &self.shown) {
            (Auth::ApiKey { .. }, Shown::ApiKey(_))
            | (Auth::Bearer, Shown::Token(_))
            | (Auth::Basic, Shown::Login { .. })
            | (Auth::Oidc { .. }, Shown::Client { .. }) => return Ok(()),
            (Auth::ApiKey { .. }, _) => ("apiKey", "is required: `settings.auth` is apiKey"),
            (Auth::Bearer, _) => ("token", "is required: `settings.auth` is bearer"),
            (Auth::Basic, _) => ("userName", "and password are required: `settings.auth` is basic"),
            (Auth::Oidc { .. }, _) => (
                "clientId",
                "and clientSecret are required: `settings.auth` is oidc",
            ),
        };
        Err(vec![FieldError::new(
            format!("credentials.{}", wanted.0),
            wanted.1,
        )])
    }
}

fn shown(section: &Section<'_>) -> Option<Shown> {
    let there = |name| section.get(name).is_some();
    let kinds = [
        there("apiKey"),
        there("token"),
        there("userName") | there("password"),
        there("clientId") | there("clientSecret"),
    ];
    match kinds {
        [false, false, false, false] => Some(Shown::Nothing),
        [true, false, false, false] => Some(Shown::ApiKey(section.required("apiKey", secret)?.into())),
        [false, true, false, false] => Some(Shown::Token(section.required("token", secret)?.into())),
        [false, false, true, false] => {
            let user = section.required("userName", user_name);
            let password = section.required("password", password);
            Some(Shown::Login {
                user: user?,
                password: password?.into(),
            })
        }
        [false, false, false, true] => {
            let id = section.required("clientId", secret);
            let secret = section.required("clientSecret", secret);
            Some(Shown::Client {
                id: id?,
                secret: secret?.into(),
            })
        }
        _ => {
            let reason = "is one of several: give an apiKey, a token, a userName with password, or a clientId with \
                          clientSecret";
            for (name, is_there) in ["apiKey", "token", "userName", "clientId"].into_iter().zip(kinds) {
                if is_there {
                    section.fault(name, reason);
                }
            }
            None
        }
    }
}

fn secret(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 4_000 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 4000 visible ASCII characters".to_owned()),
    }
}

/// A colon would end the name.
fn user_name(text: &str) -> Result<String, String> {
    match text.contains(':') {
        true => Err("must not hold a colon".to_owned()),
        false => password(text),
    }
}

fn password(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 500 && !text.chars().any(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 500 characters without control characters".to_owned()),
    }
}

/// A date is its beginning in UTC: who is warned a day early loses nothing.
fn end(text: &str) -> Result<Timestamp, String> {
    let date = || {
        let date: Date = Some(text)
            .filter(|text| text.len() == "2027-01-31".len())?
            .parse()
            .ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let end = text.parse().ok().or_else(date);
    end.ok_or_else(|| "must be a date, or a time with its offset, such as 2027-01-31T09:00:00Z".to_owned())
}
