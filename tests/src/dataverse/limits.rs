//! Service protection: how much one user may ask for.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::StatusCode;
use uuid::Uuid;

use super::error::Refusal;
use crate::wire::Answer;

/// Sets how much one user may ask of the server in a sliding window.
///
/// Source: Microsoft Learn, "Service protection API limits", read 2026-11-21.
#[derive(Debug, Clone)]
pub struct ServiceProtection {
    /// The number of requests.
    pub requests: usize,
    /// The time spent on requests together.
    pub execution_time: Duration,
    /// The number of requests at once.
    pub concurrent: usize,
    /// The length of the window.
    pub window: Duration,
    /// How long a user is turned away at first; every call meanwhile adds a quarter of it.
    pub ban: Duration,
}

impl Default for ServiceProtection {
    fn default() -> Self {
        Self {
            requests: 6000,
            execution_time: Duration::from_secs(1200),
            concurrent: 52,
            window: Duration::from_secs(300),
            ban: Duration::from_secs(20),
        }
    }
}

/// Names the limit that was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// Too many requests in the window.
    Requests,
    /// Too much time spent in the window.
    ExecutionTime,
    /// Too many requests at once.
    Concurrent,
}

/// Counts what every user asked for.
#[derive(Debug)]
pub(crate) struct Limits {
    settings: ServiceProtection,
    users: HashMap<Uuid, Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    /// When each request began and what it cost, both in milliseconds.
    requests: VecDeque<(i64, u64)>,
    spent: u64,
    running: usize,
    banned: Option<(i64, Limit)>,
}

/// Reports what is left of the limits, for the headers meant for debugging.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Remaining {
    requests: usize,
    milliseconds: u64,
}

impl Limits {
    pub(crate) fn new(settings: ServiceProtection) -> Self {
        Self {
            settings,
            users: HashMap::new(),
        }
    }

    /// Lets a request in, or says why not and for how long.
    pub(crate) fn admit(&mut self, user: Uuid, now: i64) -> Result<(), Box<Answer>> {
        let settings = &self.settings;
        let usage = self.users.entry(user).or_default();
        usage.forget(now - milliseconds(settings.window));
        if let Some((until, limit)) = usage.banned.filter(|(until, _)| now < *until) {
            let longer = until + milliseconds(settings.ban) / 4;
            usage.banned = Some((longer, limit));
            return Err(Box::new(settings.answer(limit, longer - now)));
        }
        if let Some(limit) = usage.exceeded(settings) {
            let ban = milliseconds(settings.ban);
            usage.banned = (limit != Limit::Concurrent).then_some((now + ban, limit));
            return Err(Box::new(settings.answer(limit, ban)));
        }
        usage.requests.push_back((now, 0));
        usage.running += 1;
        Ok(())
    }

    /// Books what a request cost.
    pub(crate) fn finish(&mut self, user: Uuid, cost: Duration) {
        let usage = self.users.entry(user).or_default();
        let cost = u64::try_from(cost.as_millis()).unwrap_or(u64::MAX);
        usage.running = usage.running.saturating_sub(1);
        usage.spent += cost;
        if let Some(last) = usage.requests.back_mut() {
            last.1 += cost;
        }
    }

    /// Reports what a user may still ask for.
    pub(crate) fn remaining(&mut self, user: Uuid) -> Remaining {
        let usage = self.users.entry(user).or_default();
        let allowed = u64::try_from(self.settings.execution_time.as_millis()).unwrap_or(u64::MAX);
        Remaining {
            requests: self.settings.requests.saturating_sub(usage.requests.len()),
            milliseconds: allowed.saturating_sub(usage.spent),
        }
    }

    /// Changes the limits and forgets what was counted under the old ones.
    pub(crate) fn replace(&mut self, settings: ServiceProtection) {
        *self = Self::new(settings);
    }

    pub(crate) fn refusal(&self, limit: Limit) -> Refusal {
        self.settings.refusal(limit)
    }
}

impl Usage {
    fn forget(&mut self, before: i64) {
        while let Some((_, cost)) = self.requests.pop_front_if(|(began, _)| *began <= before) {
            self.spent = self.spent.saturating_sub(cost);
        }
    }

    fn exceeded(&self, settings: &ServiceProtection) -> Option<Limit> {
        if self.running >= settings.concurrent {
            Some(Limit::Concurrent)
        } else if self.requests.len() >= settings.requests {
            Some(Limit::Requests)
        } else if u128::from(self.spent) >= settings.execution_time.as_millis() {
            Some(Limit::ExecutionTime)
        } else {
            None
        }
    }
}

impl ServiceProtection {
    fn answer(&self, limit: Limit, wait: i64) -> Answer {
        let seconds = (wait + 999) / 1000;
        self.refusal(limit)
            .to_answer(false)
            .with("retry-after", &seconds.to_string())
    }

    /// Describes the refusal that exceeding a limit gets.
    pub(crate) fn refusal(&self, limit: Limit) -> Refusal {
        let window = self.window.as_secs();
        let (code, message) = match limit {
            Limit::Requests => (
                "0x80072322",
                format!(
                    "Number of requests exceeded the limit of {} over time window of {window} seconds.",
                    self.requests
                ),
            ),
            Limit::ExecutionTime => (
                "0x80072321",
                format!(
                    "Combined execution time of incoming requests exceeded limit of {} milliseconds over time window \
                     of {window} seconds. Decrease number of concurrent requests or reduce the duration of requests \
                     and try again later.",
                    thousands(self.execution_time.as_millis())
                ),
            ),
            Limit::Concurrent => (
                "0x80072326",
                format!(
                    "Number of concurrent requests exceeded the limit of {}.",
                    self.concurrent
                ),
            ),
        };
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, code, message)
    }
}

impl Remaining {
    pub(crate) fn annotate(&self, answer: Answer) -> Answer {
        let seconds = format!("{:.2}", Duration::from_millis(self.milliseconds).as_secs_f64());
        answer
            .with(
                "x-ms-ratelimit-burst-remaining-xrm-requests",
                &self.requests.to_string(),
            )
            .with("x-ms-ratelimit-time-remaining-xrm-requests", &seconds)
    }
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn thousands(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
