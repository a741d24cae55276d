//! What a token endpoint answers.

use std::borrow::Cow;
use std::fmt;

use oauth2::{AccessToken, ErrorResponse, RefreshToken, Scope, TokenResponse, TokenType};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize};

use super::{Issued, TokenError};

/// An answer with a token.
///
/// # Shape
///
/// `{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ…","refresh_token":"0.AX…","scope":"…"}`
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Answer {
    access_token: AccessToken,
    #[serde(default)]
    token_type: Option<Scheme>,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
    #[serde(default)]
    scope: Option<String>,
}

impl Answer {
    /// Takes out what was given.
    ///
    /// # Errors
    ///
    /// `Malformed`, if it is no token that is shown as it is.
    pub(super) fn issued(self) -> Result<Issued, TokenError> {
        if !self.token_type().is_bearer() {
            return Err(TokenError::malformed(
                "the token is of a type that is not `Bearer`",
            ));
        }
        if self.access_token.secret().is_empty() {
            return Err(TokenError::malformed(
                "the sign-in server's answer holds no token",
            ));
        }
        let refresh = self.refresh_token.as_ref().map(|token| token.secret().as_str());
        Ok(Issued {
            access: SecretString::from(self.access_token.secret().as_str()),
            expires_in: self.expires_in,
            refresh: refresh.filter(|token| !token.is_empty()).map(SecretString::from),
            scope: self.scope,
        })
    }
}

/// How the token is shown; `bearer` in any case, also where the server does not say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Scheme(Cow<'static, str>);

const BEARER: Scheme = Scheme(Cow::Borrowed("Bearer"));

impl Scheme {
    fn is_bearer(&self) -> bool {
        self.0.eq_ignore_ascii_case("bearer")
    }
}

impl TokenType for Scheme {}

impl TokenResponse for Answer {
    type TokenType = Scheme;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Scheme {
        self.token_type.as_ref().unwrap_or(&BEARER)
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        self.expires_in.map(std::time::Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

/// Takes a number or a text of digits; anything else is as good as nothing.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let said = serde_json::Value::deserialize(deserializer)?;
    Ok(said.as_u64().or_else(|| said.as_str()?.parse().ok()))
}

/// An answer that says why there is no token, without its text.
///
/// # Shape
///
/// `{"error":"invalid_scope","error_description":"AADSTS70011: …","error_codes":[70011]}`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(super) struct Refusal {
    error: String,
    #[serde(default)]
    error_codes: Vec<u64>,
}

impl Refusal {
    pub(super) fn is(&self, error: &str) -> bool {
        self.error == error
    }

    pub(super) fn codes(&self) -> &[u64] {
        &self.error_codes
    }

    /// Says whether the server does not believe our clock: AADSTS700024.
    pub(super) fn is_about_the_clock(&self) -> bool {
        self.error_codes.contains(&700_024)
    }

    /// Leaves out what is no plain word: it comes from outside, and may be kept.
    pub(super) fn plain(mut self) -> Self {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        if self.error.len() > 40 || !self.error.bytes().all(plain) {
            "unknown".clone_into(&mut self.error);
        }
        self.error_codes.truncate(3);
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { error, error_codes } = self.clone().plain();
        f.write_str(&error)?;
        error_codes.iter().try_for_each(|code| write!(f, " {code}"))
    }
}

impl ErrorResponse for Refusal {}
