//! The one way out: an HTTP client that goes only where configuration and an allow-list let it.
//!
//! It speaks https on port 443 to names of known systems, connects only to public addresses, follows no
//! redirect and no proxy, and stops reading at a cap and at a deadline. What it cannot know, it says: a
//! [`Failure`] tells whether the request may have reached the other side.
//!
//! Deliberately absent: retries of anything that may have been sent, cookies, and caches.

mod address;
mod answer;
mod body;
mod call;
mod client;
mod counts;
mod failure;
mod gate;
mod hosts;
mod identity;
mod resolver;
mod retry_after;
mod url_check;

pub use answer::Answer;
pub use call::{Call, Limits};
pub use client::Http;
pub use counts::{Counters, HttpCounts};
pub use failure::{Cause, Failure};
pub use gate::Gate;
pub use identity::{Identity, IdentityFault};
pub use retry_after::retry_at;
pub use url_check::{Exceptions, Reason, check_base_url, check_login_url, same_origin};
