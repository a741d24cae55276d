//! What an organization configures, and its credentials.
//!
//! # Shape
//!
//! Settings; what can be left out is said at [`Settings::read`], and `booking` is [`Mapping`]:
//!
//! ```json
//! {
//!   "environment": "live",
//!   "protocol": "auto",
//!   "csv": true,
//!   "automatic": false,
//!   "monthlyRequests": 5000,
//!   "booking": { "entity": "23001", "voucherType": "GL", "counterAccount": "2910", "…": "…" }
//! }
//! ```
//!
//! Credentials; the API token is made in Xledger under "Access control", "GraphQL", and when it ends may be said as a time
//! or a date:
//!
//! ```json
//! { "apiToken": "…", "expiresAt": "2027-01-31" }
//! ```

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use crate::export::Mapping;
use crate::http::{Exceptions, check_base_url};
use crate::model::{Currency, FieldError, System};
use crate::settings::{Faults, Section, identifier, instant};

/// What the contract has in a month, unless another one was made.
///
/// Source: Xledger UK's help, "API pricing", read 2026-11-21.
const MONTHLY_REQUESTS: u64 = 5000;
/// How many hours a route stays the one that is taken.
const ROUTE_HOURS: u64 = 24;
/// How many rows a page has; the vendor's own sample reads ten thousand at once.
const PAGE: u64 = 1000;
const LARGEST_PAGE: u64 = 10_000;

/// Which way vouchers are to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// The first that works: GraphQL, SOAP, and, where that is allowed, a file.
    Auto,
    Graphql,
    Soap,
    Csv,
}

/// What an organization has configured.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Where GraphQL answers.
    pub(super) graphql: Url,
    pub(super) protocol: Protocol,
    /// Whether a file may be the way where nothing else works.
    pub(super) csv: bool,
    pub(super) automatic: bool,
    pub(super) route_holds: Duration,
    pub(super) monthly_requests: Option<u64>,
    /// By which name lines are filtered by what we call them.
    pub(super) ext_identifier_filter: String,
    pub(super) page_size: u64,
    /// The ledger's own currency, in which all amounts are.
    pub(super) currency: Currency,
    pub(super) mapping: Mapping,
}

impl Settings {
    /// Reads settings.
    ///
    /// `environment` may be left out where `graphqlUrl` is given, which counts before it. Else: `protocol` is `auto`, `csv` and
    /// `automatic` are false, `routeHours` is 24, `monthlyRequests` 5000 (`null`: they are not counted),
    /// `extIdentifierFilter` `extIdentifier`, `pageSize` 1000, `currency` NOK.
    pub(super) fn read(json: &Value, exceptions: &Exceptions) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let settings = Section::open("settings", json, &faults).and_then(|section| {
            let settings = Self::read_section(&section, json, exceptions);
            section.finish();
            settings
        });
        faults.or(settings)
    }

    /// Asks for every member before it gives up, so that every fault is told.
    fn read_section(section: &Section<'_>, json: &Value, exceptions: &Exceptions) -> Option<Self> {
        let graphql = graphql(section, exceptions);
        let protocol = section.text("protocol", protocol).unwrap_or(Protocol::Auto);
        let csv = section.flag("csv").unwrap_or(false);
        let automatic = section.flag("automatic").unwrap_or(false);
        let hours = section.number("routeHours", 1, 24 * 31).unwrap_or(ROUTE_HOURS);
        let requests = section.number("monthlyRequests", 1, 1_000_000_000);
        let filter = section.text("extIdentifierFilter", identifier);
        let page_size = section.number("pageSize", 1, LARGEST_PAGE).unwrap_or(PAGE);
        let currency = currency(section);
        let mapping = section.required_value("booking", |value| Mapping::read("settings.booking", value));
        if let (Some(mapping), Some(currency)) = (&mapping, currency) {
            check_currencies(section, mapping, currency);
        }
        Some(Self {
            graphql: graphql?,
            protocol,
            csv,
            automatic,
            route_holds: Duration::from_secs(hours * 3600),
            monthly_requests: match json.get("monthlyRequests") {
                Some(Value::Null) => None,
                _ => Some(requests.unwrap_or(MONTHLY_REQUESTS)),
            },
            ext_identifier_filter: filter.unwrap_or_else(|| "extIdentifier".to_owned()),
            page_size,
            currency: currency?,
            mapping: mapping?,
        })
    }
}

