//! What an organization configures: where the system is, what is shown to it, and how its answers are to be taken.
//!
//! # Shape
//!
//! Without a profile, records travel as files: `{}`, or with the kinds of which there are any, the fields that have a column, and
//! who opens the files (`audience`, `people` or `machine`):
//!
//! ```json
//! { "mode": "csv", "files": { "kinds": ["members", "memberships"], "fields": { "members": ["lastName", "email"] } } }
//! ```
//!
//! With one, the parts of a resource being described
//! in [`super::resource`]:
//!
//! ```json
//! {
//!   "mode": "rest",
//!   "baseUrl": "https://api.register.example",
//!   "auth": { "kind": "oidc", "issuer": "https://login.register.example", "scope": "members.write" },
//!   "headers": { "api-version": "2" },
//!   "answers": {
//!     "rules": [{ "status": [200], "pointer": "/ok", "equals": [false], "means": "rejected" }],
//!     "code": "/error/code", "waitHeader": "x-retry-in", "wait": "/retryAfter"
//!   },
//!   "resources": { "members": { … }, "memberships": { … }, "course-enrollments": { … } }
//! }
//! ```
//!
//! `auth.kind` is `apiKey` (with `header`), `bearer`, `basic`, or `oidc` (with `tokenUrl`, or an `issuer` that says itself
//! where tokens are issued).

