//! What a caller of the GraphQL API is told: a sentence, a name and a number for each kind of refusal.

use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions as _, Response, ServerError, Value};
use uuid::Uuid;

use crate::registry::{Fault, RegistryError, Scope, Scopes};
use crate::store::StoreError;

/// The number of a request that is not one.
const BAD_REQUEST: i32 = 400;

/// Why an operation, or a whole request, is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::api) enum Refusal {
    /// There is nothing with this id.
    NotFound(&'static str),
    /// The name is taken.
    NotUnique,
    /// An input is wrong.
    Invalid(Vec<Fault>),
    /// An argument is wrong.
    InvalidArgument(String),
    /// The caller may not.
    InsufficientScopes {
        /// What it may.
        actual: Scopes,
        /// What it would have to.
        required: Scope,
    },
    /// The header `Tenant` names an organization that there is not, or into which the caller was not let.
    TenantNotFound(String),
    /// The caller is not known.
    Unauthorized,
    /// It cannot be done as things are.
    InvalidOperation {
        /// With what.
        object: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// It is not a request of GraphQL, or one that is not taken.
    BadRequest(String),
    /// It went wrong on our side; what exactly, only the logs say, under the same id.
    Internal {
        /// The id.
        id: Uuid,
        /// Whether the same request may work later.
        passes: bool,
    },
}

impl Refusal {
    const fn name(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "NotFound",
            Self::NotUnique => "NotUnique",
            Self::Invalid(_) | Self::InvalidArgument(_) => "InvalidData",
            Self::InsufficientScopes { .. } => "InsufficientScopes",
            Self::TenantNotFound(_) => "TenantNotFound",
            Self::Unauthorized => "Unauthorized",
            Self::InvalidOperation { .. } => "InvalidOperation",
            Self::BadRequest(_) => "BadRequest",
            Self::Internal { .. } => "InternalError",
        }
    }

    const fn number(&self) -> i32 {
        match self {
            Self::Internal { .. } => 10,
            Self::NotFound(_) => 20,
            Self::NotUnique => 21,
            Self::Invalid(_) | Self::InvalidArgument(_) => 22,
            Self::InsufficientScopes { .. } => 23,
            Self::TenantNotFound(_) => 25,
            Self::Unauthorized => 26,
            Self::InvalidOperation { .. } => 27,
            Self::BadRequest(_) => BAD_REQUEST,
        }
    }

    /// Says it to a human.
    fn sentence(&self) -> String {
        match self {
            Self::NotFound(object) => format!("Object not found [object={object}]"),
            Self::NotUnique => "Object is not unique [object=integrationSystem]".to_owned(),
            Self::Invalid(faults) => {
                let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
                format!("Invalid data IntegrationSystemInput [{}]", faults.join("; "))
            }
            Self::InvalidArgument(reason) => format!("Invalid data [reason={reason}]"),
            Self::InsufficientScopes { actual, required } => {
                let (actual, required): (Vec<_>, _) = (actual.names().collect(), required.as_str());
                let actual = actual.join(";");
                format!("insufficient scopes provided [actual={actual}; required={required}]")
            }
            Self::TenantNotFound(tenant) => format!("Tenant not found [externalTenant={tenant}]"),
            Self::Unauthorized => "Unauthorized [reason=invalid bearer token]".to_owned(),
            Self::InvalidOperation { object, reason } => {
                format!("The operation is not allowed [object={object}; reason={reason}]")
            }
            Self::BadRequest(reason) => format!("Bad Request [reason={reason}]"),
            Self::Internal { id, passes: false } => format!("Internal Server Error [errorID={id}]"),
            Self::Internal { id, passes: true } => format!(
                "Internal Server Error [errorID={id}, reason: something that is needed is busy or down; try again]"
            ),
        }
    }

    /// Returns the error that a document is answered with.
    pub(in crate::api) fn to_error(&self) -> Error {
        Error::new(self.sentence()).extend_with(|_, more| mark(more, self.name(), self.number()))
    }

    /// Makes the refusal of what went wrong on our side, and tells the logs.
    pub(in crate::api) fn internal(error: &(dyn std::error::Error + 'static), passes: bool) -> Self {
        let id = Uuid::new_v4();
        if passes {
            tracing::warn!(error, error.id = %id, "something needed is unavailable");
        } else {
            tracing::error!(error, error.id = %id, "an error of our own");
        }
        Self::Internal { id, passes }
    }
}

fn mark(more: &mut ErrorExtensionValues, name: &str, number: i32) {
    more.set("error", name);
    more.set("error_code", number);
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        refusal.to_error()
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let passes = error.may_pass();
        Self::internal(&error, passes)
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Invalid(faults) => Self::Invalid(faults),
            RegistryError::NotUnique => Self::NotUnique,
            RegistryError::UnknownSystem => Self::NotFound("integrationSystem"),
            RegistryError::UnknownCredential => Self::NotFound("systemAuth"),
            RegistryError::Manages => Self::InvalidOperation {
                object: "integrationSystem",
                reason: "The record cannot be deleted because another record refers to it",
            },
            RegistryError::Leaving => Self::InvalidOperation {
                object: "integrationSystem",
                reason: "it is being unregistered; repeat that to finish it",
            },
            RegistryError::TooMany => Self::InvalidOperation {
                object: "systemAuth",
                reason: "the integration system has as many credentials as one may have; delete one first",
            },
            RegistryError::Store(error) => error.into(),
            RegistryError::TakenBack | RegistryError::Issuer(_) | RegistryError::Key(_) => {
                Self::internal(&error, true)
            }
            RegistryError::Secret(_) => Self::internal(&error, false),
        }
    }
}

/// Gives a name and a number to those errors that the library found in the document.
pub(super) fn completed(mut response: Response) -> Response {
    for error in &mut response.errors {
        if !is_marked(error) {
            let more = error.extensions.get_or_insert_default();
            mark(more, "BadRequest", BAD_REQUEST);
        }
    }
    response
}

fn is_marked(error: &ServerError) -> bool {
    let number = error.extensions.as_ref().and_then(|more| more.get("error_code"));
    matches!(number, Some(Value::Number(_)))
}
