//! A certificate with its private key, by which an application proves to a sign-in server that it is itself.
//!
//! Nobody judges here whether a certificate has expired: the sign-in server does, and who keeps it warns of it in time.
//!
//! Source: RFC 7523, section 3; Microsoft Learn, "Microsoft identity platform application authentication certificate
//! credentials".

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{Timestamp, ToSpan};
use ring::rand::SystemRandom;
use ring::signature::{KeyPair as _, RSA_PSS_SHA256, RsaKeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;
use x509_cert::der::Decode as _;

use crate::model::FieldError;

const CERTIFICATE: &str = "credentials.certificate";
const PRIVATE_KEY: &str = "credentials.privateKey";

/// The most bytes of either text: a chain of several certificates has fewer.
const LONGEST: usize = 20_000;

/// The shortest modulus, in bytes.
const MODULUS: usize = 2048 / 8;

/// How many minutes an assertion is good for.
const LIFETIME: i64 = 5;

/// A certificate, and the private key to it.
#[derive(Clone)]
pub struct Certificate {
    not_after: Timestamp,
    thumbprint: [u8; 32],
    key: Arc<RsaKeyPair>,
}

/// What is read of a certificate.
struct Leaf {
    not_after: Timestamp,
    thumbprint: [u8; 32],
    /// The public key, as it is written there.
    key: Vec<u8>,
}

impl Certificate {
    /// Reads a certificate and its private key, both in PEM.
    ///
    /// Of several certificates the first counts. The key is of RSA, with 2,048 to 4,096 bits, in PKCS#8 or PKCS#1, and
    /// without a password.
    ///
    /// # Errors
    ///
    /// Every fault, under `credentials.certificate` and `credentials.privateKey`, and nothing of what they hold.
    pub fn read(certificate: &str, private_key: &SecretString) -> Result<Self, Vec<FieldError>> {
        match (leaf(certificate), key_pair(private_key.expose_secret())) {
            (Ok(leaf), Ok(key)) if key.public_key().as_ref() == leaf.key => Ok(Self {
                not_after: leaf.not_after,
                thumbprint: leaf.thumbprint,
                key: Arc::new(key),
            }),
            (Ok(_), Ok(_)) => {
                let reason = "must be the key of the certificate, and of the first where there are several";
                Err(vec![FieldError::new(PRIVATE_KEY, reason)])
            }
            (leaf, key) => {
                let faults = [
                    leaf.err().map(|reason| FieldError::new(CERTIFICATE, reason)),
                    key.err().map(|reason| FieldError::new(PRIVATE_KEY, reason)),
                ];
                Err(faults.into_iter().flatten().collect())
            }
        }
    }

    /// Returns the last moment at which the certificate is good.
    #[must_use]
    pub const fn not_after(&self) -> Timestamp {
        self.not_after
    }

    /// Returns the SHA-256 of the whole certificate, by which a sign-in server finds it.
    #[must_use]
    pub const fn thumbprint_sha256(&self) -> [u8; 32] {
        self.thumbprint
    }

    /// Returns a text, good for five minutes, that says to `audience` that it comes from the client.
    ///
    /// # Shape
    ///
    /// A JWT with the header `{"alg":"PS256","typ":"JWT","x5t#S256":"…"}` and the claims
    /// `{"aud":"https://…/token","iss":"client","sub":"client","jti":"…","nbf":1769853600,"iat":1769853600,"exp":1769853900}`.
    ///
    /// # Panics
    ///
    /// Where the machine gives no random bits.
    #[must_use]
    pub fn assertion(&self, client_id: &str, audience: &str, now: Timestamp, jti: Uuid) -> SecretString {
        let end = now.checked_add(LIFETIME.minutes()).unwrap_or(Timestamp::MAX);
        let header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": encoded(&self.thumbprint) });
        let claims = json!({
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": jti,
            "nbf": now.as_second(),
            "iat": now.as_second(),
            "exp": end.as_second(),
        });
        let signed = format!("{}.{}", part(&header), part(&claims));
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .expect("the key is whole, and there is randomness");
        format!("{signed}.{}", encoded(&signature)).into()
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("not_after", &self.not_after)
            .field("thumbprint", &encoded(&self.thumbprint))
            .finish_non_exhaustive()
    }
}

fn leaf(pem: &str) -> Result<Leaf, &'static str> {
    let unreadable = "must be a certificate in PEM, of at most 20,000 characters";
    let text = Some(pem.as_bytes()).filter(|text| text.len() <= LONGEST);
    let first = text.and_then(|text| CertificateDer::from_pem_slice(text).ok());
    let der = first.ok_or(unreadable)?;
    let certificate = x509_cert::Certificate::from_der(&der).map_err(|_| unreadable)?;
    let key = certificate.tbs_certificate().subject_public_key_info();
    Ok(Leaf {
        not_after: end(&certificate),
        thumbprint: Sha256::digest(&der).into(),
        key: key.subject_public_key.raw_bytes().to_vec(),
    })
}