use http::{HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use super::answers::{self, Answers, header_name};
use super::profile::{Auth, Issued, Profile, Resource};
use super::resource;
use crate::adapters::files::Columns;
use crate::csv::Audience;
use crate::http::{Exceptions, check_base_url, check_login_url};
use crate::model::{FieldError, Group, Kind, System};
use crate::settings::{Faults, Section};

/// Headers that belong to the request itself, or to whoever signs in.
const NOT_FOR_PROFILES: &[&str] = &[
    "authorization",
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "if-match",
    "if-none-match",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-forwarded-for",
    "x-forwarded-host",
];

/// What an organization has configured.
#[derive(Debug, Clone)]
pub(super) enum Settings {
    /// Records travel as files.
    Csv(FileSettings),
    /// Records travel by the system's API.
    Rest(Box<Profile>),
}

/// How records travel as files.
#[derive(Debug, Clone)]
pub(super) struct FileSettings {
    /// The columns of each kind.
    pub(super) kinds: Vec<Columns>,
    /// Who opens the files.
    pub(super) audience: Audience,
    /// Whether there is an API by now, and only files from before are under way.
    pub(super) has_api: bool,
}

impl FileSettings {
    /// Reads `files`, which may be left out: records of all kinds travel, with all their fields, in files that people open.
    pub(super) fn read(section: Option<Section<'_>>, excluded: &[Group]) -> Option<Self> {
        let all = |kind: Kind| {
            let excluded = excluded
                .iter()
                .fold(0, |bits, group| bits | kind.positions(*group));
            ((1 << kind.fields().len()) - 1) & !excluded
        };
        let columns = |kind: Kind| Columns {
            kind,
            mapped: all(kind),
        };
        let Some(section) = section else {
            return Some(Self {
                kinds: Kind::ALL.iter().copied().map(columns).collect(),
                audience: Audience::People,
                has_api: false,
            });
        };
        let audience = section.text("audience", Audience::accept);
        let kinds = section
            .get("kinds")
            .map_or_else(|| Some(Kind::ALL.to_vec()), named_kinds);
        if kinds.is_none() {
            section.fault(
                "kinds",
                "must be a list of members, memberships or course-enrollments, members among them",
            );
        }
        let fields = section.section("fields");
        let named = |kind: Kind| {
            let fields = fields
                .as_ref()
                .filter(|fields| fields.get(kind.plural()).is_some());
            let named = fields.map_or(u64::MAX, |fields| named_fields(fields, kind));
            let Columns { kind, mapped } = columns(kind);
            Columns {
                kind,
                mapped: mapped & named,
            }
        };
        let kinds: Option<Vec<Columns>> = kinds.map(|kinds| kinds.into_iter().map(named).collect());
        if let Some(fields) = &fields {
            fields.finish_with("is not a kind of record that travels: see `kinds`");
        }
        section.finish();
        Some(Self {
            kinds: kinds?,
            audience: audience.unwrap_or(Audience::People),
            has_api: false,
        })
    }
}

/// Reads names of fields, as bits; what a record cannot be without has to be among them.
fn named_fields(section: &Section<'_>, kind: Kind) -> u64 {
    let names = section.get(kind.plural()).and_then(Value::as_array);
    let mut positions = names
        .into_iter()
        .flatten()
        .map(|name| kind.position(name.as_str()?));
    let bits = positions.try_fold(0_u64, |bits, position| Some(bits | 1 << position?));
    let needed = kind
        .fields()
        .iter()
        .enumerate()
        .filter(|(_, field)| field.required);
    let has_all = |bits: u64| needed.clone().all(|(position, _)| bits >> position & 1 == 1);
    bits.filter(|bits| has_all(*bits)).unwrap_or_else(|| {
        let required: Vec<&str> = needed.clone().map(|(_, field)| field.name).collect();
        let reason = format!(
            "must be a list of fields of a {kind}, {} among them",
            required.join(" and ")
        );
        section.fault(kind.plural(), reason);
        0
    })
}

/// Reads names of kinds; what the others belong to has to be among them.
fn named_kinds(value: &Value) -> Option<Vec<Kind>> {
    let names = value.as_array()?;
    let is_named = |kind: &&Kind| names.iter().any(|name| name == kind.plural());
    let kinds: Vec<Kind> = Kind::ALL.iter().filter(is_named).copied().collect();
    let all_known = kinds.len() == names.len() && kinds.contains(&Kind::Member);
    all_known.then_some(kinds)
}

impl Settings {
    /// Reads settings; groups that another application owns are left out of every resource.
    pub(super) fn read(
        json: &Value,
        system: System,
        excluded: &[Group],
        exceptions: &Exceptions,
    ) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let settings =
            Section::open("settings", json, &faults).and_then(|section| match section.text("mode", mode) {
                Some(Mode::Rest) => {
                    let reader = Reader {
                        section: &section,
                        system,
                        exceptions,
                    };
                    let profile = reader.profile(excluded);
                    section.finish();
                    Some(Self::Rest(Box::new(profile?)))
                }
                Some(Mode::Csv) | None => {
                    let has_files = section.get("files").is_some();
                    let files = has_files.then(|| section.section("files"));
                    section.finish_with("is not a setting of files: for a profile, set `mode` to rest");
                    match files {
                        Some(None) => None,
                        files => FileSettings::read(files.flatten(), excluded).map(Self::Csv),
                    }
                }
            });
        faults.or(settings)
    }

    /// Returns the kinds that settings name, whether they are right or not.
    pub(super) fn kinds(json: &Value) -> Vec<Kind> {
        if !Self::is_rest(json) {
            let named = json.pointer("/files/kinds").and_then(named_kinds);
            return named.unwrap_or_else(|| Kind::ALL.to_vec());
        }
        let named = |kind: &&Kind| {
            json.pointer("/resources")
                .is_some_and(|all| all.get(kind.plural()).is_some())
        };
        Kind::ALL.iter().filter(named).copied().collect()
    }

    /// Says whether records travel by an API, and so need credentials.
    pub(super) fn is_rest(json: &Value) -> bool {
        json.get("mode").and_then(Value::as_str) == Some("rest")
    }
}

#[derive(Debug, Clone, Copy)]
enum Mode {
    Csv,
    Rest,
}

fn mode(text: &str) -> Result<Mode, String> {
    match text {
        "csv" => Ok(Mode::Csv),
        "rest" => Ok(Mode::Rest),
        _ => Err("must be csv or rest".to_owned()),
    }
}

/// Reads one profile.
struct Reader<'r, 's> {
    section: &'r Section<'s>,
    system: System,
    exceptions: &'r Exceptions,
}

impl Reader<'_, '_> {
    /// Asks for every member before it gives up, so that every fault is told.
    fn profile(&self, excluded: &[Group]) -> Option<Profile> {
        let base_url = self.section.required("baseUrl", |text| {
            check_base_url(self.system, text, self.exceptions).map_err(|reason| reason.to_string())
        });
        let auth = self.auth();
        let headers = self.headers(auth.as_ref());
        let answers = self.section.section("answers");
        let answers = answers.map_or_else(Answers::default, |section| answers::read(&section));
        let resources = self.resources(excluded);
        Some(Profile {
            base_url: base_url?,
            auth: auth?,
            headers,
            answers,
            resources: resources?,
        })
    }

