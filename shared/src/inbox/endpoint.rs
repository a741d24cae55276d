//! Endpoints: where webhooks of one integration are sent to, and how their sender proves who it is.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::records::Records;
use crate::keys::{KeyError, Keys, Sealed};
use crate::model::{IdError, IntegrationId, OrganizationId};
use crate::store::{Key, Query, Row, Store, StoreError, Table};
use crate::webhook::{Scheme, Secrets};

/// How many random bytes tell endpoints apart: nobody guesses one.
const TOKEN: usize = 16;

/// Begins the place of every endpoint.
pub(crate) const PREFIX: &str = "webhook#";

/// The letters of that many bytes.
const LETTERS: usize = 22;

/// The name of an endpoint, which stands in its address: whose it is, and 128 random bits.
///
/// # Shape
///
/// `hlf.q83vEjRWeJCrze_-7dy6mA`
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EndpointId {
    /// The tenant.
    pub organization: OrganizationId,
    token: Box<str>,
}

/// An endpoint, as its row holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Its id.
    pub id: EndpointId,
    /// Whose records its webhooks are about.
    pub integration: IntegrationId,
    /// What people call it; unique within the integration.
    pub name: String,
    /// How its sender proves who it is.
    pub scheme: Scheme,
    /// Where in a body the rows are named, where the adapter does not know that by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<Records>,
    /// Whether this service registers it with the system, and sees to it that it stays so.
    #[serde(default)]
    pub registers: bool,
    /// How the registration stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registration: Option<Registration>,
    /// Whether it is closed, and only its registration is still to be ended.
    #[serde(default)]
    pub closing: bool,
    /// The secret, sealed.
    pub secret: Sealed,
    /// The digest of the secret, by which the same one is known where it cannot be opened.
    #[serde(default)]
    pub digest: String,
    /// The secret before it, while it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Previous>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotated_at: Option<Timestamp>,
}

/// A secret that another one takes the place of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    /// The secret, sealed.
    pub secret: Sealed,
    /// Until when it counts.
    pub until: Timestamp,
}

/// How a registration that this service keeps stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
    /// When it was last seen to be as it should be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen_at: Option<Timestamp>,
    /// When it last had to be mended, and what was wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mended_at: Option<Timestamp>,
    /// What was wrong then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mended: Vec<String>,
    /// Why it could not be looked at, or mended, the last time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// An endpoint with its row's version.
#[derive(Debug, Clone)]
pub struct StoredEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The version of its row.
    pub version: u64,
}

impl EndpointId {
    /// Makes a new one.
    ///
    /// # Errors
    ///
    /// Where the machine gives no random bits.
    pub fn new(organization: OrganizationId) -> Result<Self, getrandom::Error> {
        let mut bits = [0_u8; TOKEN];
        getrandom::fill(&mut bits)?;
        let token = URL_SAFE_NO_PAD.encode(bits).into();
        Ok(Self { organization, token })
    }

    /// Returns what tells it from the others of its organization.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }
}

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.organization, self.token)
    }
}

impl FromStr for EndpointId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || {
            IdError::new(
                "endpoint id",
                "the organization, '.', and 22 of A-Z, a-z, 0-9, '-' and '_'",
            )
        };
        let (organization, token) = text.split_once('.').ok_or_else(wrong)?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if token.len() != LETTERS || !token.bytes().all(plain) {
            return Err(wrong());
        }
        Ok(Self {
            organization: organization.parse()?,
            token: token.into(),
        })
    }
}

impl TryFrom<String> for EndpointId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<EndpointId> for String {
    fn from(id: EndpointId) -> Self {
        id.to_string()
    }
}

impl Endpoint {
    /// Returns where it is kept.
    #[must_use]
    pub fn key(&self) -> Key {
        endpoint_key(&self.integration, &self.id)
    }

    /// Returns the context in which its secrets are sealed.
    pub(super) fn context(&self) -> String {
        context(&self.integration, &self.id)
    }

