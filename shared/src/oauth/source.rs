//! Gives out the tokens of one credential: [the module](super) has the steps.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use uuid::Uuid;

use super::error::SIGN_IN;
use super::row::{self, Asking, KeptAccess, RefreshTokens, Stored, TokenRow};
use super::{
    AccessToken, Ask, Issued, Life, TokenCache, TokenEndpoint, TokenError, TokenErrorKind, TokenKey,
};
use crate::clock::Clock;
use crate::keys::{KeyError, Keys, Sealed, Sealer};
use crate::model::IntegrationId;
use crate::store::{Store, StoreError};

/// How long the right to ask lasts: more than an answer is waited for, so that nobody asks while one may still come.
const ASKING: SignedDuration = SignedDuration::from_secs(20);

/// The same where a refresh token is shown: two of them, one after the other, each with a minute for its answer.
const SPENDING: SignedDuration = SignedDuration::from_secs(150);

/// How long after the claim a refresh token may still be shown: its answer comes, or never will, before the right ends.
const LATEST: SignedDuration = SignedDuration::from_secs(75);

/// How soon somebody who waits for another's answer looks whether it has come, and how seldom in the end.
const POLL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(4));

/// How long a token is taken to be one that has just come.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);

/// How long another's answer is waited for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(20);

/// How often it is tried to keep an answer, and how long after the first time.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(100);

/// What stands behind the tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    /// The application's own credentials: to renew is to ask again.
    ClientCredentials,
    /// A person's sign-in: to renew is to show the refresh token.
    SignIn,
}

/// Where tokens are kept for all functions.
#[derive(Debug, Clone)]
pub struct SharedTokens {
    /// The tables.
    pub store: Arc<dyn Store>,
    /// What seals them.
    pub keys: Arc<dyn Keys>,
    /// Whether refresh tokens may be shown: only by who has the time to wait for the answer.
    pub spends: bool,
}

/// Gives out tokens.
#[derive(Clone)]
pub struct TokenSource {
    /// Under what they are kept.
    pub key: TokenKey,
    /// What stands behind them.
    pub grant: Grant,
    /// Whom they are asked from.
    pub endpoint: Arc<dyn TokenEndpoint>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where this process keeps them.
    pub cache: Arc<TokenCache>,
    /// Where all do; none where a credential is only tried.
    pub shared: Option<SharedTokens>,
}

/// How the tokens of an integration stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// How long the access token is good for.
    pub life: Life,
    /// When it is renewed ahead of its end.
    pub renew_at: Timestamp,
}

/// What is good enough.
#[derive(Debug, Clone, Copy)]
enum Want<'a> {
    /// A fresh token.
    Fresh,
    /// A fresh one that is not this.
    Other(&'a AccessToken),
    /// One that need not be renewed yet.
    Ahead,
    /// One of a later answer than this.
    After(u64),
    /// One that came to us, and to nobody else.
    Own,
}

/// Tokens that are good enough.
struct Settled {
    row: TokenRow,
    /// The access token, where it was opened, or has just come.
    access: Option<AccessToken>,
}

/// The right to ask.
struct Claimed {
    stored: Stored,
    since: Timestamp,
}

/// A refresh token that was taken, and what came for it.
struct Shown {
    token: SecretString,
    is_newest: bool,
    issued: Issued,
}

/// An answer, as it is to be kept.
struct Kept {
    access: KeptAccess,
    /// The refresh tokens, where there are others now.
    refresh: Option<Sealed>,
    /// The access token itself.
    opened: SecretString,
}

