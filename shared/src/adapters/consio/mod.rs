//! Consio, and any other system with a REST API, by a profile that is configuration.
//!
//! Nothing here knows Consio: its vendor, Team Data System, has published no API for integrations, so that its wire
//! contract is *unverified*. What a profile says has to be taken from what the vendor agrees to, and `probe` says how far
//! the system's answers fit it. `consio` and `rest` are two names for the same adapter, so that an organization can have
//! Consio and one more system; a further one is one more name in `model::System` and in the registry, and no other code.
//!
//! Source: none for Consio; HTTP as RFC 9110, 6901 (pointers), 8288 (links), 6749 (client credentials) have it; read
//! 2026-11-22.
//!
//! # Limits
//!
//! A listing has at most 50,000 pages, a page 16 MiB. Rows are written one by one, at most ten in one push. The body of a
//! write is JSON; of an error nothing is repeated but its code.
//!
//! # Quirks
//!
//! - A system that tells no changes is read whole by every run; what is missing then is asked for by its id, as always.
//! - A system that tells changes and no deletions has its deletions found by full runs only.
//! - Since when changes are asked for is when the reading before began, by the system's own `Date`, less `overlapSeconds`.
//! - Where pages are counted, an empty page is the last: one that is short may only mean that the system gives no more at
//!   once. A page that comes again is an error.
//! - Links and cursors are followed on the system's own host only.
//! - A system that takes no `If-Match` has each row read before it is written; what changes between the two is
//!   overwritten.
//! - `PATCH` sends the members that have changed; a system that replaces whole objects by it wants `PUT`.
//! - "There is none" is 404 or 410 with JSON or without a body: a page for humans says that the route is missing.
//!
//! Deliberately absent: resources within resources, bodies other than JSON, versions in headers, keys in
//! queries, signatures of requests, and webhooks: the
//! endpoint's own rules read those.

mod adapter;
mod answers;
mod client;
mod config;
mod credentials;
mod cursor;
mod discovery;
mod fields;
mod files;
mod find;
mod link;
mod map;
mod pointer;
mod probe;
mod profile;
mod pull;
mod push;
mod resource;
mod template;
mod writes;

#[cfg(test)]
mod answers_tests;
#[cfg(test)]
mod config_tests;
#[cfg(test)]
mod map_tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::definition::{moved, no_uploads};
use super::files::{Fallback, Files, upload_profile};
use super::{Connections, Registers, WebhookSupport, wrap};
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::{Exceptions, Http};
use crate::integration::Integration;
use crate::model::{FieldError, FilePurpose, Kind, System};
use crate::oauth::{Application, Format, Grant, Proof, TokenKey, TokenSource};
use crate::secrets::Secret;
use crate::transfer::Render;
use adapter::Rest;
use client::{Client, Key};
use config::{FileSettings, Settings};
use credentials::{Credentials, Shown};
use discovery::Discovered;
use profile::{Auth, Issued};

/// How many changes one push takes: each is up to three requests.
const PUSH_BATCH: usize = 10;
/// How many rows are asked for in one go, one by one.
const FIND_BATCH: usize = 25;

/// A kind of system that a profile describes.
#[derive(Debug)]
pub(super) struct Definition {
    system: System,
}

/// Consio.
pub(super) static CONSIO: Definition = Definition {
    system: System::Consio,
};

/// Any other system.
pub(super) static REST: Definition = Definition { system: System::Rest };

impl Definition {
    /// Returns how records travel as files, or would: some may be under way from before there was a profile.
    fn files(&self, integration: &Integration) -> Option<FileSettings> {
        match self.settings(integration, &Exceptions::none()) {
            Ok(Settings::Csv(settings)) => Some(settings),
            _ => FileSettings::read(None, &integration.excluded_groups).map(|files| FileSettings {
                has_api: true,
                ..files
            }),
        }
    }

    fn settings(
        &self,
        integration: &Integration,
        exceptions: &Exceptions,
    ) -> Result<Settings, Vec<FieldError>> {
        let (settings, excluded) = (&integration.settings, &integration.excluded_groups);
        Settings::read(settings, self.system, excluded, exceptions)
    }
}

impl super::Definition for Definition {
    fn webhook_support(&self) -> WebhookSupport {
        WebhookSupport {
            reads: false,
            registers: Registers::Nothing,
        }
    }

    fn kinds(&self, settings: &Value) -> Vec<Kind> {
        Settings::kinds(settings)
    }

    fn needs_credentials(&self, settings: &Value) -> bool {
        Settings::is_rest(settings)
    }

    fn renderer(&self, integration: &Integration) -> Option<Box<dyn Render>> {
        Some(Box::new(self.files(integration)?.tables()))
    }

