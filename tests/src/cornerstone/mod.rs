//! Cornerstone OnDemand: its sign-in, its reporting views, the Transcript API, users, two older endpoints, and transcript loads.
//!
//! A request passes `server` (is it up, how much was asked, who asks and may they), then `reporting`, `transcripts` and `writes`,
//! `employees`, or `legacy`, which meet the portal's records in `store`. [`load`] does what a human does with a file.
//!
//! What is documented is enforced. The rest is inferred, or decided in favour of what is harder for a caller, which [`Settings`]
//! can change where that is worth something.
//!
//! | what | here |
//! | --- | --- |
//! | the paths of `in-progress`, `complete` and `withdraw`, and what may follow what | see `writes` |
//! | how times are written | as `2026-03-01T18:29:00+0000` everywhere but in views, which is known of the older endpoints only |
//! | the numbers of statuses, and which group is 12 and which 13 | see [`Status`] |
//! | what limits are counted by | the portal, in fixed minutes, hours and days; tokens are not counted |
//! | which scope a write needs | `transcript:update`, also for `assign` |
//! | the status of "record not found" | 404; `refusals_in_200` |
//! | what a `reg_num` counts | the registrations of one user for one learning object |
//! | a second assignment | refused; `repeated_assignment` |
//! | whether one record comes in a list | it does not; `lists_of_one` |
//! | what next links stand for | the last row; `shifting_pages` |
//! | what a repeated page repeats | the end of the page before; `repeated_rows` |
//! | the records of webhooks | invented |
//!
//! Not simulated: what creates users and learning objects by API, the Learning Assignment API, bulk and proxy enrolment, parts of
//! sessions, curricula whose trainings follow them, other views, languages, and webhooks that are sent without being asked to:
//! [`Cornerstone::deliver_webhooks`] does it.
//!
//! Source: csod.dev and help.csod.com, and public clients that talk to the system, read 2026-11-21 and 2026-11-22.

mod answer;
mod control;
mod employees;
pub mod faults;
mod history;
mod legacy;
pub mod load;
mod operator;
mod record;
mod reporting;
mod resource;
mod server;
mod settings;
mod status;
mod store;
mod throttle;
mod time;
pub(crate) mod token;
mod transcripts;
mod webhook;
mod writes;

pub use record::{Key, LearningObject, Registration, User};
pub use resource::Resource;
pub use server::{Cornerstone, Outage};
pub use settings::{Limits, Repeated, Settings};
pub use status::{Status, TrainingType};
pub use store::{Author, Write};
pub use webhook::{Delivered, Event, Subscription};
