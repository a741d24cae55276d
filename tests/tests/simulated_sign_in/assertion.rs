//! Client assertions, right ones and wrong ones.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use tests::sign_in::TestCertificate;
use uuid::Uuid;

use crate::app::App;

/// An assertion before it is signed.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) header: Value,
    pub(crate) claims: Value,
    key: &'static str,
}

impl Draft {
    /// Returns a good one: for five minutes, by PS256, under the SHA-256 of the certificate.
    pub(crate) fn new(app: &App, certificate: &TestCertificate) -> Self {
        let now = app.simulation.now().as_second();
        Self {
            header: json!({
                "typ": "JWT", "alg": "PS256",
                "x5t#S256": thumbprint(certificate, &SHA256),
            }),
            claims: json!({
                "aud": app.endpoint("token"), "iss": app.client_id, "sub": app.client_id, "jti": Uuid::new_v4(),
                "iat": now, "nbf": now, "exp": now + 300,
            }),
            key: certificate.private_key,
        }
    }

    pub(crate) fn claiming(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims[name] = value.into();
        self
    }

    pub(crate) fn headed(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header[name] = value.into();
        self
    }

    /// Names the certificate by its SHA-1, as older clients do.
    pub(crate) fn by_sha1(mut self, certificate: &TestCertificate) -> Self {
        self.header["x5t"] = json!(thumbprint(certificate, &SHA1_FOR_LEGACY_USE_ONLY));
        self.header.as_object_mut().unwrap().remove("x5t#S256");
        self
    }

    /// Signs with another key than the certificate's.
    pub(crate) fn signed_by(mut self, certificate: &TestCertificate) -> Self {
        self.key = certificate.private_key;
        self
    }

    pub(crate) fn sign(&self) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&self.header), encode(&self.claims));
        let padding: &dyn RsaEncoding = match self.header["alg"].as_str() {
            Some("RS256") => &RSA_PKCS1_SHA256,
            _ => &RSA_PSS_SHA256,
        };
        let key = PrivatePkcs8KeyDer::from_pem_slice(self.key.as_bytes()).unwrap();
        let key = RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()).unwrap();
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(padding, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn thumbprint(certificate: &TestCertificate, algorithm: &'static ring::digest::Algorithm) -> String {
    let der = CertificateDer::from_pem_slice(certificate.certificate.as_bytes()).unwrap();
    URL_SAFE_NO_PAD.encode(digest(algorithm, &der))
}
