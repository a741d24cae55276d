//! From the bytes of a request to a webhook that its sender is known of: nothing is awaited, read or written here, and the
//! time is given.
//!
//! [`profile::check`] reads a [`Scheme`], which the row of an endpoint holds; with its [`Secrets`] it makes a [`Verifier`];
//! that turns a [`RawWebhook`] into a [`VerifiedWebhook`], which nothing else can make, or into [`Refused`], which says
//! nothing of why.
//!
//! | scheme | what proves the sender | what is signed | good for | known again by |
//! | --- | --- | --- | --- | --- |
//! | `standard` | HMAC-SHA256, ed25519 | id, time, body | 5 minutes | the id |
//! | `xledger` | HMAC-SHA256 | time, body | 15 minutes | the body |
//! | `hmac` | HMAC with SHA-256 or SHA-512 | body, or time and body | as configured | what is signed |
//! | `dataverse` | a secret in a header or in the URL | nothing | for ever | the body |
//! | `cornerstone` | a secret in a header | nothing | for ever | the body, inflated |
//!
//! Where nothing is signed, whoever knows the secret can say anything: such a webhook is a hint at best, and what it hints
//! at is asked of the system itself. The secret came with the body, so that the body is the most that it can be known by.
//!
//! # What holds for all of them
//!
//! - There is no scheme without a check, and no secret that could be guessed makes a [`Verifier`].
//! - What is computed of the body does not depend on what else is wrong, and what is compared with a secret, or with what
//!   was computed with one, is compared in constant time.
//! - A header that stands there twice is refused, and so is one that a gateway has joined of two: no value that is accepted
//!   has a comma, but for the list of `standard`, each of whose entries has one.
//! - A text that is signed over has one form: no sign, no leading zero, no other spelling of a date, no upper-case hex.
//! - A live secret counts at once, and the one before it until the time that was said.
//!
//! What is deliberately absent: the size of a request, its method and its content type are looked at before; whether a
//! webhook was seen before, and what it means, after.
//!
//! # Example
//!
//! ```
//! use secrecy::SecretString;
//! use serde_json::json;
//! use shared::webhook::{RawWebhook, Verifier};
//!
//! let scheme = json!({ "type": "hmac", "header": "X-Hub-Signature-256", "prefix": "sha256=", "encoding": "hex" });
//! let secrets = SecretString::from(r#"{ "current": "It's a Secret to Everybody" }"#);
//! let verifier = Verifier::read(&scheme, &secrets).expect("nothing is wrong with them");
//!
//! let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! let mut raw = RawWebhook { body: "Hello, World!".into(), ..RawWebhook::default() };
//! assert!(raw.clone().verify(&verifier, jiff::Timestamp::UNIX_EPOCH).is_err());
//! raw.headers.insert("x-hub-signature-256", signature.parse().unwrap());
//! let webhook = raw.verify(&verifier, jiff::Timestamp::UNIX_EPOCH).expect("it is signed");
//! assert_eq!(webhook.body(), "Hello, World!");
//! ```
//!
//! Source: GitHub Docs, "Validating webhook deliveries", for what is signed in the example.

mod cornerstone;
mod dataverse;
mod encoding;
mod hmac;
mod live;
mod mac;
pub mod profile;
mod raw;
mod refused;
mod scheme;
mod secrets;
mod sign;
mod standard;
mod strength;
mod time;
mod token;
mod verified;
mod verifier;
mod xledger;

#[cfg(test)]
mod noise_tests;
#[cfg(test)]
mod profile_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod scheme_tests;
#[cfg(test)]
mod vectors;

pub use cornerstone::Cornerstone;
pub use dataverse::Dataverse;
pub use hmac::Hmac;
pub use raw::RawWebhook;
pub use refused::{Reason, Refused};
pub use scheme::Scheme;
pub use secrets::Secrets;
pub use sign::{NoRandomness, OnlyTheSender, Paste};
pub use verified::{DedupKey, VerifiedWebhook};
pub use verifier::Verifier;
