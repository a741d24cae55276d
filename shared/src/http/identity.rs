//! A certificate of ours, for servers that want to know who calls them (mutual TLS).

use std::fmt;

use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret, SecretString};
use x509_cert::der::Decode as _;

use crate::certificate::end;

/// The most bytes of either text: a chain of several certificates has fewer.
const LONGEST: usize = 20_000;

/// A certificate with its chain and its private key.
///
/// # Shape
///
/// Both in PEM. Who was given a PKCS#12 file (`.pfx`, `.p12`) takes the two out of it, and types its password when asked;
/// a file that was made long ago wants `-legacy` as well:
///
/// ```sh
/// openssl pkcs12 -in webservice.pfx -nokeys -out certificate.pem
/// openssl pkcs12 -in webservice.pfx -nocerts -noenc -out private-key.pem
/// ```
#[derive(Clone)]
pub struct Identity {
    shown: reqwest::Identity,
    not_after: Timestamp,
}

/// What is wrong with a certificate or its key; nothing of either is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdentityFault {
    /// The certificate cannot be read.
    #[error("must be a certificate in PEM, the caller's own first, of at most 20,000 characters")]
    Certificate,
    /// The key cannot be read.
    #[error("must be a private key in PEM (PKCS#8, PKCS#1 or SEC1), without a password")]
    PrivateKey,
    /// They are not of each other.
    #[error("must be the key of the certificate, and of the first where there are several")]
    Mismatch,
}

impl Identity {
    /// Reads a certificate, with those between it and its authority after it, and its private key.
    ///
    /// Nobody judges here whether it has expired: the server does.
    ///
    /// # Errors
    ///
    /// The first fault.
    pub fn read(certificate: &str, private_key: &SecretString) -> Result<Self, IdentityFault> {
        let key_text = private_key.expose_secret();
        let chain = chain(certificate).ok_or(IdentityFault::Certificate)?;
        let leaf = chain.first().ok_or(IdentityFault::Certificate)?;
        let leaf = x509_cert::Certificate::from_der(leaf).map_err(|_| IdentityFault::Certificate)?;
        let key = Some(key_text.as_bytes()).filter(|text| text.len() <= LONGEST);
        let key = key.and_then(|text| PrivateKeyDer::from_pem_slice(text).ok());
        let key = key.ok_or(IdentityFault::PrivateKey)?;
        let provider = rustls::crypto::ring::default_provider();
        CertifiedKey::from_der(chain, key, &provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => IdentityFault::Mismatch,
            _ => IdentityFault::PrivateKey,
        })?;
        // The two may stand in either order, and with other text around them.
        let both = SecretString::from(format!("{key_text}\n{certificate}"));
        let shown = reqwest::Identity::from_pem(both.expose_secret().as_bytes());
        Ok(Self {
            shown: shown.map_err(|_| IdentityFault::Certificate)?,
            not_after: end(&leaf),
        })
    }

    /// Returns the last moment at which the certificate is good.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    pub(super) fn shown(&self) -> reqwest::Identity {
        self.shown.clone()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity")
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

fn chain(pem: &str) -> Option<Vec<CertificateDer<'static>>> {
    let text = Some(pem.as_bytes()).filter(|text| text.len() <= LONGEST)?;
    CertificateDer::pem_slice_iter(text)
        .collect::<Result<_, _>>()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../../tests/certificates/", $name, ".pem"))
        };
    }

    fn read(certificate: &str, key: &str) -> Result<Identity, IdentityFault> {
        Identity::read(certificate, &key.into())
    }

    #[test]
    fn a_certificate_and_its_key_are_read_in_every_form_that_openssl_writes() {
        for (certificate, key) in [
            (pem!("application"), pem!("application.key")),
            (pem!("application"), pem!("application.pkcs1")),
            (pem!("curve"), pem!("curve.key")),
        ] {
            read(certificate, key).unwrap();
        }
        let bag = format!(
            "Bag Attributes\n    friendlyName: webservice\n{}",
            pem!("application")
        );
        let identity = read(&bag, pem!("application.key")).unwrap();
        assert!(identity.not_after() > Timestamp::UNIX_EPOCH);
        let shown = format!("{identity:?}");
        assert!(shown.contains("not_after") && shown.len() < 80, "{shown}");
    }

    #[test]
    fn what_is_no_identity_is_refused_by_what_is_wrong_with_it() {
        let (certificate, key) = (pem!("application"), pem!("application.key"));
        for (certificate, key, fault) in [
            ("", key, IdentityFault::Certificate),
            (key, key, IdentityFault::Certificate),
            (&"x".repeat(LONGEST + 1), key, IdentityFault::Certificate),
            (certificate, "", IdentityFault::PrivateKey),
            (certificate, certificate, IdentityFault::PrivateKey),
            (
                certificate,
                pem!("application.encrypted"),
                IdentityFault::PrivateKey,
            ),
            (certificate, pem!("other.key"), IdentityFault::Mismatch),
            (certificate, pem!("curve.key"), IdentityFault::Mismatch),
        ] {
            assert_eq!(read(certificate, key).unwrap_err(), fault);
        }
    }
}
