//! What an organization configures, and its credentials.
//!
//! # Shape
//!
//! Settings; what can be left out is said at [`Settings::read`]:
//!
//! ```json
//! {
//!   "baseUrl": "https://hlf.crm4.dynamics.com",
//!   "tenant": "7f8e6c0e-6a0c-4f39-8a0e-0f5c3c1d2b3a",
//!   "members": {
//!     "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
//!     "alternateKey": "hlf_memberno", "onDelete": "deactivate",
//!     "fields": { "firstName": "firstname", "lastName": "lastname", "gender": "gendercode" }
//!   },
//!   "memberships": {
//!     "entitySet": "hlf_memberships", "logicalName": "hlf_membership", "primaryKey": "hlf_membershipid",
//!     "alternateKey": "hlf_number",
//!     "fields": {
//!       "memberId": { "lookup": "_hlf_contact_value", "bind": "hlf_Contact", "entitySet": "contacts" },
//!       "status": "hlf_status"
//!     },
//!     "values": { "status": { "Aktiv": "1" } }
//!   }
//! }
//! ```
//!
//! Credentials, with a secret or with a certificate and its private key in PEM; when a secret expires may be said as a
//! time or a date:
//!
//! ```json
//! { "clientId": "…", "clientSecret": "…", "expiresAt": "2027-01-31" }
//! ```
//!
//! ```json
//! { "clientId": "…", "certificate": "-----BEGIN CERTIFICATE-----…", "privateKey": "-----BEGIN PRIVATE KEY-----…" }
//! ```

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::fields;
use super::table::{OnDelete, Table};
use crate::certificate::Certificate;
use crate::http::{Exceptions, check_base_url, check_login_url};
use crate::model::{FieldError, Group, Kind, System};
use crate::oauth::{Grant, Proof};
use crate::settings::{Faults, Section, identifier, instant};

const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com/";
const DEFAULT_VERSION: &str = "9.2";
/// The most rows that a page has, and the default.
///
/// Source: Microsoft Learn, "Page results", Dataverse Web API.
const LARGEST_PAGE: u64 = 5000;

/// What an organization has configured.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) base_url: Url,
    pub(super) authority: Url,
    pub(super) tenant: String,
    pub(super) api_version: String,
    pub(super) page_size: u64,
    pub(super) grant: Grant,
    pub(super) tag: Option<String>,
    pub(super) tables: Vec<Table>,
}

impl Settings {
    /// Reads settings; groups that another application owns are left out of every table.
    ///
    /// Without `authorityUrl` the worldwide cloud is asked; `apiVersion` is 9.2, `pageSize` 5000, `signIn` `application`,
    /// `onDelete` `deactivate`, `changeTracking` true. Without `members.fields` the standard columns of a contact are mapped.
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
            check_base_url(System::Dynamics365, text, exceptions).map_err(|reason| reason.to_string())
        });
        let authority = section.text("authorityUrl", |text| {
            check_login_url(System::Dynamics365, text, exceptions).map_err(|reason| reason.to_string())
        });
        let tenant = section.required("tenant", tenant);
        let api_version = section.text("apiVersion", api_version);
        let page_size = section.number("pageSize", 1, LARGEST_PAGE);
        let grant = section.text("signIn", grant);
        let tag = section.text("tag", tag);
        let members = match section.get("members") {
            Some(_) => section
                .section("members")
                .and_then(|section| table(&section, Kind::Member, excluded)),
            None => {
                section.fault("members", "is required");
                None
            }
        };
        let memberships = section.section("memberships");
        let memberships = memberships.and_then(|section| table(&section, Kind::Membership, excluded));
        Some(Self {
            base_url: base_url?,
            authority: authority.or_else(|| Url::parse(DEFAULT_AUTHORITY).ok())?,
            tenant: tenant?,
            api_version: api_version.unwrap_or_else(|| DEFAULT_VERSION.to_owned()),
            page_size: page_size.unwrap_or(LARGEST_PAGE),
            grant: grant.unwrap_or(Grant::ClientCredentials),
            tag,
            tables: [Some(members?), memberships].into_iter().flatten().collect(),
        })
    }

    /// Returns the address under which the Web API's resources stand.
    pub(super) fn root(&self) -> Url {
        let path = format!("api/data/v{}/", self.api_version);
        self.base_url
            .join(&path)
            .expect("a checked origin takes a plain path")
    }

    /// Returns where tokens are asked for.
    pub(super) fn token_endpoint(&self) -> Url {
        self.endpoint("token")
    }

    /// Returns where a person signs in.
    pub(super) fn authorize_endpoint(&self) -> Url {
        self.endpoint("authorize")
    }

    fn endpoint(&self, name: &str) -> Url {
        let path = format!("{}/oauth2/v2.0/{name}", self.tenant);
        self.authority
            .join(&path)
            .expect("a checked origin takes a plain path")
    }

    /// Returns what a token is asked for: everything that the application, or the person, may do in this environment.
    pub(super) fn scope(&self) -> String {
        let environment = self.base_url.as_str().trim_end_matches('/');
        match self.grant {
            Grant::ClientCredentials => format!("{environment}/.default"),
            Grant::SignIn => format!("{environment}/user_impersonation offline_access"),
        }
    }

    pub(super) fn table(&self, kind: Kind) -> Option<&Table> {
        self.tables.iter().find(|table| table.kind == kind)
    }
}

