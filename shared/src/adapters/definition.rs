//! What a kind of system is, before any integration with it is looked at.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::Connections;
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::model::{FieldError, FilePurpose, Kind};
use crate::secrets::Secret;
use crate::transfer::Render;
use crate::webhook::Scheme;

/// What can be done about the webhooks of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookSupport {
    /// Its own webhooks can be read.
    pub reads: bool,
    /// Which can be registered.
    pub registers: Registers,
}

/// Which webhooks a system lets us register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registers {
    /// None.
    Nothing,
    /// Those that show a secret in a header.
    WithHeader,
    /// Those that it signs by the token that we show it.
    SignedByToken,
}

impl Registers {
    /// Says whether webhooks of a scheme can be registered.
    #[must_use]
    pub const fn fits(self, scheme: &Scheme) -> bool {
        match self {
            Self::Nothing => false,
            Self::WithHeader => scheme.shows_its_secret_in_a_header(),
            Self::SignedByToken => matches!(scheme, Scheme::Xledger),
        }
    }
}

/// A kind of system; nothing here is sent anywhere. The functions of [`super`] say what each of these returns.
pub(super) trait Definition: Sync {
    fn webhook_support(&self) -> WebhookSupport;

    fn kinds(&self, settings: &Value) -> Vec<Kind>;

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>>;

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>>;

    /// Most systems are shown something.
    fn needs_credentials(&self, _: &Value) -> bool {
        true
    }

    fn check_credentials(&self, credentials: &SecretString) -> Result<(), Vec<FieldError>>;

    fn credentials_expire_at(&self, credentials: &SecretString) -> Option<Timestamp>;

    fn connect(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
        deadline: Timestamp,
    ) -> Result<Arc<dyn Adapter>, Vec<FieldError>>;

    fn books(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
    ) -> Result<Option<Arc<dyn Books>>, Vec<FieldError>>;

    fn registration(
        &self,
        integration: &Integration,
        secret: &Secret,
        connections: &Connections,
    ) -> Result<Option<Registration>, Vec<FieldError>>;

    fn webhooks(
        &self,
        integration: &Integration,
        exceptions: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>>;

    /// A system that takes no files needs none.
    fn renderer(&self, _: &Integration) -> Option<Box<dyn Render>> {
        None
    }

    /// Most systems are read by their APIs alone.
    fn upload_profile(
        &self,
        _: &Integration,
        _: &FilePurpose,
        _: Option<&Value>,
    ) -> Result<Value, Vec<FieldError>> {
        Err(no_uploads())
    }
}

/// Says that nobody would read an upload.
pub(super) fn no_uploads() -> Vec<FieldError> {
    let reason = "is none that runs would read: by its settings, the integration takes no uploads";
    vec![FieldError::new("purpose", reason)]
}

/// Returns a fault for each of these places of the settings that leads elsewhere than before.
pub(super) fn moved(before: &Value, after: &Value, places: &[&str]) -> Result<(), Vec<FieldError>> {
    let reason =
        "leads to other rows than those that the records are linked with: disconnect, and connect anew";
    let fault = |place: &str| FieldError::new(format!("settings{}", place.replace('/', ".")), reason);
    let differs = |place: &&&str| {
        // What is named for the first time, or no more, leads nowhere else.
        let (was, is) = (before.pointer(place), after.pointer(place));
        was.is_some() && is.is_some() && was != is
    };
    let errors: Vec<_> = places.iter().filter(differs).map(|place| fault(place)).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}
