//! Tokens that outlive one call: shared by the calls of a process that stays warm.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::{AccessToken, TokenError, TokenErrorKind};
use crate::clock::Clock;
use crate::model::IntegrationId;

/// For how long a credential that was refused is not tried again.
const COOL_DOWN: SignedDuration = SignedDuration::from_mins(5);

/// What a token is for; no two integrations ever share one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TokenKey {
    /// The integration.
    pub integration: IntegrationId,
    /// The version of its secret: another secret, another token.
    pub secret_version: String,
    /// Where and for what the token is asked: changed settings make old tokens worthless.
    pub audience: String,
}

/// Keeps tokens, and who is asking for them.
#[derive(Debug, Default)]
pub struct TokenCache(Mutex<HashMap<TokenKey, Arc<Entry>>>);

#[derive(Debug, Default)]
struct Entry {
    finished: AtomicU64,
    state: tokio::sync::Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Arc<AccessToken>>,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Failure {
    error: TokenError,
    /// Which attempt it ended; those who came while that was under way share its end.
    attempt: u64,
    /// Until when nobody tries again.
    until: Timestamp,
}

impl TokenCache {
    /// Returns a token that is fresh and not the refused one, asking for it where there is none; whether a failure is
    /// remembered here, or where all processes see it, the caller knows.
    ///
    /// # Errors
    ///
    /// What `ask` ended in, now or before a cool-down that is not over.
    pub async fn obtain(
        &self,
        key: &TokenKey,
        refused: Option<&Arc<AccessToken>>,
        (clock, cools): (&dyn Clock, bool),
        ask: impl Future<Output = Result<AccessToken, TokenError>> + Send,
    ) -> Result<Arc<AccessToken>, TokenError> {
        let entry = self.entry(key);
        let seen = entry.finished.load(Relaxed);
        let mut state = entry.state.lock().await;
        let now = clock.now();
        if let Some(known) = state.known(refused, seen, now) {
            return known;
        }
        let asked = ask.await;
        let attempt = entry.finished.fetch_add(1, Relaxed) + 1;
        state.keep(asked, attempt, now, cools)
    }

    /// Returns the entry of a key, and forgets those of the integration's earlier secrets and settings.
    fn entry(&self, key: &TokenKey) -> Arc<Entry> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !entries.contains_key(key) {
            entries.retain(|other, _| other.integration != key.integration);
        }
        Arc::clone(entries.entry(key.clone()).or_default())
    }
}

type Known = Result<Arc<AccessToken>, TokenError>;

impl State {
    /// Returns what need not be asked for.
    fn known(&mut self, refused: Option<&Arc<AccessToken>>, seen: u64, now: Timestamp) -> Option<Known> {
        self.token
            .take_if(|token| refused.is_some_and(|refused| refused.is(token)));
        if let Some(token) = self.token.as_ref().filter(|token| token.life().is_fresh(now)) {
            return Some(Ok(Arc::clone(token)));
        }
        let failure = self.failure.as_ref()?;
        (failure.until > now || failure.attempt > seen).then(|| self.fall_back(failure.error.clone(), now))
    }

    fn keep(
        &mut self,
        asked: Result<AccessToken, TokenError>,
        attempt: u64,
        now: Timestamp,
        cools: bool,
    ) -> Known {
        match asked {
            Ok(token) => {
                self.failure = None;
                Ok(Arc::clone(self.token.insert(Arc::new(token))))
            }
            Err(error) => {
                let until = if cools { quiet_until(&error, now) } else { now };
                self.failure = Some(Failure {
                    error: error.clone(),
                    attempt,
                    until,
                });
                self.fall_back(error, now)
            }
        }
    }

    /// Returns an ageing token while the server cannot be asked, rather than stopping for it.
    fn fall_back(&self, error: TokenError, now: Timestamp) -> Known {
        match &self.token {
            Some(token) if error.is_temporary() && token.life().is_usable(now) => Ok(Arc::clone(token)),
            _ => Err(error),
        }
    }
}

