//! The secrets in memory, for fast tests and simulation; gone with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};

use super::{Secret, SecretError, Secrets, check_token};

/// Keeps secrets in memory, under the rules of the real store.
#[derive(Default)]
pub struct MemorySecrets {
    secrets: Mutex<BTreeMap<String, Held>>,
    trouble: Mutex<Option<Trouble>>,
}

/// What can be the matter with a store of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No secret takes a further version.
    Full,
    /// We may do nothing.
    Denied,
    /// It does not answer.
    Down,
}

/// A secret with all its versions, by the token that put them.
#[derive(Default)]
struct Held {
    versions: BTreeMap<String, SecretString>,
    current: String,
    pending: Option<String>,
    deleted: bool,
}

impl MemorySecrets {
    /// Makes a store without secrets.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes everything fail from now on as `trouble` says, or nothing.
    pub fn trouble(&self, trouble: impl Into<Option<Trouble>>) {
        *lock(&self.trouble) = trouble.into();
    }

    /// Returns the secrets, if they are to be had at all.
    fn held(&self, name: &str) -> Result<MutexGuard<'_, BTreeMap<String, Held>>, SecretError> {
        let name = name.to_owned();
        match *lock(&self.trouble) {
            Some(Trouble::Denied) => Err(SecretError::Denied { name }),
            Some(Trouble::Down) => Err(SecretError::Unavailable("it is down".into())),
            Some(Trouble::Full) | None => Ok(lock(&self.secrets)),
        }
    }

    fn read(&self, name: &str, read: impl FnOnce(&Held) -> Option<Secret>) -> Result<Secret, SecretError> {
        let held = self.held(name)?;
        let held = held.get(name).filter(|held| !held.deleted);
        held.and_then(read).ok_or_else(|| missing(name))
    }

    /// Puts a version, unless it is there already; `label` says what becomes of it.
    fn keep(
        &self,
        name: &str,
        value: &SecretString,
        token: &str,
        label: fn(&mut Held, &str),
    ) -> Result<String, SecretError> {
        check_token(token)?;
        let mut secrets = self.held(name)?;
        let known = secrets.get(name).and_then(|held| held.versions.get(token));
        match known {
            Some(known) if known.expose_secret() == value.expose_secret() => {}
            Some(_) => {
                let why = "the token was used for another value";
                return Err(SecretError::Invalid(why.into()));
            }
            None if *lock(&self.trouble) == Some(Trouble::Full) => {
                let name = name.to_owned();
                return Err(SecretError::Full { name });
            }
            None => {
                let held = secrets.entry(name.to_owned()).or_default();
                held.versions.insert(token.to_owned(), value.clone());
                label(held, token);
            }
        }
        if let Some(held) = secrets.get_mut(name) {
            held.deleted = false;
        }
        Ok(token.to_owned())
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(name: &str) -> SecretError {
    let name = name.to_owned();
    SecretError::Missing { name }
}

impl fmt::Debug for MemorySecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemorySecrets").finish_non_exhaustive()
    }
}

#[async_trait]
impl Secrets for MemorySecrets {
    async fn get(&self, name: &str) -> Result<Secret, SecretError> {
        self.read(name, |held| held.version(&held.current))
    }

    async fn get_version(&self, name: &str, version: &str) -> Result<Secret, SecretError> {
        self.read(name, |held| held.version(version))
    }

    async fn put(&self, name: &str, value: &SecretString, token: &str) -> Result<String, SecretError> {
        self.keep(name, value, token, |held, version| {
            version.clone_into(&mut held.current);
        })
    }

    async fn put_pending(
        &self,
        name: &str,
        value: &SecretString,
        token: &str,
    ) -> Result<String, SecretError> {
        self.keep(name, value, token, |held, version| {
            if held.deleted || held.current.is_empty() {
                version.clone_into(&mut held.current);
            } else {
                held.pending = Some(version.to_owned());
            }
        })
    }

    async fn promote(&self, name: &str, version: &str) -> Result<(), SecretError> {
        let mut secrets = self.held(name)?;
        let held = secrets.get_mut(name).filter(|held| !held.deleted);
        let held = held.ok_or_else(|| missing(name))?;
        if held.pending.as_deref() == Some(version) {
            held.pending = None;
            version.clone_into(&mut held.current);
        }
        if held.current == version {
            Ok(())
        } else {
            Err(missing(name))
        }
    }

    async fn withdraw(&self, name: &str, version: &str) -> Result<(), SecretError> {
        if let Some(held) = self.held(name)?.get_mut(name) {
            held.pending.take_if(|pending| pending == version);
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), SecretError> {
        if let Some(held) = self.held(name)?.get_mut(name) {
            held.deleted = true;
        }
        Ok(())
    }
}

impl Held {
    fn version(&self, version: &str) -> Option<Secret> {
        let value = self.versions.get(version)?;
        Some(Secret {
            value: value.clone(),
            version: version.to_owned(),
        })
    }
}
