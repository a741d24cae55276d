//! Says who calls the API: the administrator, by a token that is kept as a secret, or an integration system, by an
//! access token that it got with its credential.
//!
//! Every refusal looks the same and says nothing; what is not understood is refused.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::clock::Clock;
use crate::registry::{Admitted, Issuer, RegistryError, Scopes, admit};
use crate::secrets::{SecretError, Secrets};
use crate::store::Store;

/// How long a token that was read is believed.
const BELIEVED: Duration = Duration::from_secs(60);

/// How long nothing is asked after a token that did not match made us ask: guesses cost us no more than this.
const QUIET: Duration = Duration::from_secs(5);

/// The shortest token that is accepted as a secret: 256 bits in base64.
const MIN_TOKEN: usize = 43;

/// Whoever calls, as the API is told.
///
/// # Shape
///
/// `{"caller":"administrator","organizations":"*","scopes":"integration:read sync:trigger"}`, and for an integration
/// system `"caller":"integration-system:0f9b…"` with `"system":"0f9b…"`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The name that rows and logs carry.
    pub caller: String,
    /// The integration system, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<Uuid>,
    /// Which organizations the caller was let into, comma-separated; `*` is all.
    pub organizations: String,
    /// What the caller may do.
    pub scopes: Scopes,
}

impl Identity {
    /// The one who may do everything in every organization.
    #[must_use]
    pub fn administrator() -> Self {
        Self {
            caller: "administrator".to_owned(),
            system: None,
            organizations: "*".to_owned(),
            scopes: Scopes::administrator(),
        }
    }
}

impl From<Admitted> for Identity {
    fn from(admitted: Admitted) -> Self {
        let names = admitted.organizations.map(|names| {
            let names: Vec<String> = names.iter().map(ToString::to_string).collect();
            names.join(",")
        });
        Self {
            caller: format!("integration-system:{}", admitted.system),
            system: Some(admitted.system),
            organizations: names.unwrap_or_else(|| "*".to_owned()),
            scopes: admitted.scopes,
        }
    }
}

/// Why it could not be found out who calls; that is not the caller's doing.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The administrator's secret could not be read.
    #[error("the administrator's token could not be read")]
    Secret(#[from] SecretError),
    /// The administrator's secret holds no token of at least 43 characters.
    #[error("the administrator's secret holds no usable token")]
    Unusable,
    /// An access token could not be looked at, or its credential could not be looked up.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Knows the administrator's token, and whom to ask about others.
pub struct Doorkeeper {
    parts: Parts,
    name: String,
    known: RwLock<Option<Known>>,
}

/// What a doorkeeper works with.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Where the administrator's token is.
    pub secrets: Arc<dyn Secrets>,
    /// Where credentials are looked up.
    pub store: Arc<dyn Store>,
    /// Who knows access tokens.
    pub issuer: Arc<dyn Issuer>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

#[derive(Clone)]
struct Known {
    token: SecretString,
    read_at: Timestamp,
}

/// What the secret holds.
#[derive(Deserialize)]
struct Held {
    token: String,
}

impl fmt::Debug for Doorkeeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doorkeeper")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Doorkeeper {
    /// Knows the token that the secret of this name holds; reads it when it is first needed.
    pub fn new(parts: Parts, name: impl Into<String>) -> Self {
        let (name, known) = (name.into(), RwLock::default());
        Self { parts, name, known }
    }

    /// Says who sends these `Authorization` headers; `None` is nobody.
    ///
    /// An access token has a point in it, whoever issues it; the administrator's has none.
    ///
    /// # Errors
    ///
    /// Where it cannot be found out.
    pub async fn identify(&self, headers: &[&str]) -> Result<Option<Identity>, AuthorizeError> {
        let Some(presented) = bearer(headers) else {
            return Ok(None);
        };
        if presented.contains('.') {
            let (store, issuer) = (&*self.parts.store, &*self.parts.issuer);
            let admitted = admit(store, issuer, presented, self.parts.clock.now()).await?;
            return Ok(admitted.map(Identity::from));
        }
        let is_administrator = self.is_administrator(presented).await?;
        Ok(is_administrator.then(Identity::administrator))
    }

    /// A token that does not match is held against the secret once more, since it may just have been rotated.
    async fn is_administrator(&self, presented: &str) -> Result<bool, AuthorizeError> {
        let now = self.parts.clock.now();
        let known = match self
            .known()
            .filter(|known| now.duration_since(known.read_at).unsigned_abs() < BELIEVED)
        {
            Some(known) => known,
            None => self.read(now).await?,
        };
        if known.matches(presented) {
            return Ok(true);
        }
        if now.duration_since(known.read_at).unsigned_abs() < QUIET {
            return Ok(false);
        }
        Ok(self.read(now).await?.matches(presented))
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, now: Timestamp) -> Result<Known, AuthorizeError> {
        let secret = self.parts.secrets.get(&self.name).await?;
        let held: Held =
            serde_json::from_str(secret.value.expose_secret()).map_err(|_| AuthorizeError::Unusable)?;
        if held.token.len() < MIN_TOKEN {
            return Err(AuthorizeError::Unusable);
        }
        let known = Known {
            token: held.token.into(),
            read_at: now,
        };
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known.clone());
        Ok(known)
    }
}

