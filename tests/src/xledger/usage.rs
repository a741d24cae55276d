//! What each API token has asked for, and when that is too much.
//!
//! That there is a limit on bursts, one on requests at once, and a quota of credits is known, and how each is answered. The
//! numbers are not, nor what a request costs. The month's requests and bytes are counted as the price list counts them.
//!
//! Source: github.com/xledger/graphql-samples and the help pages of Xledger UK, read 2026-11-21.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use super::graphql::Refusal;
use super::settings::Limits;
use super::time::{local, today};

/// Names a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Limit {
    /// Too many requests in a short time.
    Burst,
    /// Too many requests at once.
    Concurrency,
    /// No credits left until they are given anew.
    Credits,
}

/// Counts what was asked in one month, which is what the price depends on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Month {
    /// The requests of GraphQL.
    pub requests: u64,
    /// The bytes of their bodies.
    pub bytes_up: u64,
    /// The bytes of the answers.
    pub bytes_down: u64,
}

#[derive(Debug, Default)]
pub(super) struct Usage {
    tokens: HashMap<String, OneToken>,
    months: HashMap<(i16, i8), Month>,
}

#[derive(Debug, Default)]
struct OneToken {
    recent: VecDeque<Timestamp>,
    running: usize,
    spent: u64,
    resets_at: Option<Timestamp>,
}

impl Limit {
    /// Returns how going beyond the limit is answered.
    pub(super) fn refusal(self, resets_at: Timestamp) -> Refusal {
        match self {
            Self::Burst => Refusal::new("Burst rate limit reached. Please slow down.")
                .coded("BAD_REQUEST.BURST_RATE_LIMIT_REACHED"),
            Self::Concurrency => Refusal::new("Concurrency limit reached. Please wait for other requests.")
                .coded("BAD_REQUEST.CONCURRENCY_LIMIT_REACHED"),
            Self::Credits => Refusal::new("Insufficient credits.")
                .coded("BAD_REQUEST.INSUFFICIENT_CREDITS")
                .extended("resetAt", json!(local(resets_at))),
        }
    }
}

impl Usage {
    /// Lets a request in, or says why not.
    pub(super) fn admit(&mut self, token: &str, limits: &Limits, now: Timestamp) -> Result<(), Refusal> {
        let usage = self.tokens.entry(token.to_owned()).or_default();
        if usage.running >= limits.concurrent {
            return Err(Limit::Concurrency.refusal(now));
        }
        usage
            .recent
            .retain(|began| now < *began + limits.burst_window && *began <= now);
        if usage.recent.len() >= limits.burst {
            return Err(Limit::Burst.refusal(now));
        }
        if usage.resets_at.is_none_or(|at| at <= now) {
            usage.spent = 0;
            usage.resets_at = Some(now + limits.credit_period);
        }
        if usage.spent >= limits.credits {
            return Err(Limit::Credits.refusal(usage.resets_at.unwrap_or(now)));
        }
        usage.recent.push_back(now);
        usage.spent += 1;
        usage.running += 1;
        Ok(())
    }

    /// Ends a request that was let in.
    pub(super) fn finish(&mut self, token: &str) {
        if let Some(usage) = self.tokens.get_mut(token) {
            usage.running = usage.running.saturating_sub(1);
        }
    }

    /// Books the rows of a request.
    pub(super) fn spend(&mut self, token: &str, rows: u64) {
        if let Some(usage) = self.tokens.get_mut(token) {
            usage.spent += rows / 100;
        }
    }

    /// Books a request in its month.
    pub(super) fn count(&mut self, up: usize, down: usize, now: Timestamp) {
        let date = today(now);
        let month = self.months.entry((date.year(), date.month())).or_default();
        month.requests += 1;
        month.bytes_up += up as u64;
        month.bytes_down += down as u64;
    }

    /// Returns what was asked in the month that it is.
    pub(super) fn month(&self, now: Timestamp) -> Month {
        let date = today(now);
        self.months
            .get(&(date.year(), date.month()))
            .cloned()
            .unwrap_or_default()
    }
}
