//! Refresh tokens, in families.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use super::code::Stop;
use super::{Code, GrantFault, Rotation, Settings, digest, unguessable};

/// Words of a scope that name no system, and that every client may ask for.
pub(crate) const GENERAL: [&str; 4] = ["email", "offline_access", "openid", "profile"];

/// Describes all refresh tokens that descend from one sign-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Family {
    /// The family.
    pub id: Uuid,
    /// The app that the tokens were given to.
    pub client_id: String,
    /// The user who signed in.
    pub user: String,
    /// What the user agreed to, as it was asked.
    pub scope: String,
    /// How often tokens were had for a refresh token.
    pub refreshes: u64,
    /// Why no token of the family is good any more.
    pub revoked: Option<Revocation>,
    /// The [`digest`] of the token that was given last.
    pub newest: String,
}

/// Says why a family was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Revocation {
    /// A refresh token was used again.
    Reuse,
    /// The code that began the family was used again.
    CodeReuse,
    /// An operator withdrew the consent.
    Operator,
}

/// Keeps the families, and of each token its digest.
#[derive(Debug, Default)]
pub(super) struct Families {
    all: Vec<Family>,
    tokens: HashMap<String, Held>,
}

#[derive(Debug)]
struct Held {
    family: Uuid,
    /// When it was given or, where it is kept, used last.
    used_at: Timestamp,
    /// When another one first took its place.
    superseded_at: Option<Timestamp>,
}

impl Held {
    fn is_spent(&self, rotation: Rotation, now: Timestamp) -> bool {
        match (self.superseded_at, rotation) {
            (None, _) => false,
            (Some(at), Rotation::Grace { seconds }) => now >= at + SignedDuration::from_secs(seconds),
            (Some(_), Rotation::Strict | Rotation::Keep { .. }) => true,
        }
    }
}

impl Families {
    pub(super) fn all(&self) -> &[Family] {
        &self.all
    }

    pub(super) fn begin(&mut self, code: &Code, now: Timestamp) -> (Family, String) {
        let id = Uuid::new_v4();
        let token = self.follow(id, now);
        let family = Family {
            id,
            client_id: code.client_id.clone(),
            user: code.user.clone(),
            scope: code.scope.clone(),
            refreshes: 0,
            revoked: None,
            newest: digest(&token),
        };
        self.all.push(family.clone());
        (family, token)
    }

    /// Uses a refresh token; returns the one that the answer holds, if it holds any.
    pub(super) fn refresh(
        &mut self,
        token: &str,
        client_id: &str,
        scope: Option<&str>,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(Family, Option<String>), Stop> {
        let held = self.tokens.get_mut(&digest(token)).ok_or(GrantFault::Unknown)?;
        let id = held.family;
        let family = self.all.iter_mut().find(|family| family.id == id);
        let family = family.expect("every token has a family");
        family.check(client_id)?;
        if held.is_spent(settings.rotation, now) {
            return Err(Stop::Used(id));
        }
        if now >= held.used_at + SignedDuration::from_secs(settings.idle_seconds) {
            return Err(GrantFault::Idle.into());
        }
        family.check_scope(scope)?;
        held.used_at = now;
        family.refreshes += 1;
        let next = match settings.rotation {
            Rotation::Keep { repeated } => repeated.then(|| token.to_owned()),
            Rotation::Strict | Rotation::Grace { .. } => Some(self.follow(id, now)),
        };
        Ok((self.renewed(id, next.as_deref()), next))
    }

    /// Ends a family that has not ended before.
    pub(super) fn revoke(&mut self, id: Uuid, why: Revocation) {
        let family = self.all.iter_mut().find(|family| family.id == id);
        if let Some(family) = family {
            family.revoked.get_or_insert(why);
        }
    }

    /// Gives a token that takes the place of all others of its family.
    fn follow(&mut self, family: Uuid, now: Timestamp) -> String {
        let token = format!("1.{}", unguessable());
        let others = self.tokens.values_mut().filter(|held| held.family == family);
        others.for_each(|held| _ = held.superseded_at.get_or_insert(now));
        let held = Held {
            family,
            used_at: now,
            superseded_at: None,
        };
        self.tokens.insert(digest(&token), held);
        token
    }

    fn renewed(&mut self, id: Uuid, token: Option<&str>) -> Family {
        let family = self.all.iter_mut().find(|family| family.id == id);
        let family = family.expect("every token has a family");
        if let Some(token) = token {
            family.newest = digest(token);
        }
        family.clone()
    }
}

impl Family {
    fn check(&self, client_id: &str) -> Result<(), GrantFault> {
        if self.client_id != client_id {
            return Err(GrantFault::OfAnotherClient);
        }
        match self.revoked {
            Some(_) => Err(GrantFault::Revoked),
            None => Ok(()),
        }
    }

    fn check_scope(&self, scope: Option<&str>) -> Result<(), GrantFault> {
        let allowed: Vec<&str> = self.scope.split_whitespace().chain(GENERAL).collect();
        let mut asked = scope.unwrap_or_default().split_whitespace();
        match asked.all(|word| allowed.contains(&word)) {
            true => Ok(()),
            false => Err(GrantFault::NotConsented),
        }
    }
}