impl TokenSource {
    /// Returns a fresh token, asking for one where there is none.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn token(&self) -> Result<Arc<AccessToken>, TokenError> {
        let ask = self.obtain(Want::Fresh);
        self.cache
            .obtain(&self.key, None, (&*self.clock, self.shared.is_none()), ask)
            .await
    }

    /// Returns another token than the one that was refused.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn renew(&self, refused: &Arc<AccessToken>) -> Result<Arc<AccessToken>, TokenError> {
        let ask = self.obtain(Want::Other(refused));
        self.cache
            .obtain(
                &self.key,
                Some(refused),
                (&*self.clock, self.shared.is_none()),
                ask,
            )
            .await
    }

    /// Renews the shared tokens, whether it is time to or not; what another asks for meanwhile counts.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn refresh(&self) -> Result<Standing, TokenError> {
        let shared = self.shared()?;
        let stored = row::read(&*shared.store, &self.key.integration).await?;
        let generation = stored.map_or(0, |stored| stored.row.generation);
        self.settle(shared, Want::After(generation)).await?.standing()
    }

    /// Renews the shared tokens by a request of its own, so that its credential is seen to work.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn prove(&self) -> Result<Standing, TokenError> {
        self.settle(self.shared()?, Want::Own).await?.standing()
    }

    /// Renews the shared tokens where it is time to.
    ///
    /// # Errors
    ///
    /// As the [`TokenErrorKind`]s say.
    pub async fn refresh_ahead(&self) -> Result<Standing, TokenError> {
        self.settle(self.shared()?, Want::Ahead).await?.standing()
    }

    /// Keeps what a person's sign-in has brought.
    ///
    /// # Errors
    ///
    /// `Malformed` where it cannot be renewed; those of the tables and the keys.
    pub async fn sign_in(&self, issued: Issued, asked_at: Timestamp) -> Result<Standing, TokenError> {
        let shared = self.shared()?;
        let Some(first) = &issued.refresh else {
            return Err(TokenError::malformed("the sign-in brought no refresh token"));
        };
        let tokens = RefreshTokens::first(first).to_secret();
        let refresh = self.sealer(shared, Context::Refresh).await?.seal(&tokens)?;
        let seals = self.sealer(shared, Context::Access).await?;
        let access = self.kept(&seals, &issued, asked_at)?;
        loop {
            let mut stored = self.read(shared).await?;
            stored.row.asking = None;
            stored.row.take(&access, Some(&refresh));
            match shared.store.write(vec![stored.write()]).await {
                Err(StoreError::Refused { .. }) => {}
                answer => {
                    answer?;
                    return Settled::of(stored.row).standing();
                }
            }
        }
    }

    fn shared(&self) -> Result<&SharedTokens, TokenError> {
        let none = || {
            TokenError::new(
                TokenErrorKind::Unavailable,
                "configuration",
                "the tokens are not shared",
            )
        };
        self.shared.as_ref().ok_or_else(none)
    }

    /// Returns a token that is good enough; while none can be had, one that is not over yet.
    async fn obtain(&self, want: Want<'_>) -> Result<AccessToken, TokenError> {
        let Some(shared) = &self.shared else {
            if self.grant == Grant::SignIn {
                return Err(unavailable("configuration", "the tokens are not shared"));
            }
            let now = self.clock.now();
            let Issued {
                access, expires_in, ..
            } = self.endpoint.ask(Ask::ClientCredentials).await?;
            let life = Life {
                asked_at: now,
                expires_in,
            };
            return Ok(AccessToken::new(access, life));
        };
        match self.settle(shared, want).await {
            Ok(Settled {
                access: Some(access), ..
            }) => Ok(access),
            Ok(Settled { row, .. }) => self.open(shared, &row).await,
            Err(error) if error.is_temporary() => self.ageing(shared, want).await.ok_or(error),
            Err(error) => Err(error),
        }
    }

    async fn ageing(&self, shared: &SharedTokens, want: Want<'_>) -> Option<AccessToken> {
        let row = self.read(shared).await.ok()?.row;
        let kept = self.own(&row)?;
        if !kept.life.is_usable(self.clock.now()) {
            return None;
        }
        let access = self.open(shared, &row).await.ok()?;
        let refused = matches!(want, Want::Other(refused) if refused.is(&access));
        (!refused).then_some(access)
    }

    /// Sees to it that the tokens are good enough.
    async fn settle(&self, shared: &SharedTokens, want: Want<'_>) -> Result<Settled, TokenError> {
        let (mut wait, begun) = (POLL.0, self.clock.now());
        loop {
            let now = self.clock.now();
            let stored = self.read(shared).await?;
            if let Some(settled) = self.enough(shared, &stored.row, want, now).await? {
                return Ok(settled);
            }
            if let Some(error) = stored.row.cooling(&self.key.secret_version, now) {
                return Err(error.clone());
            }
            if self.grant == Grant::SignIn && stored.row.own_refresh().is_none() {
                return Err(TokenError::new(
                    TokenErrorKind::Refused,
                    SIGN_IN,
                    "nobody has signed in yet: do so by `oauth/start`",
                ));
            }
            if self.grant == Grant::SignIn && !shared.spends {
                // One that has just come is no better for being renewed: the refusal is to be told.
                if matches!(want, Want::Other(_)) && self.is_young(&stored.row, now) {
                    return Ok(Settled::of(stored.row));
                }
                return Err(self.leave(shared, stored, now).await);
            }
            if stored.row.asked(now).is_some() {
                let ageing = self.own(&stored.row).is_some_and(|kept| kept.life.is_usable(now));
                if ageing && matches!(want, Want::Fresh | Want::Ahead) {
                    return Ok(Settled::of(stored.row));
                }
                // Whoever has waited for long has no time left to wait for an answer of its own.
                if now.duration_since(begun) > PATIENCE {
                    return Err(unavailable("sign_in", "another is renewing the token"));
                }
                self.clock.sleep(wait).await;
                wait = (wait * 2).min(POLL.1);
                continue;
            }
            let Some(claimed) = self.claim(shared, stored, now).await? else {
                continue;
            };
            if let Some(settled) = self.ask(shared, claimed).await? {
                return Ok(settled);
            }
        }
    }

    async fn read(&self, shared: &SharedTokens) -> Result<Stored, TokenError> {
        let TokenKey {
            integration,
            audience,
            ..
        } = &self.key;
        let stored = row::read(&*shared.store, integration).await?;
        let none = || Stored::new(integration.clone(), audience.clone());
        Ok(stored.unwrap_or_else(none).of_audience(audience))
    }

    /// Returns the access token that is kept, if it is one of this credential.
    fn own<'r>(&self, row: &'r TokenRow) -> Option<&'r KeptAccess> {
        let version = self.version();
        row.access.as_ref().filter(|kept| kept.secret_version == version)
    }

    /// Another secret, another token; but a person's sign-in outlives the application's secrets.
    fn version(&self) -> Option<String> {
        (self.grant == Grant::ClientCredentials).then(|| self.key.secret_version.clone())
    }

    async fn enough(
        &self,
        shared: &SharedTokens,
        row: &TokenRow,
        want: Want<'_>,
        now: Timestamp,
    ) -> Result<Option<Settled>, TokenError> {
        let Some(kept) = self.own(row) else {
            return Ok(None);
        };
        let enough = match want {
            Want::Fresh | Want::Other(_) => kept.life.is_fresh(now),
            Want::Ahead => row.renew_at.is_some_and(|at| now < at),
            Want::After(generation) => row.generation > generation,
            Want::Own => false,
        };
        if !enough {
            return Ok(None);
        }
        let mut settled = Settled::of(row.clone());
        if let Want::Other(refused) = want {
            let access = self.unsealed(shared, kept).await?;
            if refused.is(&access) {
                return Ok(None);
            }
            settled.access = Some(access);
        }
        Ok(Some(settled))
    }

    fn is_young(&self, row: &TokenRow, now: Timestamp) -> bool {
        let kept = self.own(row);
        kept.is_some_and(|kept| now.duration_since(kept.life.asked_at) < YOUNG)
    }

    /// Has `token-refresh` do it, and says so.
    async fn leave(&self, shared: &SharedTokens, mut stored: Stored, now: Timestamp) -> TokenError {
        if !stored.row.is_due(now) {
            // What cools down is not what this credential is refused for.
            stored.row.failure = None;
            stored.row.renew_at = Some(now);
            if let Err(error) = shared.store.write(vec![stored.write()]).await {
                tracing::info!(?error, "another has changed the tokens");
            }
        }
        TokenError::new(
            TokenErrorKind::Unavailable,
            "sign_in",
            "the token is being renewed",
        )
    }

    /// Takes the right to ask, and writes down what may be spent: so the tables are seen to take writes.
    async fn claim(
        &self,
        shared: &SharedTokens,
        mut stored: Stored,
        now: Timestamp,
    ) -> Result<Option<Claimed>, TokenError> {
        let spends = self.grant == Grant::SignIn;
        let lasts = if spends { SPENDING } else { ASKING };
        let row = &mut stored.row;
        if let Some(before) = row.asking.take().filter(|before| before.spends) {
            tracing::warn!(integration.id = %row.integration, since = %before.since, "a refresh token was shown, and no answer is known");
            row.silent_since = Some(before.since);
        }
        row.asking = Some(Asking {
            attempt: Uuid::new_v4(),
            since: now,
            until: now.checked_add(lasts).unwrap_or(now),
            spends,
        });
        match shared.store.write(vec![stored.write()]).await {
            Err(StoreError::Refused { .. }) => Ok(None),
            answer => {
                answer?;
                stored.version += 1;
                Ok(Some(Claimed { stored, since: now }))
            }
        }
    }

    /// Asks, and keeps the answer; none where another's counts.
    async fn ask(&self, shared: &SharedTokens, claimed: Claimed) -> Result<Option<Settled>, TokenError> {
        match self.issued(shared, &claimed).await {
            Ok(kept) => self.keep(shared, claimed, kept).await,
            Err(error) => self.fail(shared, claimed, error).await,
        }
    }

    /// Gets an answer, and seals it; what seals is at hand before anything is spent.
    async fn issued(&self, shared: &SharedTokens, claimed: &Claimed) -> Result<Kept, TokenError> {
        let seals_access = self.sealer(shared, Context::Access).await?;
        let asked_at = claimed.since;
        let (issued, refresh) = match self.grant {
            Grant::ClientCredentials => (self.endpoint.ask(Ask::ClientCredentials).await?, None),
            Grant::SignIn => {
                let seals_refresh = self.sealer(shared, Context::Refresh).await?;
                let Shown {
                    token,
                    is_newest,
                    issued,
                } = self.show(shared, claimed).await?;
                let newest = issued.refresh.as_ref();
                let next = newest.and_then(|newest| RefreshTokens::after(&token, newest));
                // The one before that works takes the place of a newest that does not.
                let tokens = next.or_else(|| (!is_newest).then(|| RefreshTokens::first(&token)));
                let sealed = tokens.map(|tokens| seals_refresh.seal(&tokens.to_secret()));
                (issued, sealed.transpose()?)
            }
        };
        Ok(Kept {
            access: self.kept(&seals_access, &issued, asked_at)?,
            refresh,
            opened: issued.access,
        })
    }

    /// Shows the newest refresh token, and the one before where the newest is refused: it may never have been good.
    async fn show(&self, shared: &SharedTokens, claimed: &Claimed) -> Result<Shown, TokenError> {
        let row = &claimed.stored.row;
        let sealed = row.own_refresh().ok_or_else(unreadable)?;
        let opened = shared.keys.open(&self.context(Context::Refresh), sealed).await?;
        let tokens = RefreshTokens::of_secret(&opened).ok_or_else(unreadable)?;
        let mut refused = unreadable();
        for (position, token) in tokens.in_order().into_iter().enumerate() {
            // Whoever was held still must not show what another may have spent meanwhile.
            if self.clock.now().duration_since(claimed.since) > LATEST {
                return Err(unavailable(
                    "sign_in",
                    "the right to show the refresh token has run out",
                ));
            }
            match self.endpoint.ask(Ask::Refresh(&token)).await {
                Ok(issued) => {
                    return Ok(Shown {
                        token,
                        is_newest: position == 0,
                        issued,
                    });
                }
                Err(error) if error.has_ended() => refused = error,
                Err(error) => return Err(error),
            }
            // Where another has come before us, its tokens are the ones that count.
            if row::read(&*shared.store, &row.integration)
                .await?
                .is_none_or(|now| now.version != claimed.stored.version)
            {
                break;
            }
        }
        Err(match row.silent_since {
            Some(since) => refused.after_silence(since),
            None => refused,
        })
    }

    /// Keeps an answer on the version that was claimed; one that comes late is kept if none was kept since.
    async fn keep(
        &self,
        shared: &SharedTokens,
        claimed: Claimed,
        kept: Kept,
    ) -> Result<Option<Settled>, TokenError> {
        let mut stored = claimed.stored;
        let before = stored.row.generation;
        stored.row.asking = None;
        let mut next = stored.clone();
        for tries in 0..TRIES {
            next = stored.clone();
            next.row.take(&kept.access, kept.refresh.as_ref());
            let written = shared.store.write(vec![next.write()]).await;
            let failure = match written {
                Ok(()) => return Ok(Some(kept.settles(next.row))),
                Err(StoreError::Refused { .. }) => {
                    match row::read(&*shared.store, &self.key.integration).await {
                        Ok(None) => {
                            return Err(unavailable(
                                "tables",
                                "the integration was disconnected meanwhile",
                            ));
                        }
                        // It is our own, and only the store's answer was lost; or another's, which counts.
                        Ok(Some(now)) if now.row.generation > before => return Ok(None),
                        Ok(Some(now)) => {
                            stored = now.of_audience(&self.key.audience);
                            continue;
                        }
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            tracing::warn!(error = %failure, tries, "an issued token is not kept yet");
            self.clock.sleep(PAUSE * 2_u32.pow(tries)).await;
        }
        tracing::error!(integration.id = %self.key.integration, "an issued token could not be kept");
        Ok(Some(kept.settles(next.row)))
    }

    /// Notes a failure, unless another was quicker; a token that may be spent stays claimed until no answer can come.
    async fn fail(
        &self,
        shared: &SharedTokens,
        claimed: Claimed,
        error: TokenError,
    ) -> Result<Option<Settled>, TokenError> {
        let Claimed { mut stored, since } = claimed;
        let spends = self.grant == Grant::SignIn;
        if spends && error.is_unanswered() {
            return Err(error);
        }
        if spends && error.kind() == TokenErrorKind::Malformed {
            stored.row.silent_since = Some(since);
        }
        stored.row.asking = None;
        stored
            .row
            .fail(error.clone(), &self.key.secret_version, self.clock.now());
        match shared.store.write(vec![stored.write()]).await {
            Err(StoreError::Refused { .. }) => Ok(None),
            answer => {
                if let Err(error) = answer {
                    tracing::warn!(%error, "a failure to get a token is not noted");
                }
                Err(error)
            }
        }
    }

    fn kept(&self, seals: &Sealer, issued: &Issued, asked_at: Timestamp) -> Result<KeptAccess, TokenError> {
        Ok(KeptAccess {
            sealed: seals.seal(&issued.access)?,
            life: Life {
                asked_at,
                expires_in: issued.expires_in,
            },
            scope: issued.scope.clone(),
            secret_version: self.version(),
        })
    }

    async fn sealer(&self, shared: &SharedTokens, what: Context) -> Result<Sealer, TokenError> {
        Ok(shared.keys.sealer(&self.context(what)).await?)
    }

    async fn open(&self, shared: &SharedTokens, row: &TokenRow) -> Result<AccessToken, TokenError> {
        let kept = row.access.as_ref().ok_or_else(unreadable)?;
        self.unsealed(shared, kept).await
    }

    async fn unsealed(&self, shared: &SharedTokens, kept: &KeptAccess) -> Result<AccessToken, TokenError> {
        let value = shared
            .keys
            .open(&self.context(Context::Access), &kept.sealed)
            .await?;
        Ok(AccessToken::new(value, kept.life))
    }

    fn context(&self, what: Context) -> String {
        what.of(&self.key.integration)
    }
}

/// What is sealed: functions that need one kind of token open no other.
#[derive(Debug, Clone, Copy)]
enum Context {
    Access,
    Refresh,
}

impl Context {
    fn of(self, id: &IntegrationId) -> String {
        match self {
            Self::Access => format!("access token of {id}"),
            Self::Refresh => format!("refresh token of {id}"),
        }
    }
}

impl Kept {
    /// What was asked for is there, whatever the tables say.
    fn settles(self, row: TokenRow) -> Settled {
        let access = Some(AccessToken::new(self.opened, self.access.life));
        Settled { row, access }
    }
}

impl Settled {
    const fn of(row: TokenRow) -> Self {
        Self { row, access: None }
    }

    fn standing(&self) -> Result<Standing, TokenError> {
        let kept = self.row.access.as_ref().ok_or_else(unreadable)?;
        Ok(Standing {
            life: kept.life,
            renew_at: self.row.renew_at.unwrap_or_else(|| kept.life.ends_at()),
        })
    }
}

fn unavailable(cause: &'static str, message: &'static str) -> TokenError {
    TokenError::new(TokenErrorKind::Unavailable, cause, message)
}

fn unreadable() -> TokenError {
    unavailable("tables", "the tokens that are kept cannot be read")
}

impl From<StoreError> for TokenError {
    fn from(error: StoreError) -> Self {
        tracing::warn!(%error, "the tables do not answer for the tokens");
        unavailable("tables", "the tokens cannot be read or kept")
    }
}

impl From<KeyError> for TokenError {
    fn from(error: KeyError) -> Self {
        tracing::warn!(%error, "the keys do not answer for the tokens");
        unavailable("keys", "the tokens cannot be sealed or opened")
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("key", &self.key)
            .field("grant", &self.grant)
            .finish_non_exhaustive()
    }
}
