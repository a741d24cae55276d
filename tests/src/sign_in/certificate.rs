//! X.509 certificates, as far as proving who a client is needs them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const EXPLICIT_VERSION: u8 = 0xA0;

/// A certificate and its private key, both in PEM; anybody may know them, since they are in this repository.
#[derive(Debug, Clone, Copy)]
pub struct TestCertificate {
    /// The certificate.
    pub certificate: &'static str,
    /// The private key, in PKCS #8.
    pub private_key: &'static str,
}

impl TestCertificate {
    /// The certificate that every client has from the beginning.
    pub const REGISTERED: Self = Self {
        certificate: include_str!("../../certificates/registered.pem"),
        private_key: include_str!("../../certificates/registered.key.pem"),
    };

    /// A certificate that no client has until somebody registers it.
    pub const ANOTHER: Self = Self {
        certificate: include_str!("../../certificates/another.pem"),
        private_key: include_str!("../../certificates/another.key.pem"),
    };
}

/// A certificate as a server keeps it.
#[derive(Debug)]
pub(super) struct Certificate {
    sha1: String,
    sha256: String,
    /// The public key as PKCS #1 has it.
    pub(super) key: Vec<u8>,
    pub(super) ends_at: Timestamp,
}

impl Certificate {
    /// Reads a certificate of an RSA key.
    pub(super) fn from_pem(pem: &str) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|error| error.to_string())?;
        let thumbprint = |algorithm| URL_SAFE_NO_PAD.encode(digest(algorithm, &der));
        let (key, ends_at) = read(&der).ok_or("not a certificate of an RSA key")?;
        Ok(Self {
            sha1: thumbprint(&SHA1_FOR_LEGACY_USE_ONLY),
            sha256: thumbprint(&SHA256),
            key,
            ends_at,
        })
    }

    /// Returns whether the header of a token names this certificate.
    pub(super) fn is_named(&self, sha256: Option<&str>, sha1: Option<&str>) -> bool {
        match (sha256, sha1) {
            (Some(sha256), _) => self.sha256 == sha256,
            (None, Some(sha1)) => self.sha1 == sha1,
            (None, None) => false,
        }
    }
}

/// Returns the public key of a certificate and its end.
///
/// Source: RFC 5280, section 4.1.
fn read(certificate: &[u8]) -> Option<(Vec<u8>, Timestamp)> {
    let (whole, _) = take(certificate, SEQUENCE)?;
    let (rest, _) = take(whole, SEQUENCE)?;
    let (_, rest) = take(rest, EXPLICIT_VERSION)?;
    let (_serial, rest) = take(rest, INTEGER)?;
    let (_algorithm, rest) = take(rest, SEQUENCE)?;
    let (_issuer, rest) = take(rest, SEQUENCE)?;
    let (validity, rest) = take(rest, SEQUENCE)?;
    let (_subject, rest) = take(rest, SEQUENCE)?;
    let (key_info, _) = take(rest, SEQUENCE)?;
    let (_algorithm, bits) = take(key_info, SEQUENCE)?;
    let (bits, _) = take(bits, BIT_STRING)?;
    let (unused, key) = bits.split_first()?;
    (*unused == 0 && take(key, SEQUENCE).is_some()).then_some(())?;
    Some((key.to_vec(), end(validity)?))
}

fn end(validity: &[u8]) -> Option<Timestamp> {
    let (_begin, rest) = element(validity)?;
    let (tag, (text, _)) = (*rest.first()?, element(rest)?);
    let text = std::str::from_utf8(text).ok()?;
    let text = match tag {
        // Two digits of the year mean 1950 to 2049.
        UTC_TIME if text < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Splits what comes first in DER, which must have this tag, from the rest.
fn take(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    (*der.first()? == tag).then(|| element(der))?
}

fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    if length < 0x80 {
        return rest.split_at_checked(length.into());
    }
    let (length, rest) = rest.split_at_checked((length & 0x7F).into())?;
    let length = length.iter().try_fold(0_usize, |sum, &byte| {
        sum.checked_mul(256)?.checked_add(byte.into())
    })?;
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_as_openssl_reads_it() {
        let certificate = Certificate::from_pem(TestCertificate::REGISTERED.certificate).unwrap();
        // `openssl x509 -fingerprint -sha1`, `-sha256`, and `-enddate`.
        assert_eq!(certificate.sha1, "q9JiJ4BJcXm06woWrUpmm1F2uus");
        assert_eq!(certificate.sha256, "EgzSh5Ja4Z8XKb58-W0RVe8hFQEn_iJvoilOGrTains");
        assert_eq!(certificate.ends_at.to_string(), "2126-10-29T08:44:04Z");
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert!(Certificate::from_pem("").is_err());
        assert!(Certificate::from_pem(TestCertificate::REGISTERED.private_key).is_err());
        let cut = TestCertificate::REGISTERED.certificate.replace("MII", "MIA");
        assert!(Certificate::from_pem(&cut).is_err());
    }
}
