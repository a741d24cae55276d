//! An integration: one organization's configured link to one system.

pub(crate) mod audit;
mod change;
mod connect;
mod disconnect;
mod expiry;
mod forget;
mod pause;
mod reauthorize;
mod rotate;
mod row;
mod vault;
mod wanted;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use change::{ChangeError, Precondition};
pub use connect::{Connected, Order, connect};
pub use disconnect::{Disconnected, disconnect};
pub(crate) use expiry::{PREFIX as EXPIRY, announce, before};
pub use pause::{pause, resume};
pub use reauthorize::{authorized, needs_reauthorization};
pub use rotate::{Prove, RotateError, rotate};
pub use row::{Stored, integration_key, list, read};
pub use vault::Vault;
pub use wanted::Wanted;

use crate::adapters;
use crate::model::{Group, IntegrationId, Kind};

/// Which way records travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the system to the platform only.
    Pull,
    /// Both ways.
    #[default]
    Both,
}

/// Who wins when both sides changed the same group of a record since they last agreed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictRule {
    /// The outside system.
    #[default]
    ExternalWins,
    /// The platform.
    PlatformWins,
    /// The side that changed the record last, by its own clock; the outside system where that is not known.
    NewestWins,
    /// A human.
    Review,
}

/// How many deletions a run makes without asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DeleteGuard {
    /// More than this share of the linked records, in whole per cent …
    pub percent: u8,
    /// … and more than this many rows, and a human decides.
    pub rows: u32,
}

impl Default for DeleteGuard {
    fn default() -> Self {
        Self {
            percent: 10,
            rows: 20,
        }
    }
}

/// Whether an integration works, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Runs may be started.
    #[default]
    Active,
    /// An operator has paused it.
    Paused,
    /// Its credential no longer works.
    NeedsReauthorization,
    /// It is being disconnected: nothing may be started.
    Disconnecting,
}

impl State {
    /// Returns the name that the API and rows use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::NeedsReauthorization => "needs_reauthorization",
            Self::Disconnecting => "disconnecting",
        }
    }
}

/// What an organization has configured for one system; its credentials are kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Which integration.
    pub id: IntegrationId,
    /// What people call it.
    pub display_name: String,
    /// The integration system that manages it, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integration_system_id: Option<Uuid>,
    /// Whether it works.
    pub state: State,
    /// Which way records travel.
    pub direction: Direction,
    /// Who wins, by group; `external_wins` where a group is not named.
    #[serde(default)]
    pub conflict_rules: BTreeMap<Group, ConflictRule>,
    /// Groups that are neither read nor written: another application owns them.
    #[serde(default)]
    pub excluded_groups: Vec<Group>,
    /// How many deletions pass without asking.
    pub delete_guard: DeleteGuard,
    /// The adapter's own settings, as it checked them when they came.
    pub settings: serde_json::Value,
    /// Changes whenever the configuration does in a way that makes old cursors worthless.
    pub mapping_version: u32,
    /// When its credentials stop working, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_expire_at: Option<Timestamp>,
    /// When it was connected.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Integration {
    /// Returns the rule for a group.
    #[must_use]
    pub fn rule(&self, group: Group) -> ConflictRule {
        self.conflict_rules.get(&group).copied().unwrap_or_default()
    }

    /// Says whether the integration keeps any of these kinds of record equal.
    #[must_use]
    pub fn keeps(&self, kinds: &[Kind]) -> bool {
        let kept = adapters::kinds(self.id.system, &self.settings);
        kept.iter().any(|kind| kinds.contains(kind))
    }

    /// Says whether the integration keeps books, so that reimbursements are exported to it.
    #[must_use]
    pub const fn keeps_books(&self) -> bool {
        self.id.system.keeps_books()
    }

    /// Says whether another application owns the group.
    #[must_use]
    pub fn excludes(&self, group: Group) -> bool {
        self.excluded_groups.contains(&group)
    }
}
