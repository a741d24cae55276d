//! What other systems send by themselves: the endpoints that it is sent to, and what becomes of it.
//!
//! | row | place, in the organization's control partition | what |
//! | --- | --- | --- |
//! | endpoint | `webhook#{system}#{token}` | how its senders prove who they are, and the sealed secrets |
//! | receipt | `receipt#{system}#{token}#{dedup key}` | that it was seen, and as which event; for [`KEPT`] |
//! | event | `event#{system}#{event id}` | what it told, and what became of it; for [`KEPT`] |
//!
//! # The webhook protocol
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 verify | – | – | the sender, who gets no answer and sends again |
//! | 2 enqueue | the message, under a name made of what was signed | a webhook that is kept, and a sender who does not know | the sender sends again; the receipt knows it |
//! | 3 answer 202 | – | – | the queue delivers |
//! | 4 receive | receipt and event (due) in one transaction | an event that nobody works on | the queue delivers again; `reconcile`, when the event is due |
//! | 5 claim | event: one attempt more | as 4 | as 4 |
//! | 6 take over | records and links, each on its own version | half of the rows | the next attempt, which finds the others unchanged |
//! | 7 end | event: what became of it, on the version of step 5 | – | – |
//!
//! A receipt outlives every sender's attempts, and the queue's: four days, thirteen, or two weeks later it is still known.
//! The place of a receipt holds nothing that is not signed or shown beside a secret: who changes a header makes no second
//! webhook of the first.

mod body;
mod delivery;
mod endpoint;
mod event;
mod open;
mod records;
mod replay;
mod setup;
mod work;

#[cfg(test)]
mod noise_tests;

use std::time::Duration;

pub use body::KeptBody;
pub use delivery::{Delivery, Say, TEST};
pub(crate) use endpoint::PREFIX as ENDPOINTS;
pub use endpoint::{
    Endpoint, EndpointId, Registration, StoredEndpoint, endpoint_key, list_endpoints, read_endpoint,
};
pub use event::{Cause, Event, EventState, StoredEvent, list_events, read_event};
pub(crate) use event::{PREFIX as EVENTS, prefix as events_prefix};
pub use open::{
    OpenEndpointError, Opened, WantedEndpoint, close, note_registration, open, remove, rotate, watch_due,
};
pub use records::Records;
pub use replay::{Filter, replay, select};
pub use setup::{Setup, address, setup};
pub use work::{Claimed, Entered, Wake, again, claim, end, enter, wait, wake};

/// How long an event and its receipt are kept: longer than any sender, the queue or its dead letters go on sending it.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest that Standard Webhooks, the queue and its dead letters go on sending.
const _: () = assert!(KEPT.as_secs() > 2 * 14 * 24 * 60 * 60);
