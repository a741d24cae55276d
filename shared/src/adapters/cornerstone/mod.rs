//! Cornerstone OnDemand, by its reporting and transcript APIs.
//!
//! Source: csod.dev, "Authentication", "Throttling", "Reporting API" and "Transcript API - Examples"; help.csod.com,
//! "Transcript API" and "Edge Import", all read 2026-11-22. The members of several answers are not published: those are looked
//! for under the names that are known from elsewhere, and paths, columns and words can all be set.
//!
//! # Who and what
//!
//! Members are not kept equal with Cornerstone's users: a user's `externalId` is the member's id on the platform, and whoever
//! has none there waits in quarantine. An enrolment is one user in one learning object; `key` says how it is named.
//!
//! # Registrations
//!
//! A user may register for the same learning object again and again, and each registration has a row with a number. The last one
//! is the enrolment: its number is a field, and a new one changes the enrolment that there is. The others are passed over.
//!
//! # Reading
//!
//! `vw_rpt_transcript` since the newest change that was seen, less an overlap: the view is behind by a quarter of an hour, and
//! not evenly. It knows neither names nor titles: `vw_rpt_user` and `vw_rpt_training` are joined here. What was pushed, or
//! asked for by itself, is newer than the view for that long: the engine asks for such rows instead of believing a page.
//! A registration that was taken off the transcript is told as deleted; one that is archived is out of use.
//!
//! # Limits
//!
//! 417 requests a minute, 400 for views, 25,000 an hour, 600,000 a day; what is refused counts too. A limit names no time, and
//! so lasts until the next minute. A page has at most 10,000 rows.
//!
//! # Quirks
//!
//! - 401 is the answer to a bad token and to a missing permission. One new token is tried; if that is refused too, then who has
//!   just been let in lacks a permission, most likely.
//! - An endpoint may refuse with the status 200, and say so in its envelope alone; also a limit.
//! - Older endpoints answer in XML unless asked otherwise, and write offsets without a colon.
//! - Rows are repeated across pages.
//! - There is no version to insist on: between a look and a change somebody else may act.
//!
//! Deliberately absent: the session tokens of before 2021, and the Learning Assignment API, which is for thousands at once and
//! says later what became of each.

mod adapter;
mod client;
mod columns;
mod config;
mod cursor;
mod details;
mod error;
mod files;
mod find;
mod key;
mod load;
mod map;
mod names;
mod paths;
mod probe;
mod pull;
mod push;
mod rows;
mod steps;
mod webhook;
mod wire;
mod words;

#[cfg(test)]
mod config_tests;
#[cfg(test)]
mod rows_tests;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::Value;

use adapter::Cornerstone;

use super::definition::{moved, no_uploads};
use super::files::{Fallback, Files, upload_profile};
use super::{Connections, Registers, WebhookSupport, wrap};
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::{Exceptions, Http};
use crate::integration::Integration;
use crate::model::{FieldError, FilePurpose, Kind};
use crate::oauth::{Application, Format, Grant, Proof, TokenKey, TokenSource};
use crate::secrets::Secret;
use crate::transfer::Render;
use client::Client;
use config::{Credentials, Settings, When};
use files::TranscriptFiles;
use webhook::Webhooks;

/// How many changes one push takes: each is two to five requests, and some hundred are allowed in a minute.
const PUSH_BATCH: usize = 20;
/// How many enrolments are asked for in one go, each by a request of its own.
const FIND_BATCH: usize = 20;

/// Cornerstone as a kind of system.
#[derive(Debug)]
pub(super) struct Definition;

impl super::Definition for Definition {
    fn webhook_support(&self) -> WebhookSupport {
        WebhookSupport {
            reads: true,
            registers: Registers::Nothing,
        }
    }

    fn kinds(&self, settings: &Value) -> Vec<Kind> {
        let named = settings.get(Kind::CourseEnrollment.plural()).is_some();
        named.then_some(Kind::CourseEnrollment).into_iter().collect()
    }

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>> {
        Settings::read(settings, &[], exceptions).map(drop)
    }

    fn needs_credentials(&self, settings: &Value) -> bool {
        Settings::has_api(settings)
    }

    fn renderer(&self, integration: &Integration) -> Option<Box<dyn Render>> {
        Some(Box::new(files(integration)?.tables()))
    }

    fn upload_profile(
        &self,
        integration: &Integration,
        purpose: &FilePurpose,
        announced: Option<&Value>,
    ) -> Result<Value, Vec<FieldError>> {
        let taken = Settings::takes_uploads(&integration.settings);
        let files = files(integration).filter(|_| taken).ok_or_else(no_uploads)?;
        upload_profile(&files, purpose, announced)
    }

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
        moved(before, after, &["/baseUrl"])
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
        let settings = read_settings(integration, http.exceptions())?;
        let (clock, fallback) = (&connections.clock, settings.fallback.clone());
        let files = || {
            let layout = files(integration).ok_or_else(no_uploads)?;
            Files::new(integration, layout, connections.files.as_ref(), clock)
        };
        if fallback.when == When::Always {
            return Ok(wrap(files()?, clock, deadline));
        }
        let files = connections.files.is_some().then(files).transpose()?;
        let after = match fallback.when {
            When::Never => SignedDuration::MAX,
            When::Down | When::Always => fallback.after,
        };
        let credentials = Credentials::read(&secret.value)?;
        // Limits are set for each portal; what is known of one application is nothing that another could rely on.
        let session = format!("{} {}", settings.base_url, credentials.client_id);
        let client = Client {
            session: connections.sessions.of(&session),
            tokens: tokens(integration, secret, connections, &http, &settings, credentials),
            clock: Arc::clone(&connections.clock),
            base_url: settings.base_url.clone(),
            paths: settings.paths.clone(),
            http,
        };
        let portal = Cornerstone::new(settings, client);
        Ok(match files {
            Some(files) => wrap(Fallback::new(portal, files, after), clock, deadline),
            None => wrap(portal, clock, deadline),
        })
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
        let http = &connections.http;
        let settings = read_settings(integration, http.exceptions())?;
        let credentials = Credentials::read(&secret.value)?;
        Ok(Some(Registration {
            tokens: tokens(integration, secret, connections, http, &settings, credentials),
            sign_in: None,
        }))
    }

    fn webhooks(
        &self,
        integration: &Integration,
        exceptions: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
        let settings = read_settings(integration, exceptions)?;
        let asks = settings.fallback.when != When::Always;
        Ok(asks.then(|| Arc::new(Webhooks::new(settings)) as Arc<dyn ReadWebhook>))
    }
}

/// Returns what the portal's files say; rows may be on their way whatever the settings say by now of when they go by files.
fn files(integration: &Integration) -> Option<TranscriptFiles> {
    TranscriptFiles::read(&integration.settings, &integration.excluded_groups)
}

fn read_settings(integration: &Integration, exceptions: &Exceptions) -> Result<Settings, Vec<FieldError>> {
    Settings::read(&integration.settings, &integration.excluded_groups, exceptions)
}

fn tokens(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
    http: &Http,
    settings: &Settings,
    credentials: Credentials,
) -> TokenSource {
    let endpoint = settings.token_endpoint();
    let key = TokenKey {
        integration: integration.id.clone(),
        secret_version: secret.version.clone(),
        audience: format!("{endpoint} {} {}", settings.scope, credentials.client_id),
    };
    let application = Application {
        endpoint,
        client_id: credentials.client_id,
        proof: Proof::Secret(credentials.secret),
        scope: settings.scope.clone(),
        format: Format::Json,
    };
    connections.source(key, Grant::ClientCredentials, application, http)
}
