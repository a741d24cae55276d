//! Changes the credentials of an integration once they were seen to work; until then the ones that it has are used.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 claim | the right to change it | nobody may change it for four minutes | the right runs out |
//! | 2 pending | the credentials, beside those that are current | a version that nobody reads | the next rotation takes its place |
//! | 3 proven | for a person's sign-in, the tokens that it brought | as 2 | as 2 |
//! | 4 promoted | they are current | an integration that may still be marked as refused | the caller repeats the request |
//! | 5 row | integration, when its credentials expire, audit row and the right given back, in one transaction | – | – |

use std::fmt::Debug;

use async_trait::async_trait;
use secrecy::SecretString;

use super::change::{self, ChangeError, Claim, LONG_LEASE, Precondition};
use super::{Integration, State, Stored, Vault, audit, expiry, integration_key, read};
use crate::adapter::Finding;
use crate::adapters;
use crate::flow::{Ports, schedule};
use crate::model::IntegrationId;
use crate::secrets::Secret;
use crate::store::{Content, Expect, StoreError, Write};

/// Sees whether credentials work.
#[async_trait]
pub trait Prove: Debug + Send + Sync + 'static {
    /// Asks the system with credentials that are not current, and returns what does not work; nothing, where all does.
    async fn prove(&self, integration: &Integration, secret: &Secret) -> Vec<Finding>;
}

/// Why credentials were not changed.
#[derive(Debug, thiserror::Error)]
pub enum RotateError {
    /// As for any change.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// They do not work.
    #[error("the credentials do not work")]
    Refused(Vec<Finding>),
}

impl From<StoreError> for RotateError {
    fn from(error: StoreError) -> Self {
        Self::Change(error.into())
    }
}

/// Changes the credentials of an integration; what does not work leaves it as it was.
///
/// # Errors
///
/// `Refused`; `Unknown`, `Invalid`, `InProgress`, `NotIn`, and those of the ports.
pub async fn rotate(
    ports: &Ports,
    vault: &Vault,
    prove: &dyn Prove,
    id: &IntegrationId,
    credentials: &SecretString,
    by: &str,
) -> Result<Stored, RotateError> {
    adapters::check_credentials(id.system, credentials).map_err(ChangeError::Invalid)?;
    let store = &*ports.store;
    let claim = Claim::take_for(store, id, by, ports.now(), LONG_LEASE).await?;
    let rotated = rotate_claimed(ports, vault, prove, (id, credentials, by), &claim).await;
    if rotated.is_err() {
        claim.abandon(store).await;
    } else {
        schedule::wake(ports, id).await?;
    }
    rotated
}

async fn rotate_claimed(
    ports: &Ports,
    vault: &Vault,
    prove: &dyn Prove,
    (id, credentials, by): (&IntegrationId, &SecretString, &str),
    claim: &Claim,
) -> Result<Stored, RotateError> {
    let stored = read(&*ports.store, id).await?;
    change::check(stored.as_ref(), Precondition::None)?;
    let mut stored = stored.ok_or_else(|| ChangeError::Unknown(id.clone()))?;
    let pending = vault
        .put_pending(id, credentials)
        .await
        .map_err(ChangeError::from)?;
    let findings = prove.prove(&stored.integration, &pending).await;
    if !findings.is_empty() {
        if let Err(error) = vault.withdraw(id, &pending).await {
            tracing::warn!(integration.id = %id, %error, "left credentials pending that do not work");
        }
        return Err(RotateError::Refused(findings));
    }
    vault.promote(id, &pending).await.map_err(ChangeError::from)?;
    loop {
        let mut writes = writes(ports, &mut stored, credentials, by, claim);
        let (end, now) = (stored.integration.credentials_expire_at, ports.now());
        writes.extend(expiry::follow(&*ports.store, id, end, now).await?);
        match ports.store.write(writes).await {
            Ok(()) => return Ok(stored),
            // Only the engine writes the row besides the holder of the claim; and what is told of their end.
            Err(StoreError::Refused { parts }) if !parts.contains(&CLAIM) => {
                let now = read(&*ports.store, id).await?;
                stored = now.ok_or_else(|| ChangeError::Unknown(id.clone()))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The place of the claim in the transaction.
const CLAIM: usize = 2;

fn writes(
    ports: &Ports,
    stored: &mut Stored,
    credentials: &SecretString,
    by: &str,
    claim: &Claim,
) -> Vec<Write> {
    let (now, expect) = (ports.now(), Expect::Version(stored.version));
    let integration = &mut stored.integration;
    if integration.state == State::NeedsReauthorization {
        integration.state = State::Active;
    }
    integration.credentials_expire_at = adapters::credentials_expire_at(integration.id.system, credentials);
    integration.updated_at = now;
    stored.version += 1;
    let id = &stored.integration.id;
    vec![
        Write::put(integration_key(id), expect, Content::of(&stored.integration)),
        audit::write(id, by, "rotate_credentials", &["credentials"], now),
        claim.release(),
    ]
}
