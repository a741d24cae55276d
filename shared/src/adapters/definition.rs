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
use crate::model::{FieldError, Kind};
use crate::secrets::Secret;
use crate::transfer::Render;

/// What can be done about the webhooks of a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookSupport {
    /// Its own webhooks can be read.
    pub reads: bool,
    /// They can be registered.
    pub registers: bool,
}

/// A kind of system; nothing here is sent anywhere. The functions of [`super`] say what each of these returns.
pub(super) trait Definition: Sync {
    fn webhook_support(&self) -> WebhookSupport;

    fn kinds(&self, settings: &Value) -> Vec<Kind>;

    fn check_settings(&self, settings: &Value, exceptions: &Exceptions) -> Result<(), Vec<FieldError>>;

    fn check_move(&self, before: &Value, after: &Value) -> Result<(), Vec<FieldError>>;

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
