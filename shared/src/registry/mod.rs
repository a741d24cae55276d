//! The integration systems: who may drive the service from outside, and with which credentials.
//!
//! An integration system belongs to no organization: it acts for many. Its row, its name and its credentials lie in a
//! table of their own.
//!
//! | row | partition | place | what |
//! | --- | --- | --- | --- |
//! | system | `system#{id}` | `system` | name, description, state |
//! | name | `name#{name}` | `name` | whose it is; there is one system of a name because there is one row of it |
//! | entry | `systems` | `{id}` | the system's place in the list of all |
//! | credential | `credential#{id}` | `credential` | the sealed secret, what it is checked against, scopes, expiry |
//! | holding | `system#{id}` | `credential#{id}` | the credential's place in the list of its system |
//! | managed | `system#{id}` | `integration#{organization}:{type}` | an integration that the system manages |
//!
//! # Unregistering
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 mark | system (leaving) | a system that gets no credential and manages nothing more | the caller repeats the request |
//! | 2 look | nothing; a system that still manages an integration gets its mark taken off, and keeps all it has | as 1 | as 1 |
//! | 3 credentials | each with its holding, in one transaction | a system with fewer credentials | as 1 |
//! | 4 system | system, name and entry, in one transaction | – | – |

mod access;
mod credential;
mod list;
mod name;
mod scope;
mod secret;
mod system;
mod token;

pub use access::{Admitted, GrantError, Granted, admit, authenticate, grant};
pub use credential::{
    Credential, CredentialRequest, Issued, delete_credential, find_credential, issue_credential,
};
pub use list::{SystemPage, credentials_of, list_systems};
pub use name::{Fault, Input};
pub use scope::{Scope, Scopes};
pub use secret::{ClientSecret, Verifier};
pub use system::{IntegrationSystem, RegistryError, find_system, register, unregister, update};
pub use token::{Claims, LIFETIME, Refused, Tokens, VerifyError};

use crate::store::{Key, Table};

fn key(partition: String, sort: impl Into<String>) -> Key {
    Key::new(Table::Registry, partition, sort)
}
