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
//! `soap` is [`SoapSettings`], and `file` [`FileProfile`]; where they name no address or currency, it is that of the rest.
//!
//! Credentials; which of them are needed says the protocol. The API token is made in Xledger under "Access control", "GraphQL", and when it ends may be said as a time
//! or a date:
//!
//! ```json
//! { "apiToken": "…", "expiresAt": "2027-01-31",
//!   "soap": { "user": "…", "password": "…", "certificate": "-----BEGIN…", "privateKey": "-----BEGIN…" } }
//! ```

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::file::FileProfile;
use super::soap::{SoapCredentials, SoapSettings, home_currency};
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
    /// Where the SOAP services are, where that is known.
    pub(super) soap: Option<SoapSettings>,
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
            let settings = Self::read_section(&section, json, exceptions, &faults);
            section.finish();
            settings
        });
        faults.or(settings)
    }

    /// Asks for every member before it gives up, so that every fault is told.
    fn read_section(
        section: &Section<'_>,
        json: &Value,
        exceptions: &Exceptions,
        faults: &Faults,
    ) -> Option<Self> {
        let graphql = graphql(section, exceptions);
        let protocol = section.text("protocol", protocol).unwrap_or(Protocol::Auto);
        let csv = section.flag("csv").unwrap_or(false);
        let automatic = section.flag("automatic").unwrap_or(false);
        let hours = section.number("routeHours", 1, 24 * 31).unwrap_or(ROUTE_HOURS);
        let requests = section.number("monthlyRequests", 1, 1_000_000_000);
        let filter = section.text("extIdentifierFilter", identifier);
        let page_size = section.number("pageSize", 1, LARGEST_PAGE).unwrap_or(PAGE);
        let currency = currency(section);
        let soap = soap(section, json, exceptions, faults);
        section.get("file");
        read_file(json, faults);
        let mapping = section.required_value("booking", |value| Mapping::read("settings.booking", value));
        if let (Some(mapping), Some(currency)) = (&mapping, currency) {
            check_currencies(section, mapping, currency);
        }
        if protocol == Protocol::Soap && mapping.as_ref().is_some_and(|mapping| mapping.entity.is_none()) {
            section.fault("booking.entity", "is required by SOAP, whose files name it");
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
            soap,
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
    let code = section.text("currency", home_currency);
    match section.get("currency") {
        None => "NOK".parse().ok(),
        Some(_) => code,
    }
}

/// Returns an object with what is left out of it.
fn completed(json: Option<&Value>, usual: &[(&str, Option<&str>)]) -> Value {
    let mut completed = match json {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(given)) => given.clone(),
        Some(other) => return other.clone(),
    };
    for (name, value) in usual {
        if let (None, Some(value)) = (completed.get(*name), value) {
            completed.insert((*name).to_owned(), (*value).into());
        }
    }
    Value::Object(completed)
}

/// Reads where the SOAP services are: nobody is sent to the live ones who did not ask for them.
fn soap(
    section: &Section<'_>,
    json: &Value,
    exceptions: &Exceptions,
    faults: &Faults,
) -> Option<SoapSettings> {
    let environment = json.get("environment").and_then(Value::as_str);
    let home = match environment {
        Some("live") => Some("https://ws.xledger.net"),
        Some("demo") => Some("https://wsdemo.xledger.net"),
        _ => None,
    };
    let given = section.get("soap");
    let currency = json.get("currency").and_then(Value::as_str);
    let soap = completed(given, &[("baseUrl", home), ("currency", currency)]);
    if soap.is_object() && soap.get("baseUrl").is_none_or(Value::is_null) {
        if given.is_some() && environment.is_none() {
            section.fault("soap.baseUrl", "is required where there is no environment");
        }
        return None;
    }
    let section = Section::open("settings.soap", &soap, faults)?;
    SoapSettings::read(&section, exceptions)
}

/// Reads what files look like; it is checked with everything else, and used where they are written.
fn read_file(json: &Value, faults: &Faults) -> Option<FileProfile> {
    let currency = json.get("currency").and_then(Value::as_str);
    let file = completed(json.get("file"), &[("currency", currency)]);
    let section = Section::open("settings.file", &file, faults)?;
    FileProfile::read(&section)
}

/// Reads what files look like, by the settings of an integration.
pub(super) fn file_profile(settings: &Value) -> Result<FileProfile, Vec<FieldError>> {
    let faults = Faults::default();
    let profile = read_file(settings, &faults);
    faults.or(profile)
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
    pub(super) soap: Option<SoapCredentials>,
    /// When the token ends, where that is known.
    token_ends: Option<Timestamp>,
}

impl Credentials {
    /// Reads credentials; a fault names the member and never what it holds.
    pub(super) fn read(json: &SecretString) -> Result<Self, Vec<FieldError>> {
        let unreadable = |_| vec![FieldError::new("credentials", "must be a JSON object")];
        let value: Value = serde_json::from_str(json.expose_secret()).map_err(unreadable)?;
        let faults = Faults::default();
        let credentials = Section::open("credentials", &value, &faults).map(|section| {
            let api_token = section.text("apiToken", token);
            let token_ends = section.text("expiresAt", instant);
            let soap = section.section("soap");
            let soap = soap.and_then(|section| SoapCredentials::read(&section));
            section.finish();
            Self {
                api_token,
                soap,
                token_ends,
            }
        });
        faults.or(credentials)
    }

    /// Says when the first of them stops working, where that is known.
    pub(super) fn expires_at(&self) -> Option<Timestamp> {
        let certificate = self.soap.as_ref().and_then(SoapCredentials::expires_at);
        self.token_ends.into_iter().chain(certificate).min()
    }

    /// Checks that there is what the protocol asks for.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), Vec<FieldError>> {
        let (token, soap) = (self.api_token.is_some(), self.soap.is_some());
        let fault = |field: &str, reason: &str| Err(vec![FieldError::new(field, reason)]);
        match settings.protocol {
            Protocol::Graphql if !token => {
                fault("credentials.apiToken", "is required by the protocol graphql")
            }
            Protocol::Soap if !soap => fault("credentials.soap", "is required by the protocol soap"),
            Protocol::Soap if settings.soap.is_none() => {
                fault("settings.soap.baseUrl", "is required by the protocol soap")
            }
            Protocol::Auto if !token && !soap && !settings.csv => fault(
                "credentials.apiToken",
                "is required, or soap, or a file: let one be the way by setting csv to true",
            ),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("api_token", &self.api_token.is_some())
            .field("soap", &self.soap)
            .finish_non_exhaustive()
    }
}

fn token(text: &str) -> Result<SecretString, String> {
    match !text.is_empty() && text.len() <= 1000 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.into()),
        false => Err("must be 1 to 1000 visible ASCII characters".to_owned()),
    }
}
