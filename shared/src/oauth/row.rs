//! The tokens of an integration, as all functions share them: sealed, on version.

use std::hash::Hasher as _;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::{Life, TokenError, TokenErrorKind};
use crate::keys::Sealed;
use crate::model::IntegrationId;
use crate::store::{Content, Due, Expect, Key, Row, Store, StoreError, Table, Write};

/// Begins the place of every row.
const PREFIX: &str = "token#";

/// For how long a credential that was refused is left alone at first, and at most.
const REFUSED: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(5), SignedDuration::from_hours(1));

/// For how long a server that is down is left alone at first, and at most.
const DOWN: (SignedDuration, SignedDuration) = (SignedDuration::from_secs(5), SignedDuration::from_mins(1));

/// Tokens, who asks for them, and how that went.
///
/// # Shape
///
/// `{"integration":"hlf:dynamics365","audience":"https://login… https://hlf…","generation":7,"access":{…},…}`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenRow {
    /// Whose they are.
    pub integration: IntegrationId,
    /// Where, by whom and for what they were asked: those of another audience are of no use.
    pub audience: String,
    /// Goes up with every answer that is kept.
    pub generation: u64,
    /// The access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access: Option<KeptAccess>,
    /// The refresh tokens; they stay where the integration signs in otherwise for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh: Option<KeptRefresh>,
    /// When somebody should ask for another ahead of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renew_at: Option<Timestamp>,
    /// Who is asking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asking: Option<Asking>,
    /// When the newest refresh token was shown, and no answer is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// Why the last attempt failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// An access token as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptAccess {
    /// The token.
    pub sealed: Sealed,
    /// How long it is good for.
    pub life: Life,
    /// What it may be used for, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The version of the secret that it was asked for with, where nothing else stands behind it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_version: Option<String>,
}

/// Refresh tokens as they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRefresh {
    /// The newest, and the one before.
    pub sealed: Sealed,
    /// Where, by whom and for what they were asked.
    pub audience: String,
}

/// Somebody who asks: until then nobody else does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// Which attempt.
    pub attempt: Uuid,
    /// Since when.
    pub since: Timestamp,
    /// When the answer has come, or never will.
    pub until: Timestamp,
    /// Whether a refresh token is shown, which may be spent with that.
    pub spends: bool,
}

/// A failure, and for how long nobody tries again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Why.
    pub error: TokenError,
    /// With which version of the secret.
    pub secret_version: String,
    /// When.
    pub at: Timestamp,
    /// Until when nobody tries again with that version.
    pub until: Timestamp,
    /// How many in a row.
    pub count: u32,
}

/// Refresh tokens: the newest, and the one before until the newest has worked.
#[derive(Serialize, Deserialize)]
pub(super) struct RefreshTokens {
    newest: String,
    #[serde(default)]
    previous: Option<String>,
}

/// A row as it was read.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The row.
    pub row: TokenRow,
    /// Its version; zero where there is none.
    pub version: u64,
}

/// Returns where the tokens of an integration are kept.
#[must_use]
pub fn token_key(id: &IntegrationId) -> Key {
    let sort = format!("{PREFIX}{}", id.system);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

/// Reads the tokens of an integration.
///
/// # Errors
///
/// Those of the store.
pub async fn read(store: &dyn Store, id: &IntegrationId) -> Result<Option<Stored>, StoreError> {
    let row = store.get(&[token_key(id)]).await?.pop().flatten();
    row.map(Stored::try_from).transpose()
}

impl TryFrom<Row> for Stored {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (version, row) = (row.version, row.decode()?);
        Ok(Self { row, version })
    }
}

impl Stored {
    /// One that is not kept yet.
    pub(super) fn new(integration: IntegrationId, audience: String) -> Self {
        let row = TokenRow {
            integration,
            audience,
            generation: 0,
            access: None,
            refresh: None,
            renew_at: None,
            asking: None,
            silent_since: None,
            failure: None,
        };
        Self { row, version: 0 }
    }

    /// Returns it without tokens of another audience.
    pub(super) fn of_audience(mut self, audience: &str) -> Self {
        if self.row.audience != audience {
            let none = Self::new(self.row.integration, audience.to_owned()).row;
            self.row = TokenRow {
                generation: self.row.generation,
                asking: self.row.asking,
                refresh: self.row.refresh,
                ..none
            };
        }
        self
    }

    /// Returns the write that keeps it.
    pub(super) fn write(&self) -> Write {
        let expect = match self.version {
            0 => Expect::Absent,
            version => Expect::Version(version),
        };
        self.row.write(expect)
    }
}

