//! What a token endpoint answers.

use std::fmt;

use oauth2::{AccessToken, ErrorResponse, RefreshToken, Scope, TokenResponse, TokenType};
use serde::{Deserialize, Deserializer, Serialize};

/// An answer with a token.
///
/// # Shape
///
/// `{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ…"}`
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Issued {
    access_token: AccessToken,
    #[serde(default)]
    token_type: Scheme,
    #[serde(default, deserialize_with = "seconds")]
    pub(super) expires_in: Option<u64>,
}

/// How the token is shown; `bearer` in any case, also where the server does not say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub(super) struct Scheme(String);

impl Default for Scheme {
    fn default() -> Self {
        Self("Bearer".to_owned())
    }
}

impl Scheme {
    pub(super) fn is_bearer(&self) -> bool {
        self.0.eq_ignore_ascii_case("bearer")
    }
}

impl TokenType for Scheme {}

impl TokenResponse for Issued {
    type TokenType = Scheme;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &Scheme {
        &self.token_type
    }

    fn expires_in(&self) -> Option<std::time::Duration> {
        self.expires_in.map(std::time::Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        None
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
}

/// Shows the error only if it is a plain word: it comes from outside.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        match self.error.len() <= 40 && self.error.bytes().all(plain) {
            true => f.write_str(&self.error)?,
            false => f.write_str("unknown")?,
        }
        self.error_codes
            .iter()
            .take(3)
            .try_for_each(|code| write!(f, " {code}"))
    }
}

impl ErrorResponse for Refusal {}
