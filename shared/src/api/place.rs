//! Which organization, integration, run or record a request is about: the path, held against the caller.

use axum::extract::{FromRequestParts, RawPathParams};
use http::HeaderMap;
use http::request::Parts;

use super::refusals::malformed;
use super::{Caller, Code, Problem};
use crate::inbox::EndpointId;
use crate::model::{EventId, FileId, IdError, IntegrationId, Kind, OrganizationId, RecordId, RunId, System};

/// The longest name that somebody else gives a thing.
const MAX_NAME: usize = 200;

/// How a path names an integration by its id.
const BY_ID: &str = "integrationId";

/// The organization in the path, into which the caller was let.
#[derive(Debug, Clone)]
pub(super) struct InOrganization {
    pub(super) caller: Caller,
    pub(super) organization: OrganizationId,
}

/// The integration in the path: by its id, or by its organization and its system.
#[derive(Debug, Clone)]
pub(super) struct AtIntegration {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
}

/// The run in the path.
#[derive(Debug, Clone)]
pub(super) struct AtRun {
    pub(super) id: IntegrationId,
    pub(super) run: RunId,
}

/// The record in the path; which kind, the endpoint knows.
#[derive(Debug, Clone)]
pub(super) struct AtRecord {
    pub(super) organization: OrganizationId,
    pub(super) record: RecordId,
}

/// A part of the path, as text.
pub(super) struct Path(RawPathParams);

impl Path {
    pub(super) async fn of<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        params.map(Self).map_err(|_| Problem::new(Code::UnknownRoute))
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Problem> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found
            .map(|(_, value)| value)
            .ok_or_else(|| Problem::new(Code::UnknownRoute))
    }

    fn parsed<T: std::str::FromStr<Err = IdError>>(&self, name: &str) -> Result<T, Problem> {
        self.text(name)?.parse().map_err(|error| malformed(name, &error))
    }

    /// Returns a part that is somebody else's name of a thing: short, and nothing that keys are made of.
    fn plain(&self, name: &str) -> Result<String, Problem> {
        let text = self.text(name)?;
        if text.len() <= MAX_NAME && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Ok(text.to_owned());
        }
        Err(Problem::of_field(
            name,
            format!("must be at most {MAX_NAME} visible characters without #"),
        ))
    }

    /// Returns the integration that is named by its id, if one is.
    fn by_id(&self) -> Result<Option<IntegrationId>, Problem> {
        self.text(BY_ID).is_ok().then(|| self.parsed(BY_ID)).transpose()
    }

    fn organization(&self) -> Result<OrganizationId, Problem> {
        match self.by_id()? {
            Some(id) => Ok(id.organization),
            None => self.parsed("organizationId"),
        }
    }

    fn integration(&self, organization: OrganizationId) -> Result<IntegrationId, Problem> {
        if let Some(id) = self.by_id()? {
            return Ok(id);
        }
        let system = self
            .text("integrationType")?
            .parse()
            .map_err(|_| unknown_system())?;
        Ok(IntegrationId::new(organization, system))
    }
}

/// Says which systems there are.
pub(super) fn unknown_system() -> Problem {
    let known: Vec<_> = System::ALL.iter().map(|system| system.as_str()).collect();
    Problem::new(Code::UnknownIntegrationType).because(format!("known are {}", known.join(", ")))
}

/// Refuses whoever was not let into the organization as if there were none.
pub(super) fn admit(caller: &Caller, organization: &OrganizationId) -> Result<(), Problem> {
    if caller.may_see(organization) {
        return Ok(());
    }
    tracing::warn!(caller = caller.name(), organization.id = %organization, "refused an organization");
    Err(Problem::new(Code::UnknownOrganization))
}

/// Returns the organization that the header `Tenant` names; an empty one names none.
pub(super) fn tenant(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all("tenant").iter();
    let value = values.next()?;
    // Two of them, or what is no text, are no name of an organization.
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    Some(text.unwrap_or(",")).filter(|name| !name.is_empty())
}

/// Insists that whoever names an organization in the header names the one in the path.
fn agree(headers: &HeaderMap, organization: &OrganizationId) -> Result<(), Problem> {
    match tenant(headers) {
        Some(named) if named != organization.as_str() => Err(Problem::of_field(
            "Tenant",
            "must name the organization in the path, or be left out",
        )),
        _ => Ok(()),
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Code::Unauthenticated))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for InOrganization {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        let organization = Path::of(parts, state).await?.organization()?;
        admit(&caller, &organization)?;
        agree(&parts.headers, &organization)?;
        Ok(Self { caller, organization })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtIntegration {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let InOrganization { caller, organization } =
            InOrganization::from_request_parts(parts, state).await?;
        let id = Path::of(parts, state).await?.integration(organization)?;
        Ok(Self { caller, id })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtRun {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { id, .. } = AtIntegration::from_request_parts(parts, state).await?;
        let run = Path::of(parts, state).await?.parsed("runId")?;
        Ok(Self { id, run })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtRecord {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let InOrganization { organization, .. } = InOrganization::from_request_parts(parts, state).await?;
        let record = Path::of(parts, state).await?.parsed("recordId")?;
        Ok(Self { organization, record })
    }
}

/// The record in quarantine that the path names, by its id on the side that it came from.
#[derive(Debug, Clone)]
pub(super) struct AtQuarantined {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
    pub(super) kind: Kind,
    pub(super) record: String,
}

/// The webhook endpoint in the path.
#[derive(Debug, Clone)]
pub(super) struct AtEndpoint {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
    pub(super) endpoint: EndpointId,
}

/// The webhook event in the path.
#[derive(Debug, Clone)]
pub(super) struct AtEvent {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
    pub(super) event: EventId,
}

/// The file in the path.
#[derive(Debug, Clone)]
pub(super) struct AtFile {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
    pub(super) file: FileId,
}

/// The review in the path.
#[derive(Debug, Clone)]
pub(super) struct AtReview {
    pub(super) caller: Caller,
    pub(super) id: IntegrationId,
    pub(super) review: String,
}

impl<S: Send + Sync> FromRequestParts<S> for AtQuarantined {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { caller, id } = AtIntegration::from_request_parts(parts, state).await?;
        let path = Path::of(parts, state).await?;
        let (kind, record) = (path.parsed("kind")?, path.plain("recordId")?);
        Ok(Self {
            caller,
            id,
            kind,
            record,
        })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtEndpoint {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { caller, id } = AtIntegration::from_request_parts(parts, state).await?;
        let endpoint = Path::of(parts, state).await?.parsed("endpointId")?;
        Ok(Self { caller, id, endpoint })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtEvent {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { caller, id } = AtIntegration::from_request_parts(parts, state).await?;
        let event = Path::of(parts, state).await?.parsed("eventId")?;
        Ok(Self { caller, id, event })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtFile {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { caller, id } = AtIntegration::from_request_parts(parts, state).await?;
        let file = Path::of(parts, state).await?.parsed("fileId")?;
        Ok(Self { caller, id, file })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AtReview {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let AtIntegration { caller, id } = AtIntegration::from_request_parts(parts, state).await?;
        let review = Path::of(parts, state).await?.plain("reviewId")?;
        Ok(Self { caller, id, review })
    }
}