fn quiet_until(error: &TokenError, now: Timestamp) -> Timestamp {
    match error.kind() {
        TokenErrorKind::Refused => now.checked_add(COOL_DOWN).unwrap_or(now),
        TokenErrorKind::RateLimited { until } => until,
        TokenErrorKind::Unavailable | TokenErrorKind::Malformed => now,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::future::join_all;
    use secrecy::ExposeSecret;

    use super::*;
    use crate::clock::ManualClock;
    use crate::oauth::Life;

    struct Case {
        cache: TokenCache,
        clock: ManualClock,
        asked: AtomicU64,
    }

    fn case() -> Case {
        Case {
            cache: TokenCache::default(),
            clock: ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()),
            asked: AtomicU64::new(0),
        }
    }

    fn key(organization: &str, secret_version: &str) -> TokenKey {
        TokenKey {
            integration: format!("{organization}:dynamics365").parse().unwrap(),
            secret_version: secret_version.to_owned(),
            audience: String::new(),
        }
    }

    fn token(value: &str, asked_at: Timestamp) -> AccessToken {
        let expires_in = Some(3600);
        AccessToken::new(value.into(), Life { asked_at, expires_in })
    }

    fn error(kind: TokenErrorKind) -> TokenError {
        TokenError::new(kind, "system", "no")
    }

    impl Case {
        async fn get(&self, key: &TokenKey, refused: Option<&Arc<AccessToken>>) -> Known {
            self.ends_in(key, refused, None).await
        }

        async fn ends_in(
            &self,
            key: &TokenKey,
            refused: Option<&Arc<AccessToken>>,
            end: Option<TokenErrorKind>,
        ) -> Known {
            let ask = async {
                let number = self.asked.fetch_add(1, Relaxed);
                tokio::time::sleep(Duration::from_millis(5)).await;
                match end {
                    None => Ok(token(&number.to_string(), self.clock.now())),
                    Some(kind) => Err(error(kind)),
                }
            };
            self.cache.obtain(key, refused, (&self.clock, true), ask).await
        }

        fn asked(&self) -> u64 {
            self.asked.load(Relaxed)
        }
    }

    #[tokio::test]
    async fn a_hundred_cold_callers_make_one_request() {
        let (case, key) = (case(), key("hlf", "1"));
        let tokens = join_all((0..100).map(|_| case.get(&key, None))).await;
        assert!(tokens.iter().all(Result::is_ok));
        assert_eq!(case.asked(), 1);
    }

    #[tokio::test]
    async fn a_hundred_callers_share_a_failure_and_the_next_one_tries_again() {
        let (case, key) = (case(), key("hlf", "1"));
        let down = Some(TokenErrorKind::Unavailable);
        let ends = join_all((0..100).map(|_| case.ends_in(&key, None, down))).await;
        assert!(ends.iter().all(Result::is_err));
        assert_eq!(case.asked(), 1);
        assert!(case.get(&key, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_token_is_renewed_five_minutes_before_its_end() {
        let (case, key) = (case(), key("hlf", "1"));
        case.get(&key, None).await.unwrap();
        case.clock.advance(Duration::from_secs(3299));
        case.get(&key, None).await.unwrap();
        assert_eq!(case.asked(), 1);
        case.clock.advance(Duration::from_secs(1));
        case.get(&key, None).await.unwrap();
        assert_eq!(case.asked(), 2);
    }

    #[tokio::test]
    async fn many_who_were_refused_with_one_token_renew_it_once() {
        let (case, key) = (case(), key("hlf", "1"));
        let refused = case.get(&key, None).await.unwrap();
        let renewed = join_all((0..10).map(|_| case.get(&key, Some(&refused)))).await;
        assert!(
            renewed
                .iter()
                .all(|token| token.as_ref().unwrap().value().expose_secret() == "1")
        );
        assert_eq!(case.asked(), 2);
    }

    #[tokio::test]
    async fn a_refused_credential_is_left_alone_until_it_changes_or_has_cooled_down() {
        let (case, first) = (case(), key("hlf", "1"));
        let refused = Some(TokenErrorKind::Refused);
        assert!(case.ends_in(&first, None, refused).await.is_err());
        assert!(case.get(&first, None).await.is_err());
        assert_eq!(case.asked(), 1);
        assert!(case.get(&key("hlf", "2"), None).await.is_ok());
        assert!(case.ends_in(&first, None, refused).await.is_err());
        case.clock.advance(Duration::from_secs(300));
        assert!(case.get(&first, None).await.is_ok());
    }

    #[tokio::test]
    async fn a_token_that_ages_is_used_while_the_server_is_down() {
        let (case, key) = (case(), key("hlf", "1"));
        case.get(&key, None).await.unwrap();
        case.clock.advance(Duration::from_secs(3400));
        let down = Some(TokenErrorKind::Unavailable);
        assert!(case.ends_in(&key, None, down).await.is_ok());
        case.clock.advance(Duration::from_secs(200));
        assert!(case.ends_in(&key, None, down).await.is_err());
    }

    #[tokio::test]
    async fn one_organization_never_gets_the_token_of_another() {
        let case = case();
        let one = case.get(&key("hlf", "1"), None).await.unwrap();
        let other = case.get(&key("nhf", "1"), None).await.unwrap();
        assert_ne!(one.value().expose_secret(), other.value().expose_secret());
    }

    #[tokio::test]
    async fn nothing_that_is_shown_holds_a_token() {
        let (case, key) = (case(), key("hlf", "1"));
        let canary = async { Ok(token("canary", Timestamp::UNIX_EPOCH)) };
        let token = case
            .cache
            .obtain(&key, None, (&case.clock, true), canary)
            .await
            .unwrap();
        assert!(!format!("{token:?} {:?}", case.cache).contains("canary"));
    }
}
