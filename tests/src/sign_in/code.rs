//! Authorization codes.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::digest::{SHA256, digest};
use uuid::Uuid;

use super::{GrantFault, unguessable};

/// How long a code is good.
const LIFE: SignedDuration = SignedDuration::from_mins(10);

/// What a user agreed to, until the client fetches it.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) client_id: String,
    pub(crate) user: String,
    pub(crate) scope: String,
    pub(crate) redirect_uri: String,
    /// The SHA-256 of the verifier, in base64url.
    pub(crate) challenge: String,
}

/// What a client shows to get tokens for a code.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Redemption<'a> {
    pub(crate) code: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) verifier: Option<&'a str>,
}

/// Keeps the codes, those that were used too.
#[derive(Debug, Default)]
pub(super) struct Codes(HashMap<String, Kept>);

#[derive(Debug)]
struct Kept {
    code: Code,
    given_at: Timestamp,
    /// The family that it began.
    family: Option<Uuid>,
}

/// Says why something that is good once is not good.
#[derive(Debug)]
pub(super) enum Stop {
    Refused(GrantFault),
    /// It was used before, and this family came of it.
    Used(Uuid),
}

impl From<GrantFault> for Stop {
    fn from(fault: GrantFault) -> Self {
        Self::Refused(fault)
    }
}

impl Codes {
    pub(super) fn keep(&mut self, code: Code, now: Timestamp) -> String {
        let text = format!("1.{}", unguessable());
        let kept = Kept {
            code,
            given_at: now,
            family: None,
        };
        self.0.insert(text.clone(), kept);
        text
    }

    /// Uses a code up, for the family that `begin` makes of it; one that is refused stays good.
    pub(super) fn redeem<T>(
        &mut self,
        shown: &Redemption<'_>,
        now: Timestamp,
        begin: impl FnOnce(&Code) -> (Uuid, T),
    ) -> Result<T, Stop> {
        let kept = self.0.get_mut(shown.code).ok_or(GrantFault::Unknown)?;
        kept.check(shown, now)?;
        let (family, begun) = begin(&kept.code);
        kept.family = Some(family);
        Ok(begun)
    }

    /// Forgets what was not used of a client.
    pub(super) fn withdraw(&mut self, client_id: &str) {
        self.0
            .retain(|_, kept| kept.family.is_some() || kept.code.client_id != client_id);
    }
}

impl Kept {
    fn check(&self, shown: &Redemption<'_>, now: Timestamp) -> Result<(), Stop> {
        if self.code.client_id != shown.client_id {
            return Err(GrantFault::OfAnotherClient.into());
        }
        if let Some(family) = self.family {
            return Err(Stop::Used(family));
        }
        if now >= self.given_at + LIFE {
            return Err(GrantFault::CodeExpired.into());
        }
        if self.code.redirect_uri != shown.redirect_uri {
            return Err(GrantFault::RedirectUri.into());
        }
        match shown.verifier {
            Some(verifier) if self.code.is_answered_by(verifier) => Ok(()),
            _ => Err(GrantFault::Verifier.into()),
        }
    }
}

impl Code {
    /// Source: RFC 7636, sections 4.1 and 4.6.
    fn is_answered_by(&self, verifier: &str) -> bool {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        (43..=128).contains(&verifier.len())
            && verifier.bytes().all(allowed)
            && URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes())) == self.challenge
    }
}
