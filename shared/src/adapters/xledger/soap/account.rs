//! Who uploads, and where to.
//!
//! # Shape
//!
//! Settings, of which each can be left out; `elements` are those of [`Elements`]:
//!
//! ```json
//! { "baseUrl": "https://ws.xledger.net", "uploadUrl": "https://ws.xledger.net", "application": "XLEDGER",
//!   "currency": "NOK", "elements": { "subledger": "SubledgerNo", "taxRule": "TaxRule" } }
//! ```
//!
//! Credentials; [`Identity`] says how certificate and key are taken out of a PKCS#12 file:
//!
//! ```json
//! { "user": "…", "password": "…", "certificate": "-----BEGIN CERTIFICATE-----…", "privateKey": "-----BEGIN PRIVATE KEY-----…" }
//! ```

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::adapters::xledger::gl02xml::Elements;
use crate::adapters::xledger::xml::is_plain;
use crate::http::{Exceptions, Identity, IdentityFault, check_base_url};
use crate::model::{Currency, FieldError, System};
use crate::settings::{Faults, Section};

const LIVE: &str = "https://ws.xledger.net/";
const DEMO_HOST: &str = "wsdemo.xledger.net";
const DEFAULT_CURRENCY: &str = "NOK";

/// The most letters of a name or a password.
const LONGEST: usize = 200;

/// Where the services are, and what files look like.
#[derive(Debug, Clone)]
pub struct SoapSettings {
    pub(super) authentication: Url,
    pub(super) upload: Url,
    pub(super) application: Box<str>,
    pub(super) currency: Currency,
    pub(super) elements: Elements,
}

/// A user with the role "Web Service", and the certificate that uploads are shown.
#[derive(Clone)]
pub struct SoapCredentials {
    pub(super) user: Box<str>,
    pub(super) password: SecretString,
    pub(super) identity: Option<Identity>,
}

/// All that an organization gives for the services.
#[derive(Debug, Clone)]
pub struct SoapAccount {
    pub(super) settings: SoapSettings,
    pub(super) credentials: SoapCredentials,
}

impl SoapAccount {
    /// Reads settings and credentials.
    ///
    /// # Errors
    ///
    /// Every fault of both, under `settings.soap` and `credentials.soap`, and nothing of what they hold.
    pub fn read(
        settings: &Value,
        credentials: &Value,
        exceptions: &Exceptions,
    ) -> Result<Self, Vec<FieldError>> {
        let faults = Faults::default();
        let settings = Section::open("settings.soap", settings, &faults);
        let settings = settings.and_then(|section| SoapSettings::read(&section, exceptions));
        let credentials = Section::open("credentials.soap", credentials, &faults);
        let credentials = credentials.and_then(|section| SoapCredentials::read(&section));
        faults.or(settings.zip(credentials).map(Self::from))
    }
}

impl SoapAccount {
    /// Returns what tells one user of one service from another, and from itself with another password.
    pub(in crate::adapters::xledger) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        for part in [
            self.settings.authentication.as_str(),
            &self.settings.application,
            &self.credentials.user,
            self.credentials.password.expose_secret(),
        ] {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }
}

impl From<(SoapSettings, SoapCredentials)> for SoapAccount {
    fn from((settings, credentials): (SoapSettings, SoapCredentials)) -> Self {
        Self {
            settings,
            credentials,
        }
    }
}

impl SoapSettings {
    pub(in crate::adapters::xledger) fn read(section: &Section<'_>, exceptions: &Exceptions) -> Option<Self> {
        let address = |text: &str| {
            check_base_url(System::Xledger, text, exceptions).map_err(|reason| reason.to_string())
        };
        let named = section.get("baseUrl").is_some();
        let base_url = section.text("baseUrl", address);
        let base_url = base_url.or_else(|| Url::parse(LIVE).ok().filter(|_| !named));
        let upload_url = section.text("uploadUrl", address).or_else(|| base_url.clone());
        let application = section.text("application", word);
        let usual = match base_url.as_ref().and_then(Url::host_str) {
            Some(DEMO_HOST) => "XLEDGERDEMO",
            _ => "XLEDGER",
        };
        let currency = section.text("currency", home_currency);
        let elements = section
            .section("elements")
            .map(|section| Elements::read(&section));
        section.finish();
        Some(Self {
            authentication: base_url?.join("WS/Common/Lib/Authentication.asmx").ok()?,
            upload: upload_url?.join("WS/Common/Lib/FileUpload.asmx").ok()?,
            application: application.unwrap_or_else(|| usual.into()),
            currency: currency.or_else(|| home_currency(DEFAULT_CURRENCY).ok())?,
            elements: elements.unwrap_or_default(),
        })
    }

    /// Returns the currency of the entity, in which files have their amounts.
    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }
}

impl SoapCredentials {
    pub(in crate::adapters::xledger) fn read(section: &Section<'_>) -> Option<Self> {
        let user = section.required("user", word);
        let password = section.required("password", |text| {
            word(text).map(|text| String::from(text).into())
        });
        let certificate = section.text("certificate", |text| Ok(text.to_owned()));
        let key = section.text("privateKey", |text| Ok(SecretString::from(text.to_owned())));
        let identity = match (certificate, key) {
            (Some(certificate), Some(key)) => Identity::read(&certificate, &key)
                .map_err(|fault| section.fault(place(fault), fault.to_string()))
                .ok(),
            (Some(_), None) => {
                section.fault("privateKey", "is required beside a certificate");
                None
            }
            (None, Some(_)) => {
                section.fault("certificate", "is required beside a private key");
                None
            }
            (None, None) => None,
        };
        section.finish();
        Some(Self {
            user: user?,
            password: password?,
            identity,
        })
    }