impl TokenRow {
    /// Returns the write that keeps it, with the time at which `token-refresh` is to look at it.
    pub(crate) fn write(&self, expect: Expect) -> Write {
        let mut content = Content::of(self);
        if let Some(due) = self.due() {
            content = content.due_in(Due::Tokens, due);
        }
        Write::put(token_key(&self.integration), expect, content)
    }

    /// Returns the write that keeps it, to be looked at no more before somebody asks for a token.
    pub(crate) fn at_rest(&self, expect: Expect) -> Write {
        let rests = Self {
            renew_at: None,
            ..self.clone()
        };
        Write::put(token_key(&self.integration), expect, Content::of(&rests))
    }

    fn due(&self) -> Option<Timestamp> {
        let failed = self.failure.as_ref().map(|failure| failure.until);
        let asked = self.asking.as_ref().map(|asking| asking.until);
        asked.or(failed).or(self.renew_at)
    }

    /// Says whether somebody is going to look at it without being asked to.
    pub(super) fn is_due(&self, now: Timestamp) -> bool {
        self.asked(now).is_some() || self.due().is_some_and(|due| due <= now)
    }

    /// Returns the refresh tokens of its audience.
    pub(super) fn own_refresh(&self) -> Option<&Sealed> {
        let kept = self.refresh.as_ref()?;
        (kept.audience == self.audience).then_some(&kept.sealed)
    }

    /// Takes an answer in.
    pub(super) fn take(&mut self, access: &KeptAccess, refresh: Option<&Sealed>) {
        self.generation += 1;
        self.renew_at = Some(access.life.renew_at(spread(&self.integration)));
        self.access = Some(access.clone());
        if let Some(sealed) = refresh {
            self.refresh = Some(KeptRefresh {
                sealed: sealed.clone(),
                audience: self.audience.clone(),
            });
        }
        (self.silent_since, self.failure) = (None, None);
    }

    /// Returns who is asking at a time.
    pub(super) fn asked(&self, now: Timestamp) -> Option<&Asking> {
        self.asking.as_ref().filter(|asking| now < asking.until)
    }

    /// Returns why nobody tries now with a version of the secret.
    pub(super) fn cooling(&self, secret_version: &str, now: Timestamp) -> Option<&TokenError> {
        let failure = self.failure.as_ref()?;
        let cooling = failure.secret_version == secret_version && now < failure.until;
        cooling.then_some(&failure.error)
    }

    /// Notes a failure, and for how long nobody tries again.
    pub(super) fn fail(&mut self, error: TokenError, secret_version: &str, now: Timestamp) {
        let before = self.failure.take().filter(|failure| {
            failure.secret_version == secret_version && failure.error.kind() == error.kind()
        });
        let count = before.map_or(0, |failure| failure.count).saturating_add(1);
        let doubled = |(first, most): (SignedDuration, SignedDuration)| {
            let until = now.checked_add((first * (1 << (count - 1).min(8))).min(most));
            until.unwrap_or(now)
        };
        let until = match error.kind() {
            TokenErrorKind::Refused | TokenErrorKind::Malformed => doubled(REFUSED),
            TokenErrorKind::Unavailable => doubled(DOWN),
            TokenErrorKind::RateLimited { until } => until,
        };
        self.failure = Some(Failure {
            error,
            secret_version: secret_version.to_owned(),
            at: now,
            until,
            count,
        });
    }
}

impl RefreshTokens {
    /// The first of a sign-in.
    pub(super) fn first(token: &SecretString) -> Self {
        Self {
            newest: token.expose_secret().to_owned(),
            previous: None,
        }
    }

    /// Returns what is to be kept once `shown` has brought another; nothing where it has brought itself.
    pub(super) fn after(shown: &SecretString, newest: &SecretString) -> Option<Self> {
        let (shown, newest) = (shown.expose_secret(), newest.expose_secret());
        (shown != newest).then(|| Self {
            newest: newest.to_owned(),
            previous: Some(shown.to_owned()),
        })
    }

    /// Returns them in the order in which they are tried.
    pub(super) fn in_order(self) -> Vec<SecretString> {
        let previous = self.previous.map(SecretString::from);
        std::iter::once(self.newest.into()).chain(previous).collect()
    }

    pub(super) fn to_secret(&self) -> SecretString {
        serde_json::to_string(self).expect("texts can be written").into()
    }

    pub(super) fn of_secret(secret: &SecretString) -> Option<Self> {
        serde_json::from_str(secret.expose_secret()).ok()
    }
}

/// Returns a number that is always the same for an integration.
fn spread(id: &IntegrationId) -> u64 {
    let mut hasher = Xxh3::new();
    hasher.write(id.to_string().as_bytes());
    hasher.finish()
}
