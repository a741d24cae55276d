//! What an endpoint's webhooks are checked by, as its row holds it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::cornerstone::Cornerstone;
use super::dataverse::Dataverse;
use super::hmac::Hmac;
use super::profile;

/// How the sender of an endpoint proves that it is the sender: [`profile::check`] makes one, and a row that holds one is
/// read by the same. The secrets are not part of it.
///
/// A row with a setting that is not known is not read: what it asks for might be a check, and leaving it out would let in
/// what it keeps out.
///
/// # Shape
///
/// `{"type":"standard"}`, `{"type":"xledger"}`, `{"type":"dataverse","header":"x-webhook-secret"}`,
/// `{"type":"cornerstone","header":"x-webhook-secret"}`,
/// `{"type":"hmac","header":"x-signature","encoding":"hex","algorithm":"sha256"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", try_from = "Value")]
#[non_exhaustive]
pub enum Scheme {
    /// Standard Webhooks.
    Standard,
    /// The codes of Xledger.
    Xledger,
    /// A secret that Dataverse shows.
    Dataverse(Dataverse),
    /// A secret that Cornerstone shows.
    Cornerstone(Cornerstone),
    /// A code in a header, by profile.
    Hmac(Hmac),
}

impl Scheme {
    /// Every name that a scheme can have.
    pub const NAMES: &[&str] = &["standard", "xledger", "dataverse", "cornerstone", "hmac"];

    /// Returns the name that rows and metrics use.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Xledger => "xledger",
            Self::Dataverse(_) => "dataverse",
            Self::Cornerstone(_) => "cornerstone",
            Self::Hmac(_) => "hmac",
        }
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Faults in a scheme that was stored.
#[derive(Debug, thiserror::Error)]
#[error("the scheme cannot be read: {0}")]
pub struct Unreadable(String);

impl TryFrom<Value> for Scheme {
    type Error = Unreadable;

    fn try_from(json: Value) -> Result<Self, Unreadable> {
        profile::check(&json).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            Unreadable(faults.join("; "))
        })
    }
}
