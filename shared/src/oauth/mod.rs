//! Access tokens by client credentials: asked for once, shared while they are fresh.
//!
//! A token is fresh while it has more than five minutes left, by the wall clock: a sandbox that was frozen must
//! not take an old token for a young one. Many cold callers make one request. A failure is not remembered, but
//! for a credential that was refused and for a wait that the server asked for: those are not tried again before
//! their time.
//!
//! Deliberately absent: refresh tokens. This grant has none; to renew is to ask again.
//!
//! Source: RFC 6749, section 4.4; Microsoft Learn, "OAuth 2.0 client credentials flow".

mod cache;
mod client_credentials;
mod error;
mod token;
mod wire;

pub use cache::{TokenCache, TokenKey};
pub use client_credentials::{ClientCredentials, TokenSource};
pub use error::{TokenError, TokenErrorKind};
pub use token::AccessToken;
