//! The secrets in memory, for fast tests and simulation; gone with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{Secret, SecretError, Secrets, check_token};

/// Keeps secrets in memory, under the rules of the real store.
#[derive(Default)]
pub struct MemorySecrets(Mutex<BTreeMap<String, Held>>);

/// A secret with all its versions, by the token that put them.
#[derive(Default)]
struct Held {
    versions: BTreeMap<String, SecretString>,
    current: String,
    deleted: bool,
}

impl MemorySecrets {
    /// Makes a store without secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySecrets").finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        let held = self.held();
        let current = held.get(name).and_then(Held::current);
        current.ok_or_else(|| SecretError::Missing {
            name: name.to_owned(),
        })
    }

    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError> {
        check_token(token)?;
        let mut held = self.held();
        held.entry(name.to_owned()).or_default().put(value, token)?;
        Ok(token.to_owned())
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        if let Some(held) = self.held().get_mut(name) {
            held.deleted = true;
        }
        Ok(())
    }
}

impl Held {
    fn current(&self) -> Option<Secret> {
        let value = self.versions.get(&self.current).filter(|_| !self.deleted)?;
        Some(Secret {
            value: value.clone(),
            version: self.current.clone(),
        })
    }

    fn put(&mut self, value: &SecretString, token: &str) -> Result<(), SecretError> {
        self.deleted = false;
        match self.versions.get(token) {
            Some(known) if known.expose_secret() == value.expose_secret() => Ok(()),
            Some(_) => Err(SecretError::Unavailable(
                "the token was used for another value".into(),
            )),
            None => {
                self.versions.insert(token.to_owned(), value.clone());
                token.clone_into(&mut self.current);
                Ok(())
            }
        }
    }
}
