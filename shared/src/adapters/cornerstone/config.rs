//! What an organization configures, and its credentials.
//!
//! # Shape
//!
//! Settings; what can be left out is said at [`Settings::read`]:
//!
//! ```json
//! {
//!   "baseUrl": "https://hlf.csod.com",
//!   "scope": "all",
//!   "pageSize": 10000,
//!   "overlapMinutes": 20,
//!   "paths": { "details": "/services/api/v1/transcripts/details" },
//!   "course-enrollments": {
//!     "statuses": { "registered": [8], "in_progress": [16], "completed": [32, "Fullført"] },
//!     "trainingTypes": { "instructor_led": ["SESS"] },
//!     "fields": { "score": null, "active": "is_archive" },
//!     "onDelete": "withdraw"
//!   },
//!   "webhooks": { "rows": "/records", "user": "/user/externalId", "course": "/training/id" },
//!   "files": { "when": "down", "afterMinutes": 30, "headers": { "userId": "Brukernavn" } }
//! }
//! ```
//!
//! Credentials; when a secret expires may be said as a time or a date:
//!
//! ```json
//! { "clientId": "…", "clientSecret": "…", "expiresAt": "2027-01-31" }
//! ```

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::columns::Columns;
use super::load;
use super::paths::Paths;
use super::webhook::Pointers;
use super::words::Words;
use crate::http::{Exceptions, check_base_url};
use crate::model::{FieldError, Group, Kind, System};
use crate::settings::{Faults, Section};

/// The most rows that a page of a view has, and the default.
///
/// Source: csod.dev, "Reporting API".
const LARGEST_PAGE: u64 = 10_000;
/// How far a reading looks back: more than the quarter of an hour by which the views are behind.
const OVERLAP: u64 = 20;
const OVERLAPS: (u64, u64) = (16, 24 * 60);

/// How long the API has to be down before changes go out by files, and how long it may be set to.
const PATIENCE: SignedDuration = SignedDuration::from_mins(30);
const LONGEST_PATIENCE: (u64, u64) = (5, 24 * 60);

/// What an organization has configured.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) base_url: Url,
    pub(super) scope: String,
    pub(super) page_size: u64,
    pub(super) overlap: SignedDuration,
    pub(super) paths: Paths,
    pub(super) columns: Columns,
    pub(super) statuses: Words,
    pub(super) training_types: Words,
    pub(super) on_delete: OnDelete,
    pub(super) pointers: Pointers,
    pub(super) fallback: Fallback,
}

/// When records travel by files, and how those are written.
#[derive(Debug, Clone)]
pub(super) struct Fallback {
    pub(super) when: When,
    /// How long the API has to be down.
    pub(super) after: SignedDuration,
    /// What columns of transcript loads are called, where that is not the usual.
    pub(super) headers: BTreeMap<String, String>,
}

/// When records travel by files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// While the API is down.
    Down,
    /// Always: there is no API to talk to.
    Always,
    /// Never: what cannot be sent waits.
    Never,
}

impl Fallback {
    /// Reads `files`, which may be left out.
    pub(super) fn read(section: Option<Section<'_>>) -> Option<Self> {
        let Some(section) = section else {
            return Some(Self {
                when: When::Down,
                after: PATIENCE,
                headers: BTreeMap::new(),
            });
        };
        let when = section.text("when", when);
        let after = section.number("afterMinutes", LONGEST_PATIENCE.0, LONGEST_PATIENCE.1);
        let mut headers = BTreeMap::new();
        if let Some(named) = section.section("headers") {
            for (name, header) in named.entries() {
                match header.as_str() {
                    Some(header) => drop(headers.insert(name.to_owned(), header.to_owned())),
                    None => named.fault(name, "must be a text"),
                }
            }
            for fault in load::faults(&headers) {
                named.fault(&fault.field, fault.reason);
            }
        }
        section.finish();
        let after = after
            .and_then(|minutes| i64::try_from(minutes).ok())
            .map(SignedDuration::from_mins);
        Some(Self {
            when: when.unwrap_or(When::Down),
            after: after.unwrap_or(PATIENCE),
            headers,
        })
    }
}

fn when(text: &str) -> Result<When, String> {
    match text {
        "down" => Ok(When::Down),
        "always" => Ok(When::Always),
        "never" => Ok(When::Never),
        _ => Err("must be down, always or never".to_owned()),
    }
}

/// What becomes of an enrolment that the platform has deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnDelete {
    /// The user is withdrawn from it; it stays on the transcript.
    Withdraw,
    /// It is taken off the transcript.
    Remove,
    /// Nothing.
    Ignore,
}

