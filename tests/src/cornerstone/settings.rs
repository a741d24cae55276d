//! How this portal behaves.

use std::time::Duration;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// Says how this portal behaves where the real one may behave in more than one way, and how much it lets a caller ask for.
///
/// Where nothing is known of the real one, the default is what is harder for a caller.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a change takes to get into the reporting views, which is 15 minutes at most; a change keeps the lag that it was
    /// made under, so that later changes may be seen first.
    pub warehouse_lag: SignedDuration,
    /// How many rows of a page the next page repeats.
    pub repeated_rows: usize,
    /// Whether a next link counts rows, so that rows that come or go meanwhile shift the pages, instead of going on after a row.
    pub shifting_pages: bool,
    /// What becomes of the second assignment of a training that the user has yet to do.
    pub repeated_assignment: Repeated,
    /// Whether a single record comes in a list.
    pub lists_of_one: bool,
    /// Whether the Transcript API refuses with the status 200, and says so only in its envelope.
    pub refusals_in_200: bool,
    /// How long every request takes, in real time.
    pub latency: Duration,
    /// How much may be asked for.
    pub limits: Limits,
}

/// Says what becomes of the second assignment of a training that the user has yet to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Repeated {
    /// It is refused.
    Refused,
    /// It changes nothing.
    Ignored,
    /// It is a registration of its own.
    Registered,
}

/// Says how much may be asked of one portal. What is refused counts too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Limits {
    /// The number of requests in a minute.
    pub per_minute: u64,
    /// The number of requests in an hour.
    pub per_hour: u64,
    /// The number of requests in a day of UTC.
    pub per_day: u64,
    /// The number of requests for reporting views in a minute.
    pub reporting: u64,
    /// The number of requests for lists of users in a minute.
    pub user_list: u64,
    /// The number of requests for single users in a minute.
    pub single_user: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            warehouse_lag: SignedDuration::from_mins(15),
            repeated_rows: 0,
            shifting_pages: false,
            repeated_assignment: Repeated::Refused,
            lists_of_one: false,
            refusals_in_200: false,
            latency: Duration::ZERO,
            limits: Limits::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            per_minute: 417,
            per_hour: 25_000,
            per_day: 600_000,
            reporting: 400,
            user_list: 75,
            single_user: 150,
        }
    }
}
