//! Xledger, by its GraphQL API, its SOAP services, or a file.
//!
//! Source: github.com/xledger/graphql-samples, the help pages of Xledger UK, and public clients, read 2026-11-21. The vendor's
//! own document of the API is not public.
//!
//! # Limits
//!
//! 500 nodes in a mutation, 10,000 rows on a page. Bursts, requests at once and credits are limited for each API token;
//! 5,000 requests and 1,000 MB each way are in the price of a month. A voucher costs about six requests: a look and a write
//! to send it, and two or three for each look until it is posted.
//!
//! # Quirks
//!
//! - Errors come with status 200, and their `code` stands beside `message`.
//! - Times are those of Central Europe, and do not say so.
//! - Lines are put into a queue, and a job posts them about every half hour in daytime. Posted ones leave the queue.
//! - Nothing keeps two lines from having one `extIdentifier`, and nothing says that a call is taken wholly or not at all.
//! - `transactions` has no `extIdentifier`; `journalEntries` does. `pageInfo` has no `endCursor`.
//! - A webhook is signed by the API token that it was made with.
//!
//! Deliberately absent: `updateGLImportItems` and `removeGLImportItems`. What stands in the queue is a human's to mend.

mod adapter;
mod assemble;
mod books;
mod client;
mod config;
#[cfg(test)]
mod config_tests;
mod draft;
mod error;
#[cfg(test)]
mod error_tests;
pub mod file;
pub mod gl02xml;
#[cfg(test)]
mod gl02xml_tests;
mod ledger;
mod look;
mod probe;
mod refusal;
mod route;
pub mod soap;
mod subscribe;
mod time;
mod voucher_file;
#[cfg(test)]
mod vouchers;
mod webhook;
mod wire;
mod xml;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::session::Session;
use super::{Connections, Registers, WebhookSupport, wrap};
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::model::{FieldError, Kind};
use crate::secrets::Secret;
use crate::transfer::Render;
use client::Client;
use config::{Credentials, Settings};
use file::FileProfile;
use refusal::Refusal;
use route::{BySoap, Meter, Soap, Ways};
use soap::{SoapAccount, SoapLedger};
use voucher_file::VoucherFiles;

/// Xledger as a kind of system.
#[derive(Debug)]
pub(super) struct Definition;

impl super::Definition for Definition {
    fn webhook_support(&self) -> WebhookSupport {
        WebhookSupport {
            reads: true,
            registers: Registers::SignedByToken,
        }
    }

    fn kinds(&self, _: &Value) -> Vec<Kind> {
        Vec::new()
    }

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>> {
        Settings::read(settings, exceptions).map(drop)
    }

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>> {
        config::check_move(before, after)
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), Vec<FieldError>> {
        Credentials::read(credentials).map(drop)
    }

    fn credentials_expire_at(&self, credentials: &SecretString) -> Option<Timestamp> {
        Credentials::read(credentials).ok()?.expires_at()
    }

    fn connect(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
        deadline: Timestamp,
    ) -> Result<Arc<dyn Adapter>, Vec<FieldError>> {
        let (settings, ways) = set_up(integration, secret, connections)?;
        let adapter = adapter::Xledger { settings, ways };
        Ok(wrap(adapter, &connections.clock, deadline))
    }

    fn books(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
    ) -> Result<Option<Arc<dyn Books>>, Vec<FieldError>> {
        let (settings, ways) = set_up(integration, secret, connections)?;
        Ok(Some(Arc::new(books::Xledger {
            settings,
            ways,
            clock: Arc::clone(&connections.clock),
        })))
    }

    /// An API token is shown as it is.
    fn registration(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
    ) -> Result<Option<Registration>, Vec<FieldError>> {
        set_up(integration, secret, connections).map(|_| None)
    }

    fn webhooks(
        &self,
        _: &Integration,
        _: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
        Ok(Some(Arc::new(webhook::Changed)))
    }

    fn renderer(&self, integration: &Integration) -> Option<Box<dyn Render>> {
        let profile = config::file_profile(&integration.settings).ok()?;
        Some(Box::new(VoucherFiles(profile)))
    }
}

/// Reads what an integration is set up with, and makes the ways that it leaves open; nothing is sent.
fn set_up(
    integration: &Integration,
    secret: &Secret,
    connections: &Connections,
) -> Result<(Settings, Ways), Vec<FieldError>> {
    let http = connections.http.counted();
    let settings = Settings::read(&integration.settings, http.exceptions())?;
    let credentials = Credentials::read(&secret.value)?;
    credentials.check(&settings)?;
    let refusal = Refusal::default();
    let graphql = credentials.api_token.map(|token| {
        Arc::new(Client {
            session: session(connections, &settings, &token),
            clock: Arc::clone(&connections.clock),
            url: settings.graphql.clone(),
            page_size: settings.page_size,
            token,
            http: http.clone(),
            refusal: refusal.clone(),
        })
    });
    let account = settings.soap.clone().zip(credentials.soap).map(SoapAccount::from);
    let soap = account.map(|account| {
        let (session, clock) = (
            soap_session(connections, &account),
            Arc::clone(&connections.clock),
        );
        let ledger =
            SoapLedger::new(account, Arc::clone(&session.soap), &http, clock).noting(refusal.clone());
        Arc::new(BySoap(Arc::new(ledger))) as Arc<dyn Soap>
    });
    let ways = Ways {
        graphql,
        soap,
        csv: settings.csv,
        meter: Meter::of(&http),
        refusal,
    };
    Ok((settings, ways))
}

/// Limits are set for each token; it is known here by its digest.
fn session(connections: &Connections, settings: &Settings, token: &SecretString) -> Arc<Session> {
    let digest = Sha256::digest(token.expose_secret());
    let key = format!("{} {}", settings.graphql, URL_SAFE_NO_PAD.encode(digest));
    connections.sessions.of(&key)
}

/// A key is given to a user; both are known here by a digest.
fn soap_session(connections: &Connections, account: &SoapAccount) -> Arc<Session> {
    connections.sessions.of(&format!("soap {}", account.digest()))
}

/// Reads what the settings of an integration say of its files.
///
/// # Errors
///
/// Every fault at once, by its path.
pub fn file_profile(settings: &Value) -> Result<FileProfile, Vec<FieldError>> {
    config::file_profile(settings)
}
