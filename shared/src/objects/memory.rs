//! The objects in memory, for fast tests and simulation; gone with the process.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use jiff::Timestamp;

use super::{Head, Link, ObjectError, Objects, Upload, check_size, digest, disposition, expires_at, sha256};

/// Keeps objects in memory, under the rules of the real store.
#[derive(Default)]
pub struct MemoryObjects {
    objects: Mutex<BTreeMap<String, Held>>,
    links: Mutex<BTreeMap<String, Made>>,
    trouble: Mutex<Option<Trouble>>,
}

/// What can be the matter with a store of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// We may do nothing.
    Denied,
    /// It does not answer.
    Down,
}

#[derive(Clone)]
struct Held {
    bytes: Bytes,
    content_type: String,
}

/// What a link was made for.
#[derive(Clone)]
struct Made {
    key: String,
    /// What may be put; nothing where it is a link to read.
    upload: Option<(u64, String, String)>,
    expires_at: Timestamp,
}

impl MemoryObjects {
    /// Makes a store without objects.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes everything fail from now on as `trouble` says, or nothing.
    pub fn trouble(&self, trouble: impl Into<Option<Trouble>>) {
        *lock(&self.trouble) = trouble.into();
    }

    /// Returns the keys of all objects, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        lock(&self.objects).keys().cloned().collect()
    }

    /// Reads by a link, as one without an account does; nothing where the link is not taken.
    #[must_use]
    pub fn follow(&self, link: &Link, now: Timestamp) -> Option<Bytes> {
        let made = lock(&self.links).get(&link.url).cloned()?;
        let taken = made.upload.is_none() && now < made.expires_at;
        let objects = lock(&self.objects);
        let held = objects.get(&made.key).filter(|_| taken)?;
        Some(held.bytes.clone())
    }

    /// Puts by a link, as one without an account does; says whether the link was taken.
    #[must_use]
    pub fn upload(&self, link: &Link, content_type: &str, bytes: Bytes, now: Timestamp) -> bool {
        let Some(made) = lock(&self.links).get(&link.url).cloned() else {
            return false;
        };
        let fits = |(length, digest, declared): &(u64, String, String)| {
            *length == bytes.len() as u64 && *digest == sha256(&bytes) && declared == content_type
        };
        let taken = now < made.expires_at && made.upload.as_ref().is_some_and(fits);
        if taken {
            let content_type = content_type.to_owned();
            lock(&self.objects).insert(made.key, Held { bytes, content_type });
        }
        taken
    }

    /// Returns the objects, if they are to be had at all.
    fn held(&self, key: &str) -> Result<MutexGuard<'_, BTreeMap<String, Held>>, ObjectError> {
        match *lock(&self.trouble) {
            Some(Trouble::Denied) => Err(ObjectError::Denied { key: key.to_owned() }),
            Some(Trouble::Down) => Err(ObjectError::Unavailable("the store does not answer".into())),
            None => Ok(lock(&self.objects)),
        }
    }

    fn make(&self, method: &'static str, made: Made, headers: BTreeMap<String, String>) -> Link {
        let expires_at = made.expires_at;
        let mut links = lock(&self.links);
        let url = format!("memory://objects/{}?link={}", made.key, links.len());
        links.insert(url.clone(), made);
        Link {
            url,
            method,
            headers,
            expires_at,
        }
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

fn missing(key: &str) -> ObjectError {
    ObjectError::Missing { key: key.to_owned() }
}

impl fmt::Debug for MemoryObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryObjects").finish_non_exhaustive()
    }
}

#[async_trait]
impl Objects for MemoryObjects {
    async fn put(&self, key: &str, bytes: Bytes, content_type: &str) -> Result<(), ObjectError> {
        check_size(key, bytes.len() as u64)?;
        let content_type = content_type.to_owned();
        self.held(key)?
            .insert(key.to_owned(), Held { bytes, content_type });
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Bytes, ObjectError> {
        let held = self.held(key)?.get(key).map(|held| held.bytes.clone());
        held.ok_or_else(|| missing(key))
    }

    async fn head(&self, key: &str) -> Result<Head, ObjectError> {
        let held = self.held(key)?.get(key).cloned().ok_or_else(|| missing(key))?;
        Ok(Head {
            bytes: held.bytes.len() as u64,
            sha256: Some(sha256(&held.bytes)),
            content_type: Some(held.content_type),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.held(key)?.remove(key);
        Ok(())
    }

    async fn link_to_get(
        &self,
        key: &str,
        name: &str,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        disposition(name)?;
        let made = Made {
            key: key.to_owned(),
            upload: None,
            expires_at: expires_at(valid, now)?,
        };
        Ok(self.make("GET", made, BTreeMap::new()))
    }

    async fn link_to_put(
        &self,
        key: &str,
        upload: &Upload<'_>,
        valid: Duration,
        now: Timestamp,
    ) -> Result<Link, ObjectError> {
        check_size(key, upload.bytes)?;
        digest(upload.sha256)?;
        let sha256 = upload.sha256.to_ascii_lowercase();
        let made = Made {
            key: key.to_owned(),
            upload: Some((upload.bytes, sha256, upload.content_type.to_owned())),
            expires_at: expires_at(valid, now)?,
        };
        let headers = [("content-type".to_owned(), upload.content_type.to_owned())];
        Ok(self.make("PUT", made, headers.into()))
    }
}
