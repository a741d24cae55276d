//! Renews tokens: those that end soon, by the clock, and any on request.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;
use serde::Serialize;
use url::Url;

use super::Ports;
use crate::adapters;
use crate::integration::{self, Integration, State, Stored};
use crate::model::IntegrationId;
use crate::oauth::{self, Standing, TokenError, TokenErrorKind, TokenRow, TokenSource};
use crate::store::{Due, Expect, Key, StoreError, Write};

/// How many rows are looked at in one go.
const BATCH: usize = 1_000;

/// How many at once: most of the time is spent waiting for sign-in servers.
const AT_ONCE: usize = 32;

/// How an application is known to its sign-in server.
#[derive(Debug, Clone)]
pub struct Registration {
    /// Where its tokens come from.
    pub tokens: TokenSource,
    /// How a person signs in for it; none where it signs in by itself.
    pub sign_in: Option<SignIn>,
}

/// What a browser is sent to the sign-in server with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Where.
    pub authorize: Url,
    /// The client id.
    pub client_id: String,
    /// What is asked for.
    pub scope: String,
}

/// Finds out how integrations sign in.
#[async_trait]
pub trait Registrations: Debug + Send + Sync + 'static {
    /// Returns how an integration signs in; nothing is sent.
    ///
    /// # Errors
    ///
    /// `Refused` where its credentials are of no use, `Malformed` where its settings are, `Unavailable` where they cannot be
    /// read.
    async fn registration(&self, integration: &Integration) -> Result<Registration, TokenError>;
}

/// What became of the rows that were due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refreshed {
    /// Tokens that are fresh now.
    pub fresh: u32,
    /// Integrations whose credential was refused.
    pub refused: u32,
    /// Rows that are not looked at any more before somebody needs a token.
    pub rested: u32,
    /// Rows that could not be dealt with this time.
    pub failed: u32,
}

/// Why tokens were not renewed on request.
#[derive(Debug, thiserror::Error)]
pub enum RefreshError {
    /// The organization has not connected the system.
    #[error("{0} is not connected")]
    Unknown(IntegrationId),
    /// It is being disconnected.
    #[error("the integration is being disconnected")]
    Disconnecting,
    /// No token was had.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The tables did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What became of one row.
enum Looked {
    Fresh,
    Refused,
    Rested,
}

/// Renews what ends soon; one row that fails does not keep the others waiting. What is not begun before `deadline` is
/// left to the next tick.
///
/// # Errors
///
/// If the tables do not say what is due.
pub async fn sweep(
    ports: &Ports,
    registrations: &dyn Registrations,
    deadline: Timestamp,
) -> Result<Refreshed, StoreError> {
    let due = ports.store.due(Due::Tokens, ports.now(), BATCH).await?;
    let look = async |key: Key| {
        let looked = AssertUnwindSafe(look(ports, registrations, &key))
            .catch_unwind()
            .await;
        match looked {
            Ok(Ok(looked)) => Some(looked),
            Ok(Err(error)) => {
                tracing::warn!(row = %key.sort, organization = %key.partition, %error, "could not renew");
                None
            }
            Err(_) => {
                tracing::error!(row = %key.sort, organization = %key.partition, "renewing panicked");
                None
            }
        }
    };
    let begun = stream::iter(due).take_while(|_| std::future::ready(ports.now() < deadline));
    let looked: Vec<Option<Looked>> = begun.map(look).buffer_unordered(AT_ONCE).collect().await;
    let mut refreshed = Refreshed::default();
    for looked in looked {
        *match looked {
            Some(Looked::Fresh) => &mut refreshed.fresh,
            Some(Looked::Refused) => &mut refreshed.refused,
            Some(Looked::Rested) => &mut refreshed.rested,
            None => &mut refreshed.failed,
        } += 1;
    }
    Ok(refreshed)
}

async fn look(ports: &Ports, registrations: &dyn Registrations, key: &Key) -> Result<Looked, RefreshError> {
    let row = ports.store.get(std::slice::from_ref(key)).await?.pop().flatten();
    let Some(oauth::Stored { row, version }) = row.map(oauth::Stored::try_from).transpose()? else {
        return Ok(Looked::Rested);
    };
    let as_of = ports.now();
    let stored = integration::read(&*ports.store, &row.integration).await?;
    let rest = |write: Write| async {
        match ports.store.write(vec![write]).await {
            // Somebody needs a token after all.
            Ok(()) | Err(StoreError::Refused { .. }) => Ok(Looked::Rested),
            Err(error) => Err(error.into()),
        }
    };
    let Some(Stored { integration, .. }) = stored else {
        return rest(Write::delete(key.clone(), Expect::Version(version))).await;
    };
    if !keeps_alive(&integration, &row) {
        return rest(row.at_rest(Expect::Version(version))).await;
    }
    let registration = registrations.registration(&integration).await;
    let renewed = match &registration {
        Ok(registration) => registration.tokens.refresh_ahead().await.map(drop),
        Err(error) => Err(error.clone()),
    };
    match renewed {
        Ok(()) => {
            // A failure that is over is not looked at for ever.
            if row.failure.is_some() {
                let mended = TokenRow { failure: None, ..row };
                rest(mended.write(Expect::Version(version))).await?;
            }
            Ok(Looked::Fresh)
        }
        Err(error) if error.kind() == TokenErrorKind::Refused => {
            integration::needs_reauthorization(ports, &integration.id, as_of, &error.to_string()).await?;
            rest(row.at_rest(Expect::Version(version))).await?;
            Ok(Looked::Refused)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says whether tokens are renewed though nobody needs one: a person's sign-in would end if it were not used.
fn keeps_alive(integration: &Integration, row: &TokenRow) -> bool {
    match integration.state {
        _ if !adapters::needs_credentials(integration.id.system, &integration.settings) => false,
        State::Active => true,
        State::Paused => row.refresh.is_some(),
        State::NeedsReauthorization | State::Disconnecting => false,
    }
}

/// Renews the tokens of an integration now; one whose credential works again is active again.
///
/// # Errors
///
/// `Unknown`, `Disconnecting`, `Token`, and those of the store.
pub async fn refresh(
    ports: &Ports,
    registrations: &dyn Registrations,
    id: &IntegrationId,
    by: &str,
) -> Result<Standing, RefreshError> {
    let as_of = ports.now();
    let integration = connected(ports, id).await?;
    let refreshed = match registrations.registration(&integration).await {
        Ok(registration) => registration.tokens.refresh().await,
        Err(error) => Err(error),
    };
    match refreshed {
        Ok(standing) => {
            integration::authorized(ports, id, by).await?;
            Ok(standing)
        }
        Err(error) => {
            if error.kind() == TokenErrorKind::Refused {
                integration::needs_reauthorization(ports, id, as_of, &error.to_string()).await?;
            }
            Err(error.into())
        }
    }
}

/// Returns an integration that is not being disconnected.
pub(super) async fn connected(ports: &Ports, id: &IntegrationId) -> Result<Integration, RefreshError> {
    let stored = integration::read(&*ports.store, id).await?;
    match stored.map(|stored| stored.integration) {
        None => Err(RefreshError::Unknown(id.clone())),
        Some(integration) if integration.state == State::Disconnecting => Err(RefreshError::Disconnecting),
        Some(integration) => Ok(integration),
    }
}
