//! Consio, by a REST profile that is configuration, or by files.

use std::sync::Arc;

use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::Value;

use super::{Connections, Registers, WebhookSupport};
use crate::adapter::{Adapter, ReadWebhook};
use crate::export::Books;
use crate::flow::refresh::Registration;
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::model::{FieldError, Kind};
use crate::secrets::Secret;

/// Consio as a kind of system.
#[derive(Debug)]
pub(super) struct Definition;

fn absent<T>() -> Result<T, Vec<FieldError>> {
    Err(vec![FieldError::new("integrationType", "has no adapter")])
}

impl super::Definition for Definition {
    fn webhook_support(&self) -> WebhookSupport {
        WebhookSupport {
            reads: false,
            registers: Registers::Nothing,
        }
    }

    fn kinds(&self, _: &Value) -> Vec<Kind> {
        Vec::new()
    }

    fn check_settings(&self, _: &Value, _: &Exceptions) -> Result<(), Vec<FieldError>> {
        absent()
    }

    fn check_move(&self, _: &Value, _: &Value) -> Result<(), Vec<FieldError>> {
        Ok(())
    }

    fn check_credentials(&self, _: &SecretString) -> Result<(), Vec<FieldError>> {
        absent()
    }

    fn credentials_expire_at(&self, _: &SecretString) -> Option<Timestamp> {
        None
    }

    fn connect(
        &self,
        _: &Integration,
        _: &Secret,
        _: &Connections,
        _: Timestamp,
    ) -> Result<Arc<dyn Adapter>, Vec<FieldError>> {
        absent()
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
        _: &Integration,
        _: &Secret,
        _: &Connections,
    ) -> Result<Option<Registration>, Vec<FieldError>> {
        absent()
    }

    fn webhooks(
        &self,
        _: &Integration,
        _: &Exceptions,
    ) -> Result<Option<Arc<dyn ReadWebhook>>, Vec<FieldError>> {
        Ok(None)
    }
}
