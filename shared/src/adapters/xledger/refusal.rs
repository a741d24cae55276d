//! What the credential was refused with, for whoever is told of a voucher only that it was not sent.

use std::sync::{Arc, Mutex, PoisonError};

use crate::adapter::{Error, ErrorKind};

/// The last refusal of a credential that nobody has asked for yet; all ways of one integration share it.
#[derive(Debug, Clone, Default)]
pub struct Refusal(Arc<Mutex<Option<String>>>);

impl Refusal {
    /// Keeps an error that is a refusal of the credential, and passes over any other.
    pub(super) fn note(&self, error: &Error) {
        if error.kind() == ErrorKind::Unauthenticated {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
        }
    }

    /// Returns it, once.
    pub(super) fn take(&self) -> Option<Error> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        refused.map(|why| Error::new(ErrorKind::Unauthenticated, why))
    }
}
