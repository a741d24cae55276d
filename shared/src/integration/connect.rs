//! Connects an integration, or changes it.
//!
//! | step | written | a crash right after it leaves | mended by |
//! | --- | --- | --- | --- |
//! | 1 claim | the right to change it | nobody may change it for a minute | the right runs out |
//! | 2 secret | the credentials, where some were given | new credentials with the old settings | the caller repeats the request |
//! | 3 row | integration, when its credentials expire, audit row and the right given back, in one transaction | – | – |
//!
//! The secret goes first: a row says that there is an integration, and then its credentials must be there.

use jiff::Timestamp;
use secrecy::SecretString;
use uuid::Uuid;

use super::change::{self, ChangeError, Claim, Precondition};
use super::{Integration, State, Stored, Vault, Wanted, audit, expiry, integration_key, read};
use crate::adapters;
use crate::flow::{Ports, schedule};
use crate::model::{FieldError, IntegrationId, System};
use crate::registry::Managed;
use crate::store::{Content, Expect, Store, StoreError, Write};

/// What somebody asks for.
#[derive(Debug, Clone)]
pub struct Order {
    /// Which integration.
    pub id: IntegrationId,
    /// What it is to be.
    pub wanted: Wanted,
    /// Which version of it the caller has in mind.
    pub precondition: Precondition,
    /// Who asks.
    pub by: String,
    /// The integration system that asks, if one does: what it connects, it manages.
    pub system: Option<Uuid>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The integration as it is now.
    pub stored: Stored,
    /// Whether there was none before.
    pub created: bool,
}

/// Connects an integration, or changes it; one that is already as wanted is left as it is.
///
/// # Errors
///
/// `Invalid` where credentials are needed and were not given; `Precondition`, `InProgress`, `NotIn`, and those of the
/// ports.
pub async fn connect(ports: &Ports, vault: &Vault, order: &Order) -> Result<Connected, ChangeError> {
    let store = &*ports.store;
    let claim = Claim::take(store, &order.id, &order.by, ports.now()).await?;
    match change(ports, vault, order, &claim).await {
        Ok(Some(connected)) => {
            // It may have waited for its credentials.
            schedule::wake(ports, &order.id).await?;
            Ok(connected)
        }
        Ok(None) => {
            claim.abandon(store).await;
            as_it_is(store, &order.id).await
        }
        Err(error) => {
            claim.abandon(store).await;
            Err(error)
        }
    }
}

async fn as_it_is(store: &dyn Store, id: &IntegrationId) -> Result<Connected, ChangeError> {
    let stored = read(store, id)
        .await?
        .ok_or_else(|| ChangeError::Unknown(id.clone()))?;
    Ok(Connected {
        stored,
        created: false,
    })
}

/// Returns `None` where nothing is to be changed.
async fn change(
    ports: &Ports,
    vault: &Vault,
    order: &Order,
    claim: &Claim,
) -> Result<Option<Connected>, ChangeError> {
    let mut stored = read(&*ports.store, &order.id).await?;
    change::check(stored.as_ref(), order.precondition)?;
    if let Some(stored) = &stored {
        adapters::check_move(
            order.id.system,
            &stored.integration.settings,
            &order.wanted.settings,
        )
        .map_err(ChangeError::Invalid)?;
    }
    order.check_system(stored.as_ref())?;
    // What is refused is refused before the credentials are changed.
    order.managed(&*ports.store, stored.as_ref()).await?;
    let credentials = needed(order.id.system, stored.as_ref(), &order.wanted)?;
    if let Some(credentials) = credentials {
        vault.put(&order.id, credentials).await?;
    }
    loop {
        let next = order.applied(stored.as_ref(), ports.now());
        let parts = parts(stored.as_ref(), &next, credentials.is_some());
        if parts.is_empty() {
            return Ok(None);
        }
        match keep(&*ports.store, order, stored.as_ref(), next, &parts, claim).await {
            // Only the engine writes the row besides the holder of the claim: its word on the state is taken over. A
            // system that is to manage it may have changed meanwhile.
            Err(ChangeError::Store(StoreError::Refused { parts })) if !parts.contains(&CLAIM) => {
                let was = stored.is_some();
                stored = read(&*ports.store, &order.id).await?;
                change::check(stored.as_ref(), Precondition::None)?;
                if was && stored.is_none() {
                    return Err(ChangeError::Unknown(order.id.clone()));
                }
            }
            answer => return answer.map(Some),
        }
    }
}

/// Whatever was there without credentials has none that it could go on with.
fn needed<'a>(
    system: System,
    stored: Option<&Stored>,
    wanted: &'a Wanted,
) -> Result<Option<&'a SecretString>, ChangeError> {
    let needs = |settings: &serde_json::Value| adapters::needs_credentials(system, settings);
    let had = stored.is_some_and(|stored| needs(&stored.integration.settings));
    if needs(&wanted.settings) && !had && wanted.credentials.is_none() {
        let error = FieldError::new("credentials", "is required to connect");
        return Err(ChangeError::Invalid(vec![error]));
    }
    Ok(wanted.credentials.as_ref())
}

/// The place of the claim in the transaction.
const CLAIM: usize = 1;

