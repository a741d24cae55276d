//! Systems and credentials, as a caller may see them.

use async_graphql::{ID, Lookahead};
use tokio::sync::OnceCell;

use super::shape::{
    Additional, Auth, CredentialData, IntSysSystemAuth, IntegrationSystem, Limits, OAuthCredentialData,
    SystemAuthReferenceType, Timestamp,
};
use super::{Asked, Refusal};
use crate::registry::{self, ClientSecret, Held, IntegrationSystem as System, Scope, held_by};

impl Asked<'_> {
    /// Says whether the caller sees secrets.
    fn sees_secrets(&self) -> bool {
        self.caller.scopes().allow(Scope::IntegrationSystemAuthsRead)
    }

    /// Shows systems, with as much of their credentials as the document selects.
    ///
    /// All of them are read together; that secrets are to be shown is kept before they are.
    pub(super) async fn show(
        &self,
        systems: Vec<System>,
        selected: Lookahead<'_>,
    ) -> Result<Vec<IntegrationSystem>, Refusal> {
        let auths = selected.field("auths");
        let store = &*self.registry.store;
        let mut held = if auths.exists() {
            held_by(store, &systems).await?
        } else {
            Default::default()
        };
        let open = self.sees_secrets() && auths.field("auth").exists();
        if open {
            let ids = |system: &System| (system.id, system.credentials.iter().copied().collect());
            let shown: Vec<_> = systems.iter().map(ids).collect();
            registry::note_reading(self.registry, &shown, self.caller.name()).await?;
        }
        let shown = systems.into_iter().map(|system| {
            let known = system.credentials.iter().filter_map(|id| held.remove(id));
            let auths = known.map(|held| Ok(self.auth(held?, open, None)));
            let auths = auths.collect::<Result<_, crate::store::StoreError>>();
            IntegrationSystem {
                auths: auths.map_err(Refusal::from),
                system,
            }
        });
        Ok(shown.collect())
    }

    /// Shows one system.
    pub(super) async fn show_one(
        &self,
        system: System,
        selected: Lookahead<'_>,
    ) -> Result<IntegrationSystem, Refusal> {
        let mut shown = self.show(vec![system], selected).await?;
        shown.pop().ok_or(Refusal::NotFound("integrationSystem"))
    }

    /// Shows a credential that is gone, with its secret to those who may see it.
    pub(super) async fn show_deleted(
        &self,
        held: Held,
        selected: Lookahead<'_>,
    ) -> Result<IntSysSystemAuth, Refusal> {
        let open = self.sees_secrets() && selected.field("auth").exists();
        if open {
            let shown = [(held.credential.system, vec![held.credential.id])];
            registry::note_reading(self.registry, &shown, self.caller.name()).await?;
        }
        Ok(self.auth(held, open, None))
    }

    /// Shows a credential that was issued just now: this once, whoever had it issued sees its secret.
    pub(super) fn show_issued(&self, held: Held, secret: ClientSecret) -> IntSysSystemAuth {
        self.auth(held, true, Some(secret))
    }

    fn auth(&self, held: Held, open: bool, secret: Option<ClientSecret>) -> IntSysSystemAuth {
        let own = self.caller.system() == Some(held.credential.system);
        let limits = if own || self.sees_secrets() {
            limits(&held)
        } else {
            Limits::default()
        };
        let credential = held.credential;
        IntSysSystemAuth {
            id: ID::from(credential.id),
            kind: Some(SystemAuthReferenceType::IntegrationSystem),
            tenant_id: None,
            reference_object_id: Some(ID::from(credential.system)),
            limits,
            auth: open.then(|| Auth {
                credential: Some(CredentialData::OAuth(OAuthCredentialData {
                    credential,
                    secret: OnceCell::new_with(secret),
                })),
                access_strategy: None,
                additional: Additional::default(),
                request_auth: None,
                one_time_token: None,
                cert_common_name: Some(String::new()),
            }),
        }
    }
}

fn limits(held: &Held) -> Limits {
    let credential = &held.credential;
    let names = credential.organizations.as_ref();
    Limits {
        scopes: Some(credential.scopes.names().collect()),
        organizations: names.map(|names| names.iter().map(ToString::to_string).collect()),
        created_at: Some(Timestamp(credential.issued_at)),
        expires_at: credential.expires_at.map(Timestamp),
        last_used_at: held.last_used_at.map(Timestamp),
    }
}