    fn upload_profile(
        &self,
        integration: &Integration,
        purpose: &FilePurpose,
        announced: Option<&Value>,
    ) -> Result<Value, Vec<FieldError>> {
        let by_files = !Settings::is_rest(&integration.settings);
        let settings = self.files(integration).filter(|_| by_files);
        let settings = settings.ok_or_else(no_uploads)?;
        upload_profile(&settings, purpose, announced)
    }

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>> {
        Settings::read(settings, self.system, &[], exceptions).map(drop)
    }

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
        let places = ["path", "id"].into_iter().flat_map(|name| {
            Kind::ALL
                .iter()
                .map(move |kind| format!("/resources/{}/read/{name}", kind.plural()))
        });
        let places: Vec<String> = places.chain(["/baseUrl".to_owned()]).collect();
        let places: Vec<&str> = places.iter().map(String::as_str).collect();
        moved(before, after, &places)
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), Vec<FieldError>> {
        Credentials::read(credentials).map(drop)
    }

    fn credentials_expire_at(&self, credentials: &SecretString) -> Option<Timestamp> {
        Credentials::read(credentials).ok()?.expires_at
    }

    fn connect(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
        deadline: Timestamp,
    ) -> Result<Arc<dyn Adapter>, Vec<FieldError>> {
        let http = connections.http.counted();
        let profile = match self.settings(integration, http.exceptions())? {
            Settings::Rest(profile) => profile,
            Settings::Csv(settings) => {
                let files = Files::new(
                    integration,
                    settings,
                    connections.files.as_ref(),
                    &connections.clock,
                )?;
                return Ok(wrap(files, &connections.clock, deadline));
            }
        };
        let credentials = Credentials::read(&secret.value)?;
        credentials.check(&profile.auth)?;
        let session = format!("{} {}", integration.id, profile.base_url);
        let client = Client {
            session: connections.sessions.of(&session),
            key: key(
                integration,
                secret,
                connections,
                &http,
                &profile.auth,
                &credentials.shown,
            )?,
            clock: Arc::clone(&connections.clock),
            base_url: profile.base_url.clone(),
            headers: profile.headers.clone(),
            answers: profile.answers.clone(),
            http,
        };
        let (adapter, clock) = (Rest::new(self.system, *profile, client), &connections.clock);
        let Some(layout) = self.files(integration).filter(|_| connections.files.is_some()) else {
            return Ok(wrap(adapter, clock, deadline));
        };
        // No change goes by files any more; those that went have to be known.
        let files = Files::new(integration, layout, connections.files.as_ref(), clock)?;
        let adapter = Fallback::new(adapter, files, SignedDuration::MAX);
        Ok(wrap(adapter, clock, deadline))
    }

    fn books(
        &self,
        _: &Integration,
        _: &Secret,
        _: &Connections,
    ) -> Result<Option<Arc<dyn Books>>, Vec<FieldError>> {
        Ok(None)
    }

    fn registration(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
    ) -> Result<Option<Registration>, Vec<FieldError>> {
        let Settings::Rest(profile) = self.settings(integration, connections.http.exceptions())? else {
            return Ok(None);
        };
        let credentials = Credentials::read(&secret.value)?;
        credentials.check(&profile.auth)?;
        let (http, shown) = (&connections.http, &credentials.shown);
        match key(integration, secret, connections, http, &profile.auth, shown)? {
            Key::Header(..) => Ok(None),
            Key::Tokens(tokens) => Ok(Some(Registration {
                tokens: *tokens,
                sign_in: None,
            })),
        }
    }

    fn webhooks(
        &self,
        _: &Integration,
        _: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
        Ok(None)
    }
}

/// Makes what opens the system; the credentials were held against the profile before.
fn key(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
    http: &Http,
    auth: &Auth,
    shown: &Shown,
) -> Result<Key, Vec<FieldError>> {
    let key = match (auth, shown) {
        (Auth::ApiKey { header }, Shown::ApiKey(value)) => Key::plain(header.clone(), value),
        (Auth::Bearer, Shown::Token(token)) => Key::bearer(token),
        (Auth::Basic, Shown::Login { user, password }) => Key::basic(user, password),
        (Auth::Oidc { issued, scope }, Shown::Client { id, secret: proof }) => {
            let endpoint = match issued {
                Issued::At(url) | Issued::By(url) => url.clone(),
            };
            let application = Application {
                endpoint,
                client_id: id.clone(),
                proof: Proof::Secret(proof.clone()),
                scope: scope.clone(),
                format: Format::Form,
            };
            let token_key = TokenKey {
                integration: integration.id.clone(),
                secret_version: secret.version.clone(),
                audience: format!("{} {scope} {id}", application.endpoint),
            };
            Some(Key::Tokens(Box::new(tokens(
                connections,
                http,
                issued,
                token_key,
                application,
            ))))
        }
        _ => None,
    };
    key.ok_or_else(|| {
        vec![FieldError::new(
            "credentials",
            "are not what `settings.auth` wants",
        )]
    })
}

fn tokens(
    connections: &Connections,
    http: &Http,
    issued: &Issued,
    key: TokenKey,
    application: Application,
) -> TokenSource {
    match issued {
        Issued::At(_) => connections.source(key, Grant::ClientCredentials, application, http),
        Issued::By(issuer) => {
            let endpoint = Discovered {
                issuer: issuer.clone(),
                application,
                http: http.clone(),
                clock: Arc::clone(&connections.clock),
                endpoint: OnceCell::new(),
            };
            connections.source_from(key, Grant::ClientCredentials, Arc::new(endpoint))
        }
    }
}
