//! The integration systems: who may drive the service from outside, and with which credentials.
//!
//! An integration system belongs to no organization: it acts for many. Its row, its name and its credentials lie in a
//! table of their own.
//!
//! | row | partition | place | what |
//! | --- | --- | --- | --- |
//! | system | `system#{id}` | `system` | name, description, which credentials it has |
//! | name | `name#{name}` | `name` | whose it is; there is one system of a name because there is one row of it |
//! | entry | `systems` | `{id}` | the system's place in the list of all |
//! | credential | `credential#{id}` | `credential` | the sealed secret, what it is checked against, scopes, expiry |
//! | use | `used#{id}` | `used` | when a token of the credential was last shown |
//! | managed | `system#{id}` | `integration#{organization}:{type}` | an integration that the system manages |
//! | unfinished | `unfinished` | `{id}` | an issuing or a deletion that is under way |
//! | revoked | `revoked#{id}` | `revoked` | a token that ends before its time |
//! | audit | `audit#{system}` | `{time}#{id}` | who did what |
//!
//! # Issuing a credential
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 intent | unfinished | nothing else | [`mend()`], some minutes later |
//! | 2 client | the issuer makes a client that carries the intent's id | a client whose secret nobody was told, and that is not let in | [`mend()`] finds it by that id, and deletes it |
//! | 3 credential | credential, system and audit row; unfinished is removed; in one transaction | – | – |
//!
//! # Deleting a credential
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 mark | credential (ended), unfinished and audit row, in one transaction | a credential that opens nothing, and is still listed | the caller repeats the request, or [`mend()`] |
//! | 2 client | the issuer forgets the client | as 1 | as 1 |
//! | 3 row | system; credential, use and unfinished are removed; in one transaction | – | – |
//!
//! # Unregistering
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 mark | system (leaving) and audit row, in one transaction | a system that is not changed, gets no credential and manages nothing more, and says so | the caller repeats the request |
//! | 2 look | nothing; a system that still manages an integration gets its mark taken off, and keeps all it has | as 1 | as 1 |
//! | 3 credentials | each as above | a system with fewer credentials | as 1 |
//! | 4 system | system, name and entry are removed, in one transaction | – | – |

mod access;
mod audit;
mod credential;
mod issuer;
mod list;
mod managed;
mod mend;
mod name;
mod scope;
mod secret;
mod system;
mod token;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use uuid::Uuid;

pub use access::{Admitted, GrantError, Granted, admit, authenticate, grant, introspect, revoke};
pub use audit::note_reading;
pub use credential::{
    Credential, CredentialRequest, Issued, MAX_CREDENTIALS, delete_credential, find_credential,
    issue_credential,
};
pub use issuer::{BuiltIn, Client, Hydra, HydraApi, Issuer, IssuerError, Presented};
pub use list::{Held, SystemPage, held_by, list_systems};
pub use managed::Managed;
pub use mend::mend;
pub use name::{Fault, Input};
pub use scope::{Scope, Scopes, UnknownScope};
pub use secret::{ClientSecret, Verifier};
pub use system::{IntegrationSystem, RegistryError, find_system, register, unregister, update};
pub use token::{Claims, LIFETIME, Refused, Tokens, VerifyError};

use crate::clock::Clock;
use crate::keys::Keys;
use crate::store::{Content, Key, Store, StoreError, Table};

/// What the registry works with.
#[derive(Clone)]
pub struct Registry {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// The key that seals secrets.
    pub keys: Arc<dyn Keys>,
    /// Who keeps the clients and knows their tokens.
    pub issuer: Arc<dyn Issuer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("issuer", &self.issuer)
            .finish_non_exhaustive()
    }
}

impl Registry {
    /// Puts a registry together in memory, with the issuer that is built in: for tests.
    #[must_use]
    pub fn in_memory(clock: Arc<dyn Clock>) -> (Self, Arc<Tokens>) {
        Self::on(Arc::new(crate::store::MemoryStore::new()), clock)
    }

    /// The same, on tables that there are.
    #[must_use]
    pub fn on(store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> (Self, Arc<Tokens>) {
        let keys: Arc<dyn Keys> = Arc::new(crate::keys::MemoryKeys::new());
        let tokens = Arc::new(Tokens::new(Arc::clone(&keys), "https://api.example.org"));
        let issuer = Arc::new(BuiltIn(Arc::clone(&tokens)));
        let registry = Self {
            store,
            keys,
            issuer,
            clock,
        };
        (registry, tokens)
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// Reads an id as it is written, and in no other way.
#[must_use]
pub fn id_of(text: &str) -> Option<Uuid> {
    let id: Uuid = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

fn key(partition: String, sort: impl Into<String>) -> Key {
    Key::new(Table::Registry, partition, sort)
}

/// Reads a row, with its version.
async fn read<T: DeserializeOwned>(store: &dyn Store, key: Key) -> Result<Option<(u64, T)>, StoreError> {
    let row = store.get(&[key]).await?.pop().flatten();
    row.map(|row| Ok((row.version, row.decode()?))).transpose()
}

/// The content of a row whose place says it all.
fn mark() -> Content {
    Content::of(&serde_json::json!({}))
}