impl Known {
    fn matches(&self, presented: &str) -> bool {
        self.token
            .expose_secret()
            .as_bytes()
            .ct_eq(presented.as_bytes())
            .into()
    }
}

/// Returns the token of the one bearer header that there is.
///
/// The gateway joins headers that come twice with a comma, which no token has.
fn bearer<'a>(headers: &[&'a str]) -> Option<&'a str> {
    let [header] = headers else { return None };
    let (scheme, token) = header.split_once(' ')?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
    let fits = scheme.eq_ignore_ascii_case("bearer") && !token.is_empty() && token.bytes().all(plain);
    fits.then_some(token)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::clock::ManualClock;
    use crate::registry::{
        CredentialRequest, Input, Issued, Registry, Tokens, delete_credential, issue_credential, register,
    };
    use crate::secrets::MemorySecrets;

    const TOKEN: &str = "canary0123456789012345678901234567890123456789";
    const OTHER: &str = "another123456789012345678901234567890123456789";

    struct Door {
        keeper: Doorkeeper,
        registry: Registry,
        tokens: Arc<Tokens>,
        secrets: Arc<MemorySecrets>,
        clock: Arc<ManualClock>,
    }

    impl Door {
        async fn new() -> Self {
            let secrets = Arc::new(MemorySecrets::new());
            let clock = Arc::new(ManualClock::new("2026-01-31T10:00:00Z".parse().unwrap()));
            let (registry, tokens) = Registry::in_memory(Arc::<ManualClock>::clone(&clock));
            let parts = Parts {
                secrets: Arc::<MemorySecrets>::clone(&secrets),
                store: Arc::clone(&registry.store),
                issuer: Arc::clone(&registry.issuer),
                clock: Arc::<ManualClock>::clone(&clock),
            };
            let door = Self {
                keeper: Doorkeeper::new(parts, "admin"),
                registry,
                tokens,
                secrets,
                clock,
            };
            door.rotate(TOKEN).await;
            door
        }

        /// Returns a token of a new integration system, limited to some organizations.
        async fn token(&self, organizations: &[&str]) -> (Issued, String) {
            let input = Input {
                name: "platform".to_owned(),
                description: None,
            };
            let system = register(&self.registry, input, "administrator").await.unwrap();
            let names = organizations.iter().map(|name| name.parse().unwrap());
            let request = CredentialRequest {
                system: system.id,
                scopes: Scopes::integration_system(),
                organizations: Some(names.collect()).filter(|names: &BTreeSet<_>| !names.is_empty()),
                expires_at: None,
                by: "administrator".to_owned(),
            };
            let issued = issue_credential(&self.registry, request).await.unwrap();
            let scopes = "sync:trigger".parse().unwrap();
            let now = self.clock.now();
            let token = self
                .tokens
                .issue(issued.credential.id, scopes, now)
                .await
                .unwrap();
            (issued, token.expose_secret().to_owned())
        }

        async fn rotate(&self, token: &str) {
            let value = serde_json::json!({ "token": token }).to_string().into();
            let version = uuid::Uuid::new_v4().to_string();
            self.secrets.put("admin", &value, &version).await.unwrap();
        }

        async fn admits(&self, token: &str) -> bool {
            let header = format!("Bearer {token}");
            self.keeper.identify(&[&header]).await.unwrap().is_some()
        }
    }

    #[tokio::test]
    async fn the_one_token_opens_the_door() {
        let door = Door::new().await;
        assert!(door.admits(TOKEN).await);
        assert!(!door.admits(OTHER).await);
        let lower = format!("bearer {TOKEN}");
        assert_eq!(
            door.keeper.identify(&[&lower]).await.unwrap(),
            Some(Identity::administrator())
        );
    }

    #[tokio::test]
    async fn what_is_not_one_plain_bearer_token_opens_nothing() {
        let door = Door::new().await;
        let bearer = format!("Bearer {TOKEN}");
        let twice = format!("{bearer}, {bearer}");
        let longer = format!("{bearer}x");
        let shorter = format!("Bearer {}", TOKEN.trim_end_matches('9'));
        for headers in [
            vec![],
            vec![""],
            vec!["Bearer"],
            vec!["Bearer "],
            vec![TOKEN],
            vec!["Basic YTpi"],
            vec![&bearer, &bearer],
            vec![&twice],
            vec![&longer],
            vec![&shorter],
            vec!["Bearer \u{e5}"],
        ] {
            assert_eq!(door.keeper.identify(&headers).await.unwrap(), None, "{headers:?}");
        }
        let spaced = format!("Bearer  {TOKEN}");
        assert_eq!(door.keeper.identify(&[&spaced]).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_new_token_opens_the_door_at_once_and_the_old_one_not_for_long() {
        let door = Door::new().await;
        assert!(door.admits(TOKEN).await);
        door.rotate(OTHER).await;
        door.clock.advance(QUIET);
        assert!(door.admits(OTHER).await);
        assert!(!door.admits(TOKEN).await);
        door.rotate(TOKEN).await;
        door.clock.advance(BELIEVED);
        assert!(!door.admits(OTHER).await);
    }

    #[tokio::test]
    async fn a_secret_that_cannot_be_used_lets_nobody_in() {
        let door = Door::new().await;
        for token in ["", "short"] {
            door.rotate(token).await;
            assert!(door.keeper.identify(&["Bearer short"]).await.is_err());
        }
        door.secrets.delete("admin").await.unwrap();
        assert!(door.keeper.identify(&[&format!("Bearer {TOKEN}")]).await.is_err());
    }

    #[tokio::test]
    async fn the_token_does_not_show_in_debug_output() {
        let door = Door::new().await;
        door.admits(TOKEN).await;
        assert!(!format!("{:?}", door.keeper).contains("canary"));
    }

    #[tokio::test]
    async fn an_integration_system_is_let_in_as_far_as_its_token_goes_and_until_its_credential_ends() {
        let door = Door::new().await;
        let (issued, token) = door.token(&["hlf", "other"]).await;
        let header = format!("Bearer {token}");
        let identity = door.keeper.identify(&[&header]).await.unwrap().unwrap();
        let system = issued.credential.system;
        assert_eq!(identity.caller, format!("integration-system:{system}"));
        assert_eq!(
            (identity.system, &*identity.organizations),
            (Some(system), "hlf,other")
        );
        assert_eq!(identity.scopes.to_string(), "sync:trigger");
        assert!(!door.admits(&format!("{token}A")).await);
        delete_credential(&door.registry, issued.credential.id, "administrator")
            .await
            .unwrap();
        assert!(!door.admits(&token).await);
    }

    #[tokio::test]
    async fn a_credential_without_a_limit_is_for_every_organization() {
        let door = Door::new().await;
        let (_, token) = door.token(&[]).await;
        let header = format!("Bearer {token}");
        let identity = door.keeper.identify(&[&header]).await.unwrap().unwrap();
        assert_eq!(identity.organizations, "*");
    }
}
