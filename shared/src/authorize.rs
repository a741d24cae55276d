//! Says who calls the API: the administrator, by a token that is kept as a secret.
//!
//! Every refusal looks the same and says nothing; what is not understood is refused.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::clock::Clock;
use crate::secrets::{SecretError, Secrets};

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
/// `{"caller":"administrator","organizations":"*"}`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// The name that rows and logs carry.
    pub caller: &'static str,
    /// Which organizations the caller was let into; `*` is all.
    pub organizations: &'static str,
}

const ADMINISTRATOR: Identity = Identity {
    caller: "administrator",
    organizations: "*",
};

/// The token could not be read: nobody can be let in, and that is not the callers' doing.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// The secret could not be read.
    #[error("the administrator's token could not be read")]
    Secret(#[from] SecretError),
    /// The secret holds no token of at least 43 characters.
    #[error("the administrator's secret holds no usable token")]
    Unusable,
}

/// Knows the administrator's token.
pub struct Doorkeeper {
    secrets: Arc<dyn Secrets>,
    clock: Arc<dyn Clock>,
    name: String,
    known: RwLock<Option<Known>>,
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
    pub fn new(secrets: Arc<dyn Secrets>, clock: Arc<dyn Clock>, name: impl Into<String>) -> Self {
        let (name, known) = (name.into(), RwLock::default());
        Self {
            secrets,
            clock,
            name,
            known,
        }
    }

    /// Says who sends these `Authorization` headers; `None` is nobody.
    ///
    /// A token that does not match is held against the secret once more, since it may just have been rotated.
    ///
    /// # Errors
    ///
    /// Where the token is not known and cannot be read.
    pub async fn identify(&self, headers: &[&str]) -> Result<Option<Identity>, AuthorizeError> {
        let Some(presented) = bearer(headers) else {
            return Ok(None);
        };
        let now = self.clock.now();
        let known = match self
            .known()
            .filter(|known| now.duration_since(known.read_at).unsigned_abs() < BELIEVED)
        {
            Some(known) => known,
            None => self.read(now).await?,
        };
        if known.matches(presented) {
            return Ok(Some(ADMINISTRATOR));
        }
        if now.duration_since(known.read_at).unsigned_abs() < QUIET {
            return Ok(None);
        }
        Ok(self.read(now).await?.matches(presented).then_some(ADMINISTRATOR))
    }

    fn known(&self) -> Option<Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn read(&self, now: Timestamp) -> Result<Known, AuthorizeError> {
        let secret = self.secrets.get(&self.name).await?;
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
    use super::*;
    use crate::clock::ManualClock;
    use crate::secrets::MemorySecrets;

    const TOKEN: &str = "canary0123456789012345678901234567890123456789";
    const OTHER: &str = "another123456789012345678901234567890123456789";

    struct Door {
        keeper: Doorkeeper,
        secrets: Arc<MemorySecrets>,
        clock: Arc<ManualClock>,
    }

    impl Door {
        async fn new() -> Self {
            let secrets = Arc::new(MemorySecrets::new());
            let clock = Arc::new(ManualClock::new("2026-01-31T10:00:00Z".parse().unwrap()));
            let keeper = Doorkeeper::new(
                Arc::<MemorySecrets>::clone(&secrets),
                Arc::<ManualClock>::clone(&clock),
                "admin",
            );
            let door = Self {
                keeper,
                secrets,
                clock,
            };
            door.rotate(TOKEN).await;
            door
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
            Some(ADMINISTRATOR)
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
}