impl Settings {
    /// Reads settings; groups that another application owns are left out.
    ///
    /// Only `baseUrl` and `course-enrollments` are needed, and the latter may be empty: `scope` is `all`, `pageSize` 10,000,
    /// `overlapMinutes` 20, `onDelete` `withdraw`; changes go out by files when the API has been down for half an hour; paths, columns, words and pointers are the usual ones.
    pub(super) fn read(
        json: &Value,
        excluded: &[Group],
        exceptions: &Exceptions,
    ) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let settings = Section::open("settings", json, &faults).and_then(|section| {
            let settings = Self::read_section(&section, excluded, exceptions);
            section.finish();
            settings
        });
        faults.or(settings)
    }

    /// Asks for every member before it gives up, so that every fault is told.
    fn read_section(section: &Section<'_>, excluded: &[Group], exceptions: &Exceptions) -> Option<Self> {
        let base_url = section.required("baseUrl", |text| {
            check_base_url(System::Cornerstone, text, exceptions).map_err(|reason| reason.to_string())
        });
        let scope = section.text("scope", scope);
        let page_size = section.number("pageSize", 1, LARGEST_PAGE);
        let overlap = section.number("overlapMinutes", OVERLAPS.0, OVERLAPS.1);
        let paths = Paths::read(section.section("paths"));
        let pointers = Pointers::read(section.section("webhooks"));
        let fallback = Fallback::read(section.section("files"));
        let kind = Kind::CourseEnrollment.plural();
        if section.get(kind).is_none() {
            section.fault(kind, "is required; it may be empty");
        }
        let enrollments = section.section(kind)?;
        let columns = Columns::read(&enrollments, excluded);
        let statuses = Words::statuses(&enrollments);
        let training_types = Words::training_types(&enrollments);
        let on_delete = enrollments.text("onDelete", on_delete);
        enrollments.finish();
        Some(Self {
            base_url: base_url?,
            scope: scope.unwrap_or_else(|| "all".to_owned()),
            page_size: page_size.unwrap_or(LARGEST_PAGE),
            overlap: SignedDuration::from_mins(i64::try_from(overlap.unwrap_or(OVERLAP)).ok()?),
            paths: paths?,
            columns: columns?,
            statuses: statuses?,
            training_types: training_types?,
            on_delete: on_delete.unwrap_or(OnDelete::Withdraw),
            pointers: pointers?,
            fallback: fallback?,
        })
    }

    /// Says whether there is an API to be signed in to, in settings that may be wrong.
    pub(super) fn has_api(json: &Value) -> bool {
        json.pointer("/files/when").and_then(Value::as_str) != Some("always")
    }

    /// Says whether runs ever read uploads, in settings that may be wrong.
    pub(super) fn takes_uploads(json: &Value) -> bool {
        json.pointer("/files/when").and_then(Value::as_str) != Some("never")
    }

    /// Returns where tokens are asked for.
    pub(super) fn token_endpoint(&self) -> Url {
        self.base_url
            .join(&self.paths.token)
            .expect("a checked origin takes a checked path")
    }
}

fn on_delete(text: &str) -> Result<OnDelete, String> {
    match text {
        "withdraw" => Ok(OnDelete::Withdraw),
        "remove" => Ok(OnDelete::Remove),
        "ignore" => Ok(OnDelete::Ignore),
        _ => Err("must be withdraw, remove or ignore".to_owned()),
    }
}

/// A name such as `transcript:read`, or several with one space between them.
fn scope(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'_' | b'-' | b'.');
    let is_scope = |word: &str| !word.is_empty() && word.bytes().all(plain);
    match text.len() <= 1000 && text.split(' ').all(is_scope) {
        true => Ok(text.to_owned()),
        false => Err("must be all, or scopes such as transcript:read with a space between them".to_owned()),
    }
}

/// Who an application is, and what it proves it with.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) secret: SecretString,
    /// When the secret stops being one, where that is known.
    pub(super) expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Reads credentials; a fault names the member and never what it holds.
    pub(super) fn read(json: &SecretString) -> Result<Self, Vec<FieldError>> {
        let unreadable = |_| vec![FieldError::new("credentials", "must be a JSON object")];
        let value: Value = serde_json::from_str(json.expose_secret()).map_err(unreadable)?;
        let faults = Faults::default();
        let credentials = Section::open("credentials", &value, &faults).and_then(|section| {
            let client_id = section.required("clientId", secret_text);
            let secret = section.required("clientSecret", secret_text);
            let expires_at = section.text("expiresAt", end);
            section.finish();
            Some(Self {
                client_id: client_id?,
                secret: secret?.into(),
                expires_at,
            })
        });
        faults.or(credentials)
    }
}

/// A date is its beginning in UTC: who is warned a day early loses nothing.
fn end(text: &str) -> Result<Timestamp, String> {
    let date = || {
        let date: Date = Some(text)
            .filter(|text| text.len() == "2027-01-31".len())?
            .parse()
            .ok()?;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    };
    let end = text.parse().ok().or_else(date);
    end.ok_or_else(|| "must be a date, or a time with its offset, such as 2027-01-31T09:00:00Z".to_owned())
}

fn secret_text(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 500 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 500 visible ASCII characters".to_owned()),
    }
}