async fn keep(
    store: &dyn Store,
    order: &Order,
    before: Option<&Stored>,
    next: Integration,
    parts: &[&'static str],
    claim: &Claim,
) -> Result<Connected, ChangeError> {
    let version = before.map_or(0, |stored| stored.version);
    let expect = before.map_or(Expect::Absent, |stored| Expect::Version(stored.version));
    let did = if before.is_none() { "connect" } else { "change" };
    let managed = order.managed(store, before).await?;
    let mut writes = vec![
        Write::put(integration_key(&order.id), expect, Content::of(&next)),
        claim.release(),
        audit::write(&order.id, &order.by, did, parts, next.updated_at),
    ];
    writes.extend(managed.writes());
    if order.wanted.credentials.is_some() {
        let expires_at = next.credentials_expire_at;
        writes.extend(expiry::follow(store, &order.id, expires_at, next.updated_at).await?);
    }
    store.write(writes).await?;
    let stored = Stored {
        integration: next,
        version: version + 1,
    };
    Ok(Connected {
        stored,
        created: before.is_none(),
    })
}

impl Order {
    /// Returns the integration as it is to be.
    fn applied(&self, before: Option<&Stored>, now: Timestamp) -> Integration {
        let wanted = self.wanted.clone();
        let before = before.map(|stored| &stored.integration);
        Integration {
            id: self.id.clone(),
            display_name: wanted.display_name,
            integration_system_id: self.integration_system(before),
            state: self.state(before),
            direction: wanted.direction,
            conflict_rules: wanted.conflict_rules,
            mapping_version: self.mapping_version(before, now),
            excluded_groups: wanted.excluded_groups,
            delete_guard: wanted.delete_guard,
            settings: wanted.settings,
            credentials_expire_at: self.credentials_expire_at(before),
            created_at: before.map_or(now, |before| before.created_at),
            updated_at: now,
        }
    }

    /// Returns the integration system that is to manage it: the one that connects it, where nobody says otherwise.
    fn integration_system(&self, before: Option<&Integration>) -> Option<Uuid> {
        let stays = before.map_or(self.system, |before| before.integration_system_id);
        self.wanted.integration_system.unwrap_or(stays)
    }

    /// Returns the writes by which it passes to the integration system that is to manage it.
    async fn managed(&self, store: &dyn Store, before: Option<&Stored>) -> Result<Managed, ChangeError> {
        let before = before.map(|stored| &stored.integration);
        let was = before.and_then(|before| before.integration_system_id);
        Ok(Managed::pass(store, &self.id, (was, self.integration_system(before))).await?)
    }

    /// An integration system speaks for itself only.
    fn check_system(&self, before: Option<&Stored>) -> Result<(), ChangeError> {
        let before = before.map(|stored| &stored.integration);
        let was = before.and_then(|before| before.integration_system_id);
        let is = self.integration_system(before);
        let own = |system: Option<Uuid>| system.is_none_or(|system| Some(system) == self.system);
        if self.system.is_none() || was == is || (own(was) && own(is)) {
            return Ok(());
        }
        let error = FieldError::new(
            "integrationSystemId",
            "must be your own, and take the integration from no other",
        );
        Err(ChangeError::Invalid(vec![error]))
    }

    fn credentials_expire_at(&self, before: Option<&Integration>) -> Option<Timestamp> {
        match &self.wanted.credentials {
            _ if !adapters::needs_credentials(self.id.system, &self.wanted.settings) => None,
            Some(credentials) => adapters::credentials_expire_at(self.id.system, credentials),
            None => before.and_then(|before| before.credentials_expire_at),
        }
    }

    /// A new credential, or none where none is needed any more, is taken to work until the system says otherwise.
    fn state(&self, before: Option<&Integration>) -> State {
        match before.map(|before| before.state) {
            None => State::Active,
            Some(State::NeedsReauthorization)
                if self.wanted.credentials.is_some()
                    || !adapters::needs_credentials(self.id.system, &self.wanted.settings) =>
            {
                State::Active
            }
            Some(state) => state,
        }
    }

    /// It begins with the time, so that no cursor of an integration that was disconnected is ever taken for one of this.
    fn mapping_version(&self, before: Option<&Integration>, now: Timestamp) -> u32 {
        let Some(before) = before else {
            return u32::try_from(now.as_second()).unwrap_or(1);
        };
        // What was not sent while nothing was sent is found by comparing everything once more.
        let same = before.settings == self.wanted.settings
            && before.excluded_groups == self.wanted.excluded_groups
            && before.direction == self.wanted.direction;
        before.mapping_version + u32::from(!same)
    }
}

/// Names what is changed, for the audit.
fn parts(before: Option<&Stored>, next: &Integration, credentials: bool) -> Vec<&'static str> {
    let before = before.map(|stored| &stored.integration);
    let differs =
        |same: fn(&Integration, &Integration) -> bool| before.is_none_or(|before| !same(before, next));
    let all = [
        (
            "displayName",
            differs(|one, other| one.display_name == other.display_name),
        ),
        (
            "integrationSystemId",
            differs(|one, other| one.integration_system_id == other.integration_system_id),
        ),
        (
            "direction",
            differs(|one, other| one.direction == other.direction),
        ),
        (
            "conflictRules",
            differs(|one, other| one.conflict_rules == other.conflict_rules),
        ),
        (
            "excludedGroups",
            differs(|one, other| one.excluded_groups == other.excluded_groups),
        ),
        (
            "deleteGuard",
            differs(|one, other| one.delete_guard == other.delete_guard),
        ),
        ("settings", differs(|one, other| one.settings == other.settings)),
        ("credentials", credentials),
    ];
    all.into_iter()
        .filter(|(_, changed)| *changed)
        .map(|(name, _)| name)
        .collect()
}