/// Returns the last moment at which a certificate is good.
pub(crate) fn end(certificate: &x509_cert::Certificate) -> Timestamp {
    let end = certificate.tbs_certificate().validity().not_after;
    let end = i64::try_from(end.to_unix_duration().as_secs()).ok();
    // The last day of the year 9999, which stands for no end, is beyond what a time can be.
    end.and_then(|end| Timestamp::from_second(end).ok())
        .unwrap_or(Timestamp::MAX)
}

fn key_pair(pem: &str) -> Result<RsaKeyPair, &'static str> {
    let unreadable = "must be an RSA key of 2,048 to 4,096 bits in PEM, without a password";
    let text = Some(pem.as_bytes()).filter(|text| text.len() <= LONGEST);
    let first = text.and_then(|text| PrivateKeyDer::from_pem_slice(text).ok());
    let key = match first.ok_or(unreadable)? {
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        _ => return Err(unreadable),
    };
    key.ok()
        .filter(|key| key.public().modulus_len() >= MODULUS)
        .ok_or(unreadable)
}

fn part(json: &Value) -> String {
    encoded(json.to_string().as_bytes())
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use ring::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../tests/certificates/", $name, ".pem"))
        };
    }

    fn read(certificate: &str, key: &str) -> Result<Certificate, Vec<FieldError>> {
        Certificate::read(certificate, &key.into())
    }

    fn application() -> Certificate {
        read(pem!("application"), pem!("application.key")).unwrap()
    }

    fn fields(read: Result<Certificate, Vec<FieldError>>) -> Vec<String> {
        let faults = read.unwrap_err();
        faults.into_iter().map(|fault| fault.field).collect()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn decoded(part: &str) -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    }

    #[test]
    fn an_assertion_says_who_asks_whom_and_is_verified_by_the_key_of_the_certificate() {
        let (certificate, jti) = (application(), Uuid::from_u128(7));
        let now = at("2026-01-31T10:00:00Z");
        let assertion = certificate.assertion("client", "https://login.example/token", now, jti);
        let (signed, signature) = assertion.expose_secret().rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let thumbprint = URL_SAFE_NO_PAD.encode(certificate.thumbprint_sha256());
        assert_eq!(
            decoded(header),
            json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint })
        );
        assert_eq!(
            decoded(claims),
            json!({
                "aud": "https://login.example/token", "iss": "client", "sub": "client", "jti": jti,
                "nbf": now.as_second(), "iat": now.as_second(), "exp": now.as_second() + 300,
            })
        );
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verifies = |of: &str, message: &str| {
            let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, leaf(of).unwrap().key);
            key.verify(message.as_bytes(), &signature).is_ok()
        };
        assert!(verifies(pem!("application"), signed));
        assert!(!verifies(pem!("application"), &format!("{signed}x")));
    }

    #[test]
    fn no_two_assertions_are_the_same() {
        let certificate = application();
        let assertion = || {
            let assertion = certificate.assertion("client", "a", Timestamp::UNIX_EPOCH, Uuid::nil());
            assertion.expose_secret().to_owned()
        };
        assert_ne!(assertion(), assertion());
    }

    #[test]
    fn the_thumbprint_is_that_of_the_certificate_as_it_is_sent() {
        let printed =
            "89:91:98:34:5A:2E:FE:32:51:56:27:95:7E:6E:5D:A2:A6:3C:1E:8D:5E:91:5F:D4:D6:AF:C3:DE:8C:67:9C:E2";
        let thumbprint = application().thumbprint_sha256();
        let hex = thumbprint.map(|byte| format!("{byte:02X}")).join(":");
        assert_eq!(hex, printed, "as `openssl x509 -fingerprint -sha256` prints it");
    }

    #[test]
    fn a_key_is_read_in_either_form() {
        read(pem!("application"), pem!("application.pkcs1")).unwrap();
        let windows = pem!("application.key").replace('\n', "\r\n");
        read(&pem!("application").replace('\n', "\r\n"), &windows).unwrap();
    }

    #[test]
    fn a_certificate_is_read_whether_it_has_expired_or_not() {
        for (certificate, end) in [
            (pem!("application"), at("2126-01-01T00:00:00Z")),
            (pem!("march"), at("2026-03-02T10:00:00Z")),
            (pem!("expired"), at("2021-01-01T00:00:00Z")),
            (pem!("endless"), Timestamp::MAX),
        ] {
            let certificate = read(certificate, pem!("application.key")).unwrap();
            assert_eq!(certificate.not_after(), end);
        }
    }

    #[test]
    fn of_several_certificates_the_first_is_taken() {
        let chain = [pem!("march"), pem!("curve"), pem!("application")].concat();
        let certificate = read(&chain, pem!("application.key")).unwrap();
        assert_eq!(certificate.not_after(), at("2026-03-02T10:00:00Z"));
        let turned = [pem!("curve"), pem!("application")].concat();
        assert_eq!(fields(read(&turned, pem!("application.key"))), [PRIVATE_KEY]);
    }

    #[test]
    fn a_key_that_is_not_of_the_certificate_is_named() {
        let other = read(pem!("application"), pem!("other.key"));
        assert_eq!(fields(other), [PRIVATE_KEY]);
    }

    #[test]
    fn a_key_that_is_weak_or_locked_or_of_another_kind_is_named() {
        for (certificate, key) in [
            (pem!("weak"), pem!("weak.key")),
            (pem!("curve"), pem!("curve.key")),
            (pem!("application"), pem!("application.encrypted")),
            (pem!("application"), pem!("application")),
        ] {
            assert_eq!(fields(read(certificate, key)), [PRIVATE_KEY]);
        }
    }

    #[test]
    fn what_is_no_certificate_and_no_key_is_named_and_never_repeated() {
        let cut = |pem: &str| pem.chars().take(600).collect::<String>() + "\n-----END CERTIFICATE-----\n";
        let huge = "canary ".repeat(15_000);
        let padded = format!("{}{huge}", pem!("application"));
        let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n".to_owned();
        let plain = "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n".to_owned();
        for text in [
            String::new(),
            "canary".to_owned(),
            huge,
            padded,
            empty,
            plain,
            cut(pem!("march")),
        ] {
            let faults = read(&text, &text.replace("CERTIFICATE", "PRIVATE KEY")).unwrap_err();
            assert_eq!(faults.len(), 2, "{faults:?}");
            assert!(!format!("{faults:?}").contains("canary"));
        }
    }

    #[test]
    fn nothing_shows_the_key() {
        let shown = format!("{:?}", application());
        assert!(shown.contains("2126") && shown.len() < 200, "{shown}");
    }
}