    /// Opens its secrets; the one before only while it counts.
    ///
    /// # Errors
    ///
    /// Those of the keys.
    pub async fn secrets(&self, keys: &dyn Keys, now: Timestamp) -> Result<Secrets, KeyError> {
        let context = self.context();
        let current = keys.open(&context, &self.secret).await?;
        let mut opened = json!({ "current": current.expose_secret() });
        if let Some(previous) = self.previous.as_ref().filter(|previous| now < previous.until) {
            let secret = keys.open(&context, &previous.secret).await?;
            opened["previous"] = secret.expose_secret().into();
            opened["previousUntil"] = previous.until.to_string().into();
        }
        Secrets::read(&SecretString::from(opened.to_string())).map_err(|_| KeyError::Malformed)
    }

    /// Opens its secret.
    ///
    /// # Errors
    ///
    /// Those of the keys.
    pub async fn open_secret(&self, keys: &dyn Keys) -> Result<SecretString, KeyError> {
        keys.open(&self.context(), &self.secret).await
    }
}

/// Returns the context in which the secrets of an endpoint are sealed; a role names the systems that it may open them of.
pub(super) fn context(integration: &IntegrationId, id: &EndpointId) -> String {
    format!("webhook secret of {integration}/{}", id.token)
}

/// Returns what the places of an integration's endpoints begin with.
pub(crate) fn prefix(integration: &IntegrationId) -> String {
    format!("{PREFIX}{}#", integration.system)
}

/// Returns where an endpoint is kept.
#[must_use]
pub fn endpoint_key(integration: &IntegrationId, id: &EndpointId) -> Key {
    let sort = format!("{}{}", prefix(integration), id.token);
    Key::new(Table::Control, id.organization.as_str(), sort)
}

/// Reads an endpoint.
///
/// # Errors
///
/// Those of the store.
pub async fn read_endpoint(
    store: &dyn Store,
    integration: &IntegrationId,
    id: &EndpointId,
) -> Result<Option<StoredEndpoint>, StoreError> {
    if id.organization != integration.organization {
        return Ok(None);
    }
    let row = store.get(&[endpoint_key(integration, id)]).await?.pop().flatten();
    row.as_ref().map(StoredEndpoint::of).transpose()
}

/// Lists the endpoints of an integration: all of them, for there are few.
///
/// # Errors
///
/// Those of the store.
pub async fn list_endpoints(
    store: &dyn Store,
    integration: &IntegrationId,
) -> Result<Vec<StoredEndpoint>, StoreError> {
    let organization = integration.organization.as_str();
    let query = Query::new(Table::Control, organization, prefix(integration), 100);
    let page = store.query(&query).await?;
    page.rows.iter().map(StoredEndpoint::of).collect()
}

impl StoredEndpoint {
    pub(crate) fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            endpoint: row.decode()?,
            version: row.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_128_random_bits_and_says_whose_it_is() {
        let organization: OrganizationId = "hlf".parse().unwrap();
        let [one, other] = [(); 2].map(|()| EndpointId::new(organization.clone()).unwrap());
        assert_ne!(one, other);
        assert_eq!(URL_SAFE_NO_PAD.decode(one.token()).unwrap().len(), TOKEN);
        assert_eq!(one.to_string().parse::<EndpointId>().unwrap(), one);
        assert_eq!(one.organization, organization);
    }

    #[test]
    fn what_is_no_id_is_not_read_as_one() {
        for text in [
            "",
            "hlf",
            "hlf.",
            ".q83vEjRWeJCrze_-7dy6mA",
            "hlf.q83vEjRWeJCrze_-7dy6m",
            "hlf.q83vEjRWeJCrze_-7dy6mA/",
            "HLF.q83vEjRWeJCrze_-7dy6mA",
            "hlf.q83vEjRWeJCrze#-7dy6mA",
            "hlf.q83vEjRWeJCrze_-7dy6må",
            "../q83vEjRWeJCrze_-7dy6mA",
        ] {
            assert!(text.parse::<EndpointId>().is_err(), "{text}");
        }
    }
}
