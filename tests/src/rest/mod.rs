//! A register with a REST API such as small vendors have, below `/rest/`: the stand-in for Consio and for any other system
//! that a profile describes.
//!
//! No real system is copied: what is enforced here is what such systems have in common, in more than one dialect.
//! [`Settings`] choose how callers sign in, how listings are cut into pages, whether versions are checked and deletions
//! kept, and what goes wrong.
//!
//! | request | does |
//! | --- | --- |
//! | `GET /rest/v1/{members, memberships, enrollments}` | lists, with `updatedSince`, `number`, and the parameters of paging |
//! | `POST …/search` | lists as well, with `{"scope":"all"}` |
//! | `POST …`, `GET/PUT/PATCH/DELETE …/{id}` | one row |
//! | `GET /rest/identity/.well-known/openid-configuration`, `POST /rest/identity/token` | the sign-in |
//!
//! Unknown parameters and members are refused, so are numbers that another row has and members that are not there. A
//! refusal's message repeats what was sent, as careless systems do.

mod control;
mod listing;
mod operator;
mod refusal;
mod server;
pub mod settings;
mod store;
mod token;
mod write;

pub use server::Rest;
pub use settings::{Auth, Limit, Paging, Quirk, Settings};
pub use store::{Collection, Writes};
