//! Dynamics 365, by the Dataverse Web API 9.2.
//!
//! Source: Microsoft Learn, "Use the Microsoft Dataverse Web API" (MicrosoftDocs/powerapps-docs).
//!
//! # Limits
//!
//! 6,000 requests, 20 minutes of execution and 52 requests at once, for each user and web server within five
//! minutes; every operation of a batch counts. A page has at most 5,000 rows, a batch 1,000 operations.
//!
//! # Quirks
//!
//! - A write by alternate key is answered with the key, not with the row's id, unless the row is asked for.
//! - A row that is not in use is read-only; its state is written apart from its fields.
//! - A contact that was merged stays as a row, out of use, with `_masterid_value` naming the other one.
//! - A delta link is known for seven days, and forgotten when the table's columns change.
//! - An error's `code` may be empty, hexadecimal, or a negative decimal number.
//! - Lookups are read as `_name_value` and written as `Name@odata.bind`.
//! - The secret of a webhook can be written and not read.
//!
//! Deliberately absent: `UpsertMultiple`, which does all or nothing, so that one bad row would stop a thousand.

mod adapter;
mod batch;
mod client;
mod config;
mod cursor;
mod draft;
mod error;
mod fields;
mod find;
mod key;
mod map;
mod plan;
mod probe;
mod pull;
mod push;
mod registration;
mod reply;
mod rows;
mod subscribe;
mod table;
mod webhook;
mod wire;

#[cfg(test)]
mod config_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod rows_tests;

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use adapter::Dynamics365;

use super::definition::moved;
use super::session::Session;
use super::{Connections, Registers, WebhookSupport, wrap};
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::{Registration, SignIn};
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::model::{FieldError, Kind};
use crate::oauth::{Application, Format, Grant, TokenKey, TokenSource};
use crate::secrets::Secret;
use client::Client;
use config::{Credentials, Settings};
use webhook::Contexts;

/// How many changes one push takes: the system works through a batch one by one, and has to end well within the
/// time of a slice.
const PUSH_BATCH: usize = 100;
/// How many rows one batch asks for.
const FIND_BATCH: usize = 200;

/// Dynamics 365 as a kind of system.
#[derive(Debug)]
pub(super) struct Definition;

impl super::Definition for Definition {
    fn webhook_support(&self) -> WebhookSupport {
        WebhookSupport {
            reads: true,
            registers: Registers::WithHeader,
        }
    }

    fn kinds(&self, settings: &Value) -> Vec<Kind> {
        let named = |kind: &&Kind| settings.get(kind.plural()).is_some();
        [Kind::Member, Kind::Membership]
            .iter()
            .filter(named)
            .copied()
            .collect()
    }

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>> {
        Settings::read(settings, &[], exceptions).map(drop)
    }

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
        let places = ["/baseUrl", "/members/entitySet", "/memberships/entitySet"];
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
        let settings = read_settings(integration, http.exceptions())?;
        let credentials = Credentials::read(&secret.value)?;
        let client = Client {
            session: session(connections, &settings, &credentials),
            tokens: tokens(integration, secret, connections, &http, &settings, credentials),
            clock: Arc::clone(&connections.clock),
            root: settings.root(),
            http,
        };
        Ok(wrap(
            Dynamics365::new(settings, client),
            &connections.clock,
            deadline,
        ))
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
        let sign_in = (settings.grant == Grant::SignIn).then(|| SignIn {
            authorize: settings.authorize_endpoint(),
            client_id: credentials.client_id.clone(),
            scope: settings.scope(),
        });
        Ok(Some(Registration {
            tokens: tokens(integration, secret, connections, http, &settings, credentials),
            sign_in,
        }))
    }

    fn webhooks(
        &self,
        integration: &Integration,
        exceptions: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
        let settings = read_settings(integration, exceptions)?;
        Ok(Some(Arc::new(Contexts::new(&settings))))
    }
}

fn read_settings(integration: &Integration, exceptions: &Exceptions) -> Result<Settings, Vec<FieldError>> {
    Settings::read(&integration.settings, &integration.excluded_groups, exceptions)
}

/// Limits are set for each user of an environment, and so is what is known of the user.
fn session(connections: &Connections, settings: &Settings, credentials: &Credentials) -> Arc<Session> {
    connections
        .sessions
        .of(&format!("{} {}", settings.base_url, credentials.client_id))
}

fn tokens(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
    http: &crate::http::Http,
    settings: &Settings,
    credentials: Credentials,
) -> TokenSource {
    let (endpoint, scope) = (settings.token_endpoint(), settings.scope());
    let key = TokenKey {
        integration: integration.id.clone(),
        secret_version: secret.version.clone(),
        audience: format!("{endpoint} {scope} {}", credentials.client_id),
    };
    let application = Application {
        endpoint,
        client_id: credentials.client_id,
        proof: credentials.proof,
        scope,
        format: Format::Form,
    };
    connections.source(key, settings.grant, application, http)
}
