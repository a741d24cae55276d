//! Who may ask for tokens, and how they prove who they are.

use super::certificate::Certificate;
use super::{ClientFault, TestCertificate};

/// Identifies an app registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The application id.
    pub client_id: String,
    /// The secret.
    pub client_secret: String,
}

/// An app registration.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) id: String,
    pub(super) secrets: Vec<Secret>,
    pub(super) certificates: Vec<Certificate>,
    pub(super) redirect_uris: Vec<String>,
}

#[derive(Debug)]
pub(super) struct Secret {
    pub(super) value: String,
    pub(super) expired: bool,
}

impl Client {
    /// Returns an app with one secret and the certificate that tests have the key of.
    pub(super) fn new(credentials: Credentials) -> Self {
        let certificate = Certificate::from_pem(TestCertificate::REGISTERED.certificate);
        Self {
            id: credentials.client_id,
            secrets: vec![Secret::new(credentials.client_secret)],
            certificates: vec![certificate.expect("the certificate of the tests is one")],
            redirect_uris: Vec::new(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(super) fn is(&self, id: &str) -> bool {
        self.id.eq_ignore_ascii_case(id)
    }

    pub(super) fn check_secret(&self, secret: &str) -> Result<(), ClientFault> {
        let known = self.secrets.iter().find(|known| known.value == secret);
        match known {
            None => Err(ClientFault::WrongSecret),
            Some(known) if known.expired => Err(ClientFault::ExpiredSecret),
            Some(_) => Ok(()),
        }
    }

    /// Checks that users may be sent back to an address; it must be registered to the letter.
    pub(crate) fn check_redirect(&self, uri: &str) -> Result<(), ClientFault> {
        match self.redirect_uris.iter().any(|known| known == uri) {
            true => Ok(()),
            false => Err(ClientFault::RedirectUri(uri.to_owned())),
        }
    }
}

impl Secret {
    pub(super) fn new(value: String) -> Self {
        Self {
            value,
            expired: false,
        }
    }
}
