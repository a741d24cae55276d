//! What may be changed about a sign-in server while it runs.

use serde::{Deserialize, Serialize};

/// Says how a server goes about tokens, and who stands before its sign-in page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// How long access tokens live that are given from now on.
    pub access_token_seconds: i64,
    /// How long access tokens are made at least, in bytes.
    pub access_token_length: usize,
    /// How long a refresh token may lie unused.
    pub idle_seconds: i64,
    /// What becomes of refresh tokens that are used.
    pub rotation: Rotation,
    /// Scopes that are left out of what is given, by their last part, such as `training:read`.
    pub withheld_scopes: Vec<String>,
    /// The user who signs in and agrees to everything; without one, whoever is asked declines.
    pub visitor: Option<String>,
}

/// Says what becomes of a refresh token that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Rotation {
    /// It is followed by a new one, and ends its family if it is used again.
    Strict,
    /// It is followed by a new one, and may be used again for a while after its first use.
    Grace {
        /// The while.
        seconds: i64,
    },
    /// It stays.
    Keep {
        /// Whether the answer repeats it.
        repeated: bool,
    },
}

impl Default for Settings {
    fn default() -> Self {
        const DAY: i64 = 24 * 60 * 60;
        Self {
            access_token_seconds: 3599,
            access_token_length: 0,
            idle_seconds: 90 * DAY,
            rotation: Rotation::Strict,
            withheld_scopes: Vec::new(),
            visitor: None,
        }
    }
}

impl Settings {
    /// Returns whether a scope is left out of what is given.
    pub(crate) fn withholds(&self, scope: &str) -> bool {
        let last = |withheld: &String| scope.rsplit('/').next() == Some(withheld);
        self.withheld_scopes.iter().any(last)
    }
}
