//! What can be changed.
//!
//! An input is checked before the scopes are, so that whoever may not is still told what is wrong with it.

use async_graphql::{Context, ID, Object};
use uuid::Uuid;

use super::shape::{IntegrationSystem, IntegrationSystemInput, SystemAuth, Timestamp};
use super::{Asked, Refusal};
use crate::model::OrganizationId;
use crate::registry::{
    CredentialRequest, Held, Input, Scope, Scopes, delete_credential, id_of, issue_credential, register,
    unregister, update,
};

/// The most organizations that a credential is limited to.
const MOST_ORGANIZATIONS: usize = 100;

/// What can be changed.
#[derive(Debug)]
pub(super) struct Mutation;

impl IntegrationSystemInput {
    fn checked(self) -> Result<Input, Refusal> {
        let input = Input {
            name: self.name,
            description: self.description,
        };
        input.check().map_err(Refusal::Invalid)?;
        Ok(input)
    }
}

fn known(id: &ID, object: &'static str) -> Result<Uuid, Refusal> {
    id_of(id).ok_or(Refusal::NotFound(object))
}

const SYSTEM: &str = "integrationSystem";
const CREDENTIAL: &str = "systemAuth";

/// What can be changed.
#[Object]
impl Mutation {
    /// Registers an integration system.
    async fn register_integration_system(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "in")] input: IntegrationSystemInput,
    ) -> Result<IntegrationSystem, Refusal> {
        let (asked, input) = (Asked::of(ctx)?, input.checked()?);
        asked.may(Scope::IntegrationSystemWrite)?;
        let system = register(asked.registry, input, asked.caller.name()).await?;
        asked.show_one(system, ctx.look_ahead()).await
    }

    /// Gives an integration system another name and description; a description that is left out is none.
    async fn update_integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(name = "in")] input: IntegrationSystemInput,
    ) -> Result<IntegrationSystem, Refusal> {
        let (asked, input) = (Asked::of(ctx)?, input.checked()?);
        asked.may(Scope::IntegrationSystemWrite)?;
        let id = known(&id, SYSTEM)?;
        let system = update(asked.registry, id, input, asked.caller.name()).await?;
        asked.show_one(system, ctx.look_ahead()).await
    }

    /// Unregisters an integration system with all its credentials, unless it manages an integration.
    async fn unregister_integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
    ) -> Result<IntegrationSystem, Refusal> {
        let asked = Asked::of(ctx)?;
        asked.may(Scope::IntegrationSystemWrite)?;
        let id = known(&id, SYSTEM)?;
        let system = unregister(asked.registry, id, asked.caller.name()).await?;
        Ok(IntegrationSystem {
            system,
            auths: Ok(Vec::new()),
        })
    }

    /// Issues a further credential; the ones that there are go on working.
    async fn request_client_credentials_for_integration_system(
        &self,
        ctx: &Context<'_>,
        id: ID,
        #[graphql(desc = "What it may do; all that an integration system may, where it is left out.")]
        scopes: Option<Vec<String>>,
        #[graphql(desc = "For which organizations; for all, where it is left out.")] organizations: Option<
            Vec<String>,
        >,
        #[graphql(desc = "When it ends; never, where it is left out.")] expires_at: Option<Timestamp>,
    ) -> Result<SystemAuth, Refusal> {
        let asked = Asked::of(ctx)?;
        let scopes = scopes.map_or_else(|| Ok(Scopes::integration_system()), |names| given(&names))?;
        let organizations = organizations.map(limited).transpose()?;
        let expires_at = expires_at.map(|Timestamp(end)| end);
        if expires_at.is_some_and(|end| end <= asked.registry.clock.now()) {
            return Err(wrong("expiresAt must be in the future"));
        }
        asked.may(Scope::IntegrationSystemWrite)?;
        let request = CredentialRequest {
            system: known(&id, SYSTEM)?,
            scopes,
            organizations,
            expires_at,
            by: asked.caller.name().to_owned(),
        };
        let issued = issue_credential(asked.registry, request).await?;
        let held = Held {
            credential: issued.credential,
            last_used_at: None,
        };
        Ok(asked.show_issued(held, issued.secret).into())
    }

    /// Deletes a credential; tokens that were got with it end at once. Exactly one of the arguments is needed.
    async fn delete_system_auth_for_integration_system(
        &self,
        ctx: &Context<'_>,
        id: Option<ID>,
        #[graphql(name = "authID")] auth_id: Option<ID>,
    ) -> Result<SystemAuth, Refusal> {
        let asked = Asked::of(ctx)?;
        let id = match (id, auth_id) {
            (Some(id), None) | (None, Some(id)) => id,
            _ => return Err(wrong("exactly one of id and authID is needed")),
        };
        asked.may(Scope::IntegrationSystemWrite)?;
        let id = known(&id, CREDENTIAL)?;
        let credential = delete_credential(asked.registry, id, asked.caller.name()).await?;
        let held = Held {
            credential,
            last_used_at: None,
        };
        Ok(asked.show_deleted(held, ctx.look_ahead()).await?.into())
    }
}

fn wrong(reason: &str) -> Refusal {
    Refusal::InvalidArgument(reason.to_owned())
}

fn given(names: &[String]) -> Result<Scopes, Refusal> {
    let all = Scopes::integration_system();
    let scopes: Result<Scopes, _> = names.join(" ").parse();
    let scopes = scopes.ok().filter(|scopes| all.include(scopes));
    scopes.ok_or_else(|| {
        let known: Vec<_> = all.names().collect();
        Refusal::InvalidArgument(format!("scopes must be among {}", known.join(", ")))
    })
}

fn limited(names: Vec<String>) -> Result<std::collections::BTreeSet<OrganizationId>, Refusal> {
    if !(1..=MOST_ORGANIZATIONS).contains(&names.len()) {
        return Err(Refusal::InvalidArgument(format!(
            "organizations must name 1 to {MOST_ORGANIZATIONS}"
        )));
    }
    let read = names.iter().map(|name| name.parse());
    let read: Result<_, crate::model::IdError> = read.collect();
    read.map_err(|error| Refusal::InvalidArgument(format!("organizations: {error}")))
}
