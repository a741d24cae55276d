//! What this process knows of one user of one environment, beyond a single call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::xledger::soap::SoapSession;
use crate::http::Gate;

/// The sessions of this process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// What calls in the name of one user share.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Shut while the system wants to be left alone.
    pub(super) gate: Gate,
    /// The user's id, once it was asked for.
    pub(super) user: OnceCell<Box<str>>,
    /// The key of the SOAP services, once there is one.
    pub(super) soap: Arc<SoapSession>,
}

impl Sessions {
    pub(super) fn of(&self, user: &str) -> Arc<Session> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(sessions.entry(user.to_owned()).or_default())
    }
}