    /// Returns when the certificate stops working, if there is one.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.identity.as_ref().map(Identity::not_after)
    }
}

/// Shows no name either: it is often somebody's address.
impl fmt::Debug for SoapCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SoapCredentials")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

const fn place(fault: IdentityFault) -> &'static str {
    match fault {
        IdentityFault::Certificate => "certificate",
        IdentityFault::PrivateKey | IdentityFault::Mismatch => "privateKey",
    }
}

/// Accepts what can stand in a message as it is.
fn word(text: &str) -> Result<Box<str>, String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST && is_plain(text);
    fits.then(|| text.into())
        .ok_or_else(|| format!("must be 1 to {LONGEST} characters, and none of them a control character"))
}

/// Accepts the currency of an entity; amounts in files have two decimals.
pub(in crate::adapters::xledger) fn home_currency(text: &str) -> Result<Currency, String> {
    let currency = Currency::try_from(text.to_owned()).map_err(|error| error.to_string())?;
    match currency.scale() {
        2 => Ok(currency),
        _ => Err("must be a currency with two decimals, such as NOK".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adapters::xledger::gl02xml::More;

    macro_rules! pem {
        ($name:literal) => {
            include_str!(concat!("../../../../../tests/certificates/", $name, ".pem"))
        };
    }

    fn read(settings: &Value, credentials: &Value) -> Result<SoapAccount, Vec<FieldError>> {
        SoapAccount::read(settings, credentials, &Exceptions::none())
    }

    fn credentials() -> Value {
        json!({
            "user": "webservice", "password": "canary-password",
            "certificate": pem!("application"), "privateKey": pem!("application.key"),
        })
    }

    #[test]
    fn what_is_left_out_is_that_of_the_live_service_in_norway() {
        let account = read(&json!({}), &credentials()).unwrap();
        let settings = &account.settings;
        assert_eq!(
            settings.authentication.as_str(),
            "https://ws.xledger.net/WS/Common/Lib/Authentication.asmx"
        );
        assert_eq!(
            settings.upload.as_str(),
            "https://ws.xledger.net/WS/Common/Lib/FileUpload.asmx"
        );
        assert_eq!(
            (&*settings.application, settings.currency().as_str()),
            ("XLEDGER", "NOK")
        );
        assert_eq!(settings.elements, Elements::default());
        assert!(account.credentials.expires_at().is_some());
        let demo = read(
            &json!({ "baseUrl": "https://wsdemo.xledger.net" }),
            &credentials(),
        )
        .unwrap();
        assert_eq!(&*demo.settings.application, "XLEDGERDEMO");
    }

    #[test]
    fn everything_can_be_said() {
        let settings = json!({
            "baseUrl": "https://wsdemo.xledger.net", "uploadUrl": "https://ws.xledger.net", "application": "OTHER",
            "currency": "SEK", "elements": { "subledger": "SubledgerNo" },
        });
        let settings = read(&settings, &credentials()).unwrap().settings;
        assert_eq!(settings.upload.host_str(), Some("ws.xledger.net"));
        assert_eq!(settings.elements.get(More::Subledger), Some("SubledgerNo"));
        assert_eq!(
            (&*settings.application, settings.currency().as_str()),
            ("OTHER", "SEK")
        );
    }

    #[test]
    fn every_fault_is_told_at_once_and_nothing_of_what_is_secret() {
        let settings = json!({
            "baseUrl": "https://evil.example", "currency": "ISK", "application": "a\nb", "extra": 1,
            "elements": { "subledger": "Account", "taxRule": "<x>", "project": "P", "glObject2": "P", "other": "O" },
        });
        let credentials = json!({
            "password": "canary-password\n", "certificate": pem!("application"), "privateKey": pem!("other.key"),
        });
        let faults = read(&settings, &credentials).unwrap_err();
        let mut fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        fields.sort_unstable();
        assert_eq!(
            fields,
            [
                "credentials.soap.password",
                "credentials.soap.privateKey",
                "credentials.soap.user",
                "settings.soap.application",
                "settings.soap.baseUrl",
                "settings.soap.currency",
                "settings.soap.elements.other",
                "settings.soap.elements.project",
                "settings.soap.elements.subledger",
                "settings.soap.elements.taxRule",
                "settings.soap.extra",
            ]
        );
        assert!(!format!("{faults:?}").contains("canary"));
    }

    #[test]
    fn a_certificate_comes_with_its_key_or_not_at_all() {
        let without = |name: &str| {
            let mut credentials = credentials();
            credentials.as_object_mut().unwrap().remove(name);
            read(&json!({}), &credentials)
        };
        for (left_out, told) in [("certificate", "certificate"), ("privateKey", "privateKey")] {
            let faults = without(left_out).unwrap_err();
            assert_eq!(faults[0].field, format!("credentials.soap.{told}"));
        }
        let none = json!({ "user": "webservice", "password": "canary-password" });
        assert_eq!(read(&json!({}), &none).unwrap().credentials.expires_at(), None);
    }

    #[test]
    fn nothing_of_the_credentials_is_shown() {
        let shown = format!("{:?}", read(&json!({}), &credentials()).unwrap());
        assert!(
            !shown.contains("canary") && !shown.contains("webservice") && !shown.contains("BEGIN"),
            "{shown}"
        );
    }
}
