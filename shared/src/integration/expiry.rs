//! Tells in time that credentials are about to expire: 30, 14, 7 and 1 days before.
//!
//! A row for each integration whose credentials are known to end, written with the integration itself, is due at the
//! next of these days. Of days that have passed already, where credentials are put late or nobody looked, only the last
//! is told of, and at once. The event and the row that says so are one transaction: a crash leaves both or neither,
//! and who comes later finds that it is told.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::flow::Ports;
use crate::model::IntegrationId;
use crate::publish::ResultEvent;
use crate::store::{Content, Expect, Key, Store, StoreError, Table, Write};
use crate::sync::outbox;

/// How many days before the end it is told.
const DAYS: [u16; 4] = [30, 14, 7, 1];

/// Begins the place of every row.
pub(crate) const PREFIX: &str = "expiry#";

/// When the credentials of an integration end, and what was told of it.
///
/// # Shape
///
/// `{"integration":"hlf:dynamics365","expiresAt":"2026-03-02T10:00:00Z","told":14}`
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Expiry {
    integration: IntegrationId,
    expires_at: Timestamp,
    /// The last of the days that was told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<u16>,
}

/// Returns the write that keeps in mind when new credentials end, if there is anything to keep or to forget.
///
/// Credentials that end when the old ones did are told of no second time.
pub(super) async fn follow(
    store: &dyn Store,
    id: &IntegrationId,
    expires_at: Option<Timestamp>,
    now: Timestamp,
) -> Result<Option<Write>, StoreError> {
    let key = key(id);
    let row = store.get(std::slice::from_ref(&key)).await?.pop().flatten();
    let expect = row
        .as_ref()
        .map_or(Expect::Absent, |row| Expect::Version(row.version));
    let Some(expires_at) = expires_at else {
        return Ok(row.map(|_| Write::delete(key, expect)));
    };
    let before: Option<Expiry> = row.map(|row| row.decode()).transpose()?;
    let same = before.filter(|before| before.expires_at == expires_at);
    let expiry = Expiry {
        integration: id.clone(),
        expires_at,
        told: same.and_then(|same| same.told),
    };
    Ok(Some(Write::put(key, expect, expiry.content(now))))
}

/// Tells that credentials are about to expire, where a day has come of which nobody told yet; says whether it did.
///
/// # Errors
///
/// Those of the store.
pub(crate) async fn announce(ports: &Ports, key: &Key) -> Result<bool, StoreError> {
    let (store, now) = (&*ports.store, ports.now());
    let Some(row) = store.get(std::slice::from_ref(key)).await?.pop().flatten() else {
        return Ok(false);
    };
    let mut expiry: Expiry = row.decode()?;
    let Some((days, _)) = expiry.next(now).filter(|(_, at)| *at <= now) else {
        return Ok(false);
    };
    expiry.told = Some(days);
    let (id, end) = (&expiry.integration, expiry.expires_at);
    let writes = vec![
        Write::put(key.clone(), Expect::Version(row.version), expiry.content(now)),
        outbox::post(
            id,
            &format!("{PREFIX}{end}#{days}"),
            &event(id, end, days, now),
            now,
        ),
    ];
    match store.write(writes).await {
        Ok(()) => {
            tracing::warn!(integration.id = %id, expires_at = %end, days, "credentials are about to expire");
            Ok(true)
        }
        // Somebody else told it, or the credentials are others by now.
        Err(StoreError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

fn key(id: &IntegrationId) -> Key {
    let sort = format!("{PREFIX}{}", id.system);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

impl Expiry {
    /// Returns the day to tell of next, and when it comes: the last of those that have, or else the first that will.
    fn next(&self, now: Timestamp) -> Option<(u16, Timestamp)> {
        let untold = DAYS
            .into_iter()
            .filter(|days| self.told.is_none_or(|told| *days < told));
        let times = untold.map(|days| (days, before(self.expires_at, days)));
        let (came, will): (Vec<_>, Vec<_>) = times.partition(|(_, at)| *at <= now);
        came.last().or(will.first()).copied()
    }

    fn content(&self, now: Timestamp) -> Content {
        let content = Content::of(self);
        match self.next(now) {
            Some((_, at)) => content.due_at(at),
            None => content,
        }
    }
}

/// Returns the time so many days before another.
pub(crate) fn before(end: Timestamp, days: u16) -> Timestamp {
    let span = SignedDuration::from_hours(24 * i64::from(days));
    end.checked_sub(span).unwrap_or(Timestamp::MIN)
}

/// Tells of credentials that are about to expire; holds no personal data.
fn event(id: &IntegrationId, expires_at: Timestamp, days: u16, now: Timestamp) -> ResultEvent {
    let detail = json!({
        "organizationId": id.organization,
        "integrationType": id.system,
        "expiresAt": expires_at,
        "withinDays": days,
    });
    ResultEvent {
        event_id: format!("{id}.{expires_at}.{days}"),
        detail_type: "integration.credentials_expiring.v1".to_owned(),
        time: now,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: &str =
        include_str!("../../../events/result-events/integration.credentials_expiring.v1.schema.json");

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn expiry(told: Option<u16>) -> Expiry {
        Expiry {
            integration: "hlf:dynamics365".parse().unwrap(),
            expires_at: at("2026-03-31T10:00:00Z"),
            told,
        }
    }

    #[test]
    fn an_event_has_the_fields_of_its_schema_and_no_other() {
        let expiry = expiry(None);
        let now = at("2026-03-01T10:00:00Z");
        let event = event(&expiry.integration, expiry.expires_at, 30, now);
        event.check(SCHEMA);
        assert_eq!(event.event_id, "hlf:dynamics365.2026-03-31T10:00:00Z.30");
    }

    #[test]
    fn the_next_day_is_the_last_that_came_and_was_not_told_of_or_the_first_that_will_come() {
        for (now, told, next) in [
            ("2026-01-01T00:00:00Z", None, Some((30, "2026-03-01T10:00:00Z"))),
            ("2026-03-01T10:00:00Z", None, Some((30, "2026-03-01T10:00:00Z"))),
            (
                "2026-03-01T10:00:00Z",
                Some(30),
                Some((14, "2026-03-17T10:00:00Z")),
            ),
            ("2026-03-21T10:00:00Z", None, Some((14, "2026-03-17T10:00:00Z"))),
            (
                "2026-03-21T10:00:00Z",
                Some(14),
                Some((7, "2026-03-24T10:00:00Z")),
            ),
            (
                "2026-05-01T00:00:00Z",
                Some(30),
                Some((1, "2026-03-30T10:00:00Z")),
            ),
            ("2026-05-01T00:00:00Z", Some(1), None),
        ] {
            let expected = next.map(|(days, time)| (days, at(time)));
            assert_eq!(expiry(told).next(at(now)), expected, "{now} {told:?}");
        }
    }
}
