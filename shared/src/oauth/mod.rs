//! Tokens of the systems outside: asked for once, shared by all functions, renewed before they end.
//!
//! A token is fresh while it has more than five minutes left, by the wall clock: a sandbox that was frozen must not take
//! an old token for a young one. Each process keeps the tokens that it has seen, and all of them share one row for each
//! integration, where they are sealed. Of many who need another one asks; the others look for its answer.
//!
//! # Asking
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 claim | who asks, and until when; for a sign-in also that its refresh token is being shown | nobody else asks until then: 20 seconds, or 150 | the next who needs a token, or the clock |
//! | 2 asked | nothing here; the server may have spent the refresh token | that its outcome is unknown, in the row | the newest token is shown once more when no answer can come any more, then the one before, and then a person signs in again |
//! | 3 kept | the tokens, on the version that was claimed | – | – |
//!
//! The claim is also the proof that the table takes writes, and what seals the answer is at hand before anything is
//! spent. Who comes too late with an answer keeps it if none was kept since; who comes too late with a failure keeps
//! nothing. A refresh token is shown by `token-refresh` alone, which has the time to wait for a slow answer: a
//! [decision](crate::decisions::refresh_tokens_in_the_table) says why.
//!
//! # Failures
//!
//! A credential that was refused is left alone for five minutes, and longer each time, up to an hour; a server that is
//! down for some seconds; one that says when, until then. All processes keep to that, and an ageing token is used
//! meanwhile. Another version of the secret is tried at once.
//!
//! Source: RFC 6749; RFC 7636; RFC 9700, section 4.14; Microsoft Learn, "OAuth 2.0 client credentials flow".

mod application;
mod cache;
mod error;
mod row;
mod source;
mod token;
mod wire;

#[cfg(test)]
mod simulation;

pub use application::{Application, Ask, Format, Issued, Outbound, Proof, TokenEndpoint};
pub use cache::{TokenCache, TokenKey};
pub use error::{TokenError, TokenErrorKind};
pub use row::{Asking, Failure, KeptAccess, KeptRefresh, Stored, TokenRow, read, token_key};
pub use source::{Grant, SharedTokens, Standing, TokenSource};
pub use token::{AccessToken, Life};
