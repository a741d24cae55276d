//! What sign-in servers have in common: their clients, the tokens that they gave, and what was asked of them.
//!
//! [`SignIn`] is one server. Its dialect is elsewhere: `entra` and `cornerstone` read requests, ask the server, and
//! word what it says. Tests ask and change it directly, other programs below `/_simulator/sign-in/`.
//!
//! Refresh tokens come in families: all that descend from one sign-in of one user. Under [`Rotation::Strict`] a family
//! ends when a token of it is used a second time, whoever used it, and its access tokens end with it.
//!
//! Deliberately absent: consent by resource, public clients, and tokens for anything but the system that was asked for.
//!
//! Source: RFC 6749; RFC 7523, section 3; RFC 7636; RFC 9700, section 4.14.

mod access;
mod assertion;
mod book;
mod certificate;
mod client;
mod code;
mod control;
mod family;
mod form;
mod operator;
mod reason;
mod server;
mod settings;

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::SHA256;
use uuid::Uuid;

pub use access::Grant;
pub use book::{Calls, Refused};
pub use certificate::TestCertificate;
pub use client::Credentials;
pub use family::{Family, Revocation};
pub use server::SignIn;
pub use settings::{Rotation, Settings};

pub(crate) use code::{Code, Redemption};
pub(crate) use family::GENERAL;
pub(crate) use form::Form;
pub(crate) use reason::{AssertionFault, ClientFault, GrantFault, Reason, RequestFault};
pub(crate) use server::{Desk, Proof};

/// Returns the SHA-256 of a token in lower-case hexadecimal, which is how families name their tokens.
pub fn digest(token: &str) -> String {
    let bytes = ring::digest::digest(&SHA256, token.as_bytes());
    bytes.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}

/// Returns a text that nobody can guess.
pub(crate) fn unguessable() -> String {
    let bytes: Vec<u8> = (0..6).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}