fn table(section: &Section<'_>, kind: Kind, excluded: &[Group]) -> Option<Table> {
    let entity_set = section.required("entitySet", identifier);
    let logical_name = section.required("logicalName", identifier);
    let primary_key = section.required("primaryKey", identifier);
    let alternate_key = section.text("alternateKey", identifier);
    let tracks_changes = section.flag("changeTracking").unwrap_or(true);
    let on_delete = section
        .text("onDelete", on_delete)
        .unwrap_or(OnDelete::Deactivate);
    let mut columns = fields::read(section, kind);
    section.finish();
    let (primary_key, columns) = (primary_key?, columns.as_mut()?);
    fields::check_keys(section, columns, &primary_key, alternate_key.as_deref());
    columns.retain(|column| !excluded.contains(&column.field.group));
    Some(Table {
        kind,
        entity_set: entity_set?,
        logical_name: logical_name?,
        primary_key,
        alternate_key,
        tracks_changes,
        on_delete,
        maps_active: !excluded.contains(&Group::Status),
        columns: std::mem::take(columns),
    })
}

fn on_delete(text: &str) -> Result<OnDelete, String> {
    match text {
        "deactivate" => Ok(OnDelete::Deactivate),
        "delete" => Ok(OnDelete::Delete),
        "ignore" => Ok(OnDelete::Ignore),
        _ => Err("must be deactivate, delete or ignore".to_owned()),
    }
}

fn tenant(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    let dotted = text.starts_with('.') || text.ends_with('.') || text.contains("..");
    match !text.is_empty() && text.len() <= 100 && !dotted && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be the tenant's id or one of its domains".to_owned()),
    }
}

fn api_version(text: &str) -> Result<String, String> {
    match text {
        "9.0" | "9.1" | "9.2" => Ok(text.to_owned()),
        _ => Err("must be 9.0, 9.1 or 9.2".to_owned()),
    }
}

fn grant(text: &str) -> Result<Grant, String> {
    match text {
        "application" => Ok(Grant::ClientCredentials),
        "user" => Ok(Grant::SignIn),
        _ => Err("must be application or user".to_owned()),
    }
}

fn tag(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    match !text.is_empty() && text.len() <= 100 && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 100 of A-Z, a-z, 0-9, '-', '_' and '.'".to_owned()),
    }
}

/// Who an application is, and what it proves it with.
#[derive(Debug, Clone)]
pub(super) struct Credentials {
    pub(super) client_id: String,
    pub(super) proof: Proof,
    /// When the proof stops being one, where that is known.
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
            let proof = proof(&section, &faults);
            section.finish();
            let (proof, expires_at) = proof?;
            Some(Self {
                client_id: client_id?,
                proof,
                expires_at,
            })
        });
        faults.or(credentials)
    }
}

/// Reads a secret, or a certificate with its key: one of them, and not both.
fn proof(section: &Section<'_>, faults: &Faults) -> Option<(Proof, Option<Timestamp>)> {
    let is_there = |name| section.get(name).is_some();
    let [secret, certificate, key] = ["clientSecret", "certificate", "privateKey"].map(is_there);
    match (secret, certificate || key) {
        (true, false) => {
            let secret = section.required("clientSecret", secret_text);
            let expires_at = section.text("expiresAt", instant);
            Some((Proof::Secret(secret?.into()), expires_at))
        }
        (false, true) => {
            let certificate = section.required("certificate", any);
            let key = section.required("privateKey", any).map(SecretString::from);
            let certificate = Certificate::read(&certificate?, &key?);
            let certificate = certificate.map_err(|wrong| faults.extend(wrong)).ok()?;
            let expires_at = certificate.not_after();
            Some((Proof::Certificate(Arc::new(certificate)), Some(expires_at)))
        }
        (false, false) => {
            section.fault(
                "clientSecret",
                "is required, or certificate and privateKey in its place",
            );
            section.get("expiresAt");
            None
        }
        (true, true) => {
            let reason = "is one proof too many: give it, or certificate and privateKey";
            section.fault("clientSecret", reason);
            section.get("expiresAt");
            None
        }
    }
}

/// Certificates say more of what is wrong with them.
fn any(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

fn secret_text(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 500 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("must be 1 to 500 visible ASCII characters".to_owned()),
    }
}