    fn auth(&self) -> Option<Auth> {
        let Some(section) = self.section.section("auth") else {
            if self.section.get("auth").is_none() {
                self.section.fault("auth", "is required");
            }
            return None;
        };
        let auth = match section.required("kind", auth_kind)? {
            "apiKey" => section
                .required("header", api_key_header)
                .map(|header| Auth::ApiKey { header }),
            "bearer" => Some(Auth::Bearer),
            "basic" => Some(Auth::Basic),
            _ => self.oidc(&section),
        };
        section.finish();
        auth
    }

    fn oidc(&self, section: &Section<'_>) -> Option<Auth> {
        let token_url = section
            .text("tokenUrl", |text| self.sign_in_url(text))
            .map(Issued::At);
        let issuer = section
            .text("issuer", |text| self.sign_in_url(text))
            .map(Issued::By);
        let scope = section.required("scope", scope);
        let issued = match (section.get("tokenUrl"), section.get("issuer")) {
            (None, None) => {
                section.fault("tokenUrl", "is required, or issuer in its place");
                None
            }
            (Some(_), Some(_)) => {
                section.fault("tokenUrl", "is one too many beside issuer: give one of them");
                None
            }
            _ => token_url.or(issuer),
        };
        Some(Auth::Oidc {
            issued: issued?,
            scope: scope?,
        })
    }

    /// Accepts an address with a path, on an origin where users may sign in.
    fn sign_in_url(&self, text: &str) -> Result<Url, String> {
        let wrong =
            || "must be a URL such as https://login.example.org/connect/token, without a query".to_owned();
        let plain = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let url = Url::parse(text)
            .ok()
            .filter(|_| plain && !text.contains(['?', '#', '@']));
        let url = url.ok_or_else(wrong)?;
        let origin = url.origin().ascii_serialization();
        check_login_url(self.system, &origin, self.exceptions).map_err(|reason| reason.to_string())?;
        Ok(url)
    }

    fn headers(&self, auth: Option<&Auth>) -> Vec<(HeaderName, HeaderValue)> {
        let Some(section) = self.section.section("headers") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for (name, value) in section.entries() {
            let own =
                matches!(auth, Some(Auth::ApiKey { header }) if header.as_str().eq_ignore_ascii_case(name));
            let read = header_name(name)
                .ok()
                .filter(|name| !NOT_FOR_PROFILES.contains(&name.as_str()) && !own);
            let text = value.as_str().and_then(|text| HeaderValue::from_str(text).ok());
            match (read, text) {
                (None, _) => section.fault(name, "is not a header that a profile may set"),
                (_, None) => section.fault(name, "must be a text of visible characters"),
                (Some(name), Some(value)) => headers.push((name, value)),
            }
        }
        headers
    }

    fn resources(&self, excluded: &[Group]) -> Option<Vec<Resource>> {
        let Some(section) = self.section.section("resources") else {
            if self.section.get("resources").is_none() {
                self.section.fault("resources", "is required");
            }
            return None;
        };
        let mut read = Vec::new();
        for kind in Kind::ALL.iter().copied() {
            if section.get(kind.plural()).is_some() {
                read.push(
                    section
                        .section(kind.plural())
                        .and_then(|one| resource::read(&one, kind, excluded)),
                );
            }
        }
        section.finish_with("is not a kind of record: members, memberships or course-enrollments");
        // What the others belong to.
        if section.get(Kind::Member.plural()).is_none() {
            section.fault(Kind::Member.plural(), "is required");
        }
        read.into_iter().collect()
    }
}

fn auth_kind(text: &str) -> Result<&'static str, String> {
    let known = ["apiKey", "bearer", "basic", "oidc"];
    let known = known.into_iter().find(|known| *known == text);
    known.ok_or_else(|| "must be apiKey, bearer, basic or oidc".to_owned())
}

/// A key may stand where a token would, under `authorization`, as some systems want it.
fn api_key_header(text: &str) -> Result<HeaderName, String> {
    let name = header_name(text)?;
    match name.as_str() != "authorization" && NOT_FOR_PROFILES.contains(&name.as_str()) {
        true => Err("is a header with a meaning of its own".to_owned()),
        false => Ok(name),
    }
}

fn scope(text: &str) -> Result<String, String> {
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
    match !text.trim().is_empty() && text.len() <= 1_000 && text.bytes().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("must be what tokens are asked for, such as members.read members.write".to_owned()),
    }
}