/// Says which settings lead to other books than before: what was exported is looked for where it was exported to.
pub(super) fn check_move(before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
    let address = |json: &Value| {
        let named = json.get("graphqlUrl").and_then(Value::as_str);
        let environment = json.get("environment").and_then(Value::as_str);
        let url = named.or_else(|| environment.and_then(home))?;
        Url::parse(url).ok()
    };
    let entity = |json: &Value| {
        json.pointer("/booking/entity")
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    let differs = [
        (
            match after.get("graphqlUrl") {
                Some(_) => "settings.graphqlUrl",
                None => "settings.environment",
            },
            address(before).is_some_and(|was| address(after).is_some_and(|is| was != is)),
        ),
        (
            "settings.booking.entity",
            entity(before).is_some_and(|was| entity(after).is_some_and(|is| was != is)),
        ),
    ];
    let reason = "leads to other books than those that were exported into: disconnect, and connect anew";
    let faults: Vec<_> = differs
        .into_iter()
        .filter(|(_, differs)| *differs)
        .map(|(field, _)| FieldError::new(field, reason))
        .collect();
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

fn home(environment: &str) -> Option<&'static str> {
    match environment {
        "live" => Some("https://www.xledger.net"),
        "demo" => Some("https://demo.xledger.net"),
        _ => None,
    }
}

fn graphql(section: &Section<'_>, exceptions: &Exceptions) -> Option<Url> {
    let environment = section.text("environment", |text| {
        home(text).ok_or_else(|| "must be live or demo".to_owned())
    });
    let named = section.text("graphqlUrl", |text| {
        check_base_url(System::Xledger, text, exceptions).map_err(|reason| reason.to_string())
    });
    if section.get("environment").is_none() && section.get("graphqlUrl").is_none() {
        section.fault("environment", "is required: live or demo");
    }
    let base = named.or_else(|| Url::parse(environment?).ok())?;
    base.join("graphql").ok()
}

fn protocol(text: &str) -> Result<Protocol, String> {
    match text {
        "auto" => Ok(Protocol::Auto),
        "graphql" => Ok(Protocol::Graphql),
        "soap" => Ok(Protocol::Soap),
        "csv" => Ok(Protocol::Csv),
        _ => Err("must be auto, graphql, soap or csv".to_owned()),
    }
}

fn currency(section: &Section<'_>) -> Option<Currency> {
    let code = section.text("currency", |text| {
        text.parse::<Currency>().map_err(|error| error.to_string())
    });
    match section.get("currency") {
        None => "NOK".parse().ok(),
        Some(_) => code,
    }
}

/// An amount in another currency is worked out by a rate of the day, which nobody here knows.
fn check_currencies(section: &Section<'_>, mapping: &Mapping, currency: Currency) {
    if mapping.currencies.iter().any(|booked| *booked != currency) {
        let reason = format!("must be {currency} alone: amounts are sent in the ledger's own currency");
        section.fault("booking.currencies", reason);
    }
}

/// What an organization proves with who it is; which of it is needed says the protocol.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) api_token: Option<SecretString>,
    /// When the token ends, where that is known.
    pub(super) expires_at: Option<Timestamp>,
}

impl Credentials {
    /// Reads credentials; a fault names the member and never what it holds.
    pub(super) fn read(json: &SecretString) -> Result<Self, Vec<FieldError>> {
        let unreadable = |_| vec![FieldError::new("credentials", "must be a JSON object")];
        let value: Value = serde_json::from_str(json.expose_secret()).map_err(unreadable)?;
        let faults = Faults::default();
        let credentials = Section::open("credentials", &value, &faults).map(|section| {
            let api_token = section.text("apiToken", token);
            let expires_at = section.text("expiresAt", instant);
            section.finish();
            Self {
                api_token,
                expires_at,
            }
        });
        faults.or(credentials)
    }

    /// Checks that there is what the protocol asks for.
    pub(super) fn check(&self, protocol: Protocol) -> Result<(), Vec<FieldError>> {
        let missing = self.api_token.is_none() && matches!(protocol, Protocol::Auto | Protocol::Graphql);
        match missing {
            true => Err(vec![FieldError::new(
                "credentials.apiToken",
                "is required by the protocol that the settings name",
            )]),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("api_token", &self.api_token.is_some())
            .finish_non_exhaustive()
    }
}

fn token(text: &str) -> Result<SecretString, String> {
    match !text.is_empty() && text.len() <= 1000 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.into()),
        false => Err("must be 1 to 1000 visible ASCII characters".to_owned()),
    }
}
