//! How many requests an organization's contract with its ledger has in a month, and how many were sent.
//!
//! What is sent over GraphQL is paid for by the request. The count is kept by month; it may be short by what a process sent
//! that died before it could take note, and is a brake, and no bill.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::adapter::Usage;
use crate::model::IntegrationId;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};

/// For how long a month is kept.
const KEPT_DAYS: i64 = 400;

/// How often the count is tried where others count at the same time.
const TRIES: u8 = 5;

/// From which share of the contract on, in per cent, somebody should know.
const ALMOST: u64 = 80;

/// What was sent in one month, by UTC.
///
/// # Shape
///
/// `{"month":"2026-02-01","requests":1234,"bytesReceived":567890}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Month {
    /// Its first day.
    pub month: Date,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of answers.
    pub bytes_received: u64,
}

/// How a month stands against the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Requests sent this month.
    pub requests: u64,
    /// What the contract has.
    pub monthly_requests: u64,
    /// What there will be by the end of the month, if it goes on like this.
    pub forecast: u64,
}

impl Month {
    fn at(now: Timestamp) -> Date {
        now.to_zoned(TimeZone::UTC).date().first_of_month()
    }

    /// Sets the month against a contract.
    #[must_use]
    pub fn against(&self, monthly_requests: u64, now: Timestamp) -> Budget {
        let begin = self
            .month
            .to_zoned(TimeZone::UTC)
            .map_or(now, |begin| begin.timestamp());
        let end = next_month(now);
        let seconds = |from: Timestamp, to: Timestamp| {
            u64::try_from(to.duration_since(from).as_secs())
                .unwrap_or_default()
                .max(1)
        };
        // What one day says of a month is little: an hour would say nothing.
        let (gone, whole) = (seconds(begin, now).max(24 * 60 * 60), seconds(begin, end));
        Budget {
            requests: self.requests,
            monthly_requests,
            forecast: (self.requests.saturating_mul(whole) / gone).max(self.requests),
        }
    }
}

impl Budget {
    /// Says whether nothing more is to be sent this month.
    #[must_use]
    pub const fn is_spent(&self) -> bool {
        self.requests >= self.monthly_requests
    }

    /// Says whether it will not do until the end of the month, or is almost spent.
    #[must_use]
    pub const fn is_short(&self) -> bool {
        self.forecast > self.monthly_requests
            || self.requests.saturating_mul(100) >= self.monthly_requests.saturating_mul(ALMOST)
    }
}

/// Returns when the next month begins.
#[must_use]
pub fn next_month(now: Timestamp) -> Timestamp {
    let next = Month::at(now).checked_add(1.month());
    let begin = next.and_then(|day| day.to_zoned(TimeZone::UTC));
    begin.map_or(Timestamp::MAX, |begin| begin.timestamp())
}

fn key(integration: &IntegrationId, month: Date) -> Key {
    let sort = format!("export-usage#{}#{}", integration.system, month.strftime("%Y-%m"));
    Key::new(Table::Control, integration.organization.as_str(), sort)
}

/// Returns what was sent this month.
///
/// # Errors
///
/// Those of the store.
pub async fn this_month(
    store: &dyn Store,
    integration: &IntegrationId,
    now: Timestamp,
) -> Result<Month, StoreError> {
    read(store, integration, now).await.map(|(month, _)| month)
}

/// Counts what was sent.
///
/// # Errors
///
/// Those of the store; `Refused` where others count all the time.
pub async fn spend(
    store: &dyn Store,
    integration: &IntegrationId,
    usage: Usage,
    now: Timestamp,
) -> Result<(), StoreError> {
    if usage == Usage::default() {
        return Ok(());
    }
    let mut tries = 0;
    loop {
        let (month, version) = read(store, integration, now).await?;
        let counted = Month {
            requests: month.requests.saturating_add(usage.requests),
            bytes_received: month.bytes_received.saturating_add(usage.bytes_received),
            ..month
        };
        let expires_at = now.checked_add((KEPT_DAYS * 24).hours()).unwrap_or(now);
        let content = Content::of(&counted).expires_at(expires_at);
        let expect = version.map_or(Expect::Absent, Expect::Version);
        let write = Write::put(key(integration, month.month), expect, content);
        tries += 1;
        match store.write(vec![write]).await {
            Err(StoreError::Refused { .. }) if tries < TRIES => {}
            answer => return answer,
        }
    }
}

async fn read(
    store: &dyn Store,
    integration: &IntegrationId,
    now: Timestamp,
) -> Result<(Month, Option<u64>), StoreError> {
    let month = Month::at(now);
    let row = store.get(&[key(integration, month)]).await?.pop().flatten();
    match row {
        Some(row) => Ok((row.decode()?, Some(row.version))),
        None => Ok((
            Month {
                month,
                requests: 0,
                bytes_received: 0,
            },
            None,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;
    use crate::store::MemoryStore;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sent(requests: u64) -> Usage {
        Usage {
            requests,
            bytes_received: 10 * requests,
        }
    }

    #[tokio::test]
    async fn requests_are_counted_by_month() {
        let (store, id) = (MemoryStore::default(), samples::integration());
        for (when, requests) in [
            ("2026-02-01T00:00:00Z", 2),
            ("2026-02-28T23:59:59Z", 3),
            ("2026-03-01T00:00:00Z", 4),
        ] {
            spend(&store, &id, sent(requests), at(when)).await.unwrap();
        }
        let february = this_month(&store, &id, at("2026-02-14T12:00:00Z")).await.unwrap();
        assert_eq!((february.requests, february.bytes_received), (5, 50));
        let march = this_month(&store, &id, at("2026-03-02T00:00:00Z")).await.unwrap();
        assert_eq!(march.requests, 4);
    }

    #[test]
    fn the_forecast_goes_on_as_the_month_has_begun() {
        let month = Month {
            month: "2026-04-01".parse().unwrap(),
            requests: 1_000,
            bytes_received: 0,
        };
        let budget = month.against(5_000, at("2026-04-07T00:00:00Z"));
        assert_eq!(budget.forecast, 5_000);
        assert!(!budget.is_short() && !budget.is_spent());
        assert!(month.against(4_999, at("2026-04-07T00:00:00Z")).is_short());
        assert!(month.against(1_000, at("2026-04-30T00:00:00Z")).is_spent());
        assert!(month.against(1_200, at("2026-04-30T23:59:59Z")).is_short());
        // The first minutes are no measure of the whole.
        assert_eq!(month.against(5_000, at("2026-04-01T00:00:10Z")).forecast, 30_000);
    }

    #[test]
    fn a_month_ends_where_the_next_begins() {
        assert_eq!(next_month(at("2026-12-31T23:59:59Z")), at("2027-01-01T00:00:00Z"));
        assert_eq!(next_month(at("2027-01-01T00:00:00Z")), at("2027-02-01T00:00:00Z"));
    }
}
