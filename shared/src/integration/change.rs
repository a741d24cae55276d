//! The right to change an integration: one change at a time, so that a secret and the settings that go with it are
//! always of the same change.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{State, Stored};
use crate::model::{FieldError, IntegrationId};
use crate::registry::RegistryError;
use crate::secrets::SecretError;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};
use crate::sync::RunError;

/// How long the right lasts: more than the function lives, so that a holder is dead before it runs out.
const LEASE: Duration = Duration::from_secs(60);

/// The same where credentials are seen to work first, which `token-refresh` has more time for.
pub(super) const LONG_LEASE: Duration = Duration::from_secs(240);

/// Which version of a thing a caller has in mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Whatever it is.
    #[default]
    None,
    /// There is one.
    Exists,
    /// There is none.
    Absent,
    /// It has this version.
    Version(u64),
}

impl Precondition {
    /// Says whether what there is, is what the caller has in mind.
    #[must_use]
    pub fn accepts(self, version: Option<u64>) -> bool {
        match self {
            Self::None => true,
            Self::Exists => version.is_some(),
            Self::Absent => version.is_none(),
            Self::Version(expected) => version == Some(expected),
        }
    }
}

/// Why an integration was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The organization has not connected the system.
    #[error("{0} is not connected")]
    Unknown(IntegrationId),
    /// What is wanted is wrong: everything that is, at once.
    #[error("what is wanted is not valid")]
    Invalid(Vec<FieldError>),
    /// The integration has another version than the caller has in mind.
    #[error("the integration has another version")]
    Precondition,
    /// Somebody else is changing it.
    #[error("another change is under way until {0}")]
    InProgress(Timestamp),
    /// It is in a state that does not allow it.
    #[error("the integration is {}", .0.as_str())]
    NotIn(State),
    /// The secrets did not answer.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RegistryError> for ChangeError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => Self::Store(error),
            RegistryError::UnknownSystem | RegistryError::Leaving => Self::Invalid(vec![FieldError::new(
                "integrationSystemId",
                "names no integration system",
            )]),
            other => Self::Store(StoreError::Invalid(Box::new(other))),
        }
    }
}

impl From<RunError> for ChangeError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => Self::Store(error),
            missing => Self::Store(StoreError::Invalid(Box::new(missing))),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Holder {
    by: String,
    until: Timestamp,
}

/// The right to change one integration.
#[derive(Debug)]
pub(super) struct Claim {
    key: Key,
    version: u64,
}

impl Claim {
    /// Takes the right, or says until when somebody else has it.
    pub(super) async fn take(
        store: &dyn Store,
        id: &IntegrationId,
        by: &str,
        now: Timestamp,
    ) -> Result<Self, ChangeError> {
        Self::take_for(store, id, by, now, LEASE).await
    }

    /// Takes the right for another time.
    pub(super) async fn take_for(
        store: &dyn Store,
        id: &IntegrationId,
        by: &str,
        now: Timestamp,
        lease: Duration,
    ) -> Result<Self, ChangeError> {
        let key = Key::new(
            Table::Control,
            id.organization.as_str(),
            format!("change#{}", id.system),
        );
        let row = store.get(std::slice::from_ref(&key)).await?.pop().flatten();
        let version = row.as_ref().map_or(0, |row| row.version);
        if let Some(row) = row {
            let holder: Holder = row.decode()?;
            if holder.until > now {
                return Err(ChangeError::InProgress(holder.until));
            }
        }
        let expect = if version == 0 {
            Expect::Absent
        } else {
            Expect::Version(version)
        };
        let until = now + lease;
        let content = Content::of(&Holder {
            by: by.to_owned(),
            until,
        });
        match store.write(vec![Write::put(key.clone(), expect, content)]).await {
            Ok(()) => Ok(Self {
                key,
                version: version + 1,
            }),
            Err(StoreError::Refused { .. }) => Err(ChangeError::InProgress(until)),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the write that gives the right back; part of the transaction that ends the change.
    ///
    /// The row stays, so that its version is never that of an earlier holder.
    pub(super) fn release(&self) -> Write {
        let nobody = Holder {
            by: String::new(),
            until: Timestamp::UNIX_EPOCH,
        };
        Write::put(
            self.key.clone(),
            Expect::Version(self.version),
            Content::of(&nobody),
        )
    }

    /// Gives the right back with nothing changed; where that fails, it runs out by itself.
    pub(super) async fn abandon(self, store: &dyn Store) {
        if let Err(error) = store.write(vec![self.release()]).await {
            tracing::warn!(?error, "left the right to change to run out");
        }
    }
}

/// Checks what there is against what the caller has in mind.
pub(super) fn check(stored: Option<&Stored>, precondition: Precondition) -> Result<(), ChangeError> {
    if !precondition.accepts(stored.map(|stored| stored.version)) {
        return Err(ChangeError::Precondition);
    }
    match stored {
        Some(stored) if stored.integration.state == State::Disconnecting => {
            Err(ChangeError::NotIn(State::Disconnecting))
        }
        _ => Ok(()),
    }
}
