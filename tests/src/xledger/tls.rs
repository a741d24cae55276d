//! TLS for uploads, which want a certificate of the client.
//!
//! The certificates are made anew for each simulation, by an authority that nobody else knows.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, SanType,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// Issues the certificates of the server and of clients.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
}

/// A certificate and its private key, both in PEM.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key, in PKCS #8.
    pub private_key: String,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes an authority.
    ///
    /// # Panics
    ///
    /// Panics when there is no randomness.
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().expect("there is randomness");
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let certificate = params.self_signed(&key).expect("the parameters are whole").pem();
        Self {
            issuer: Issuer::new(params, key),
            certificate,
        }
    }

    /// Returns the certificate that clients trust, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Issues a certificate to a client.
    pub fn client(&self, name: &str) -> Identity {
        let mut params = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    /// Returns how a server on a local address speaks TLS: it asks for a certificate and takes none for an answer, and one of
    /// another authority for none.
    ///
    /// # Panics
    ///
    /// Panics when the certificates that were just made are not valid.
    pub fn server(&self) -> Arc<ServerConfig> {
        let mut params = named("localhost");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let address = SanType::IpAddress([127, 0, 0, 1].into());
        let host = SanType::DnsName("localhost".try_into().expect("it is ASCII"));
        params.subject_alt_names = vec![address, host];
        let identity = self.issue(&params);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(der(&self.certificate)).expect("it was just made");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .allow_unauthenticated()
            .build()
            .expect("there is a root");
        let key = PrivateKeyDer::from_pem_slice(identity.private_key.as_bytes()).expect("it was just made");
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has ciphers for them")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![der(&identity.certificate)], key)
            .expect("the key is the certificate's");
        Arc::new(config)
    }

    fn issue(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().expect("there is randomness");
        let certificate = params
            .signed_by(&key, &self.issuer)
            .expect("the parameters are whole");
        Identity {
            certificate: certificate.pem(),
            private_key: key.serialize_pem(),
        }
    }
}

fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("it was just made")
}
