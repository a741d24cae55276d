//! What a caller is told when something is refused: problem details (RFC 9457) with a stable `code`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use serde::{Serialize, Serializer};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::Code;
use crate::export;
use crate::model::{FieldError, RunId};
use crate::registry::Scope;
use crate::secrets::REST;

/// The media type of a problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// After how long a caller that was told to come back may do so.
const PATIENCE: Duration = Duration::from_secs(5);

/// A refusal.
///
/// # Shape
///
/// `{"type":"about:blank","title":"The request is not valid","status":400,"code":"invalid_request","errors":[{"field":"lastName","reason":"is required"}]}`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, for programs.
    pub code: Code,
    /// What is wrong this time, for people.
    detail: Option<Box<str>>,
    /// The request, as the logs name it.
    instance: Option<Box<str>>,
    /// The run that is in the way.
    run: Option<RunId>,
    /// The scope that is missing.
    scope: Option<Scope>,
    /// Everything that is wrong with the content, at once.
    pub errors: Vec<Fault>,
}

/// One thing that is wrong with what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Fault {
    /// Where: the name of a field, parameter or header.
    pub field: String,
    /// What is wrong, and what would be right; never what was sent.
    pub reason: String,
}

/// A problem as it travels.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Problem)]
struct Shown<'a> {
    /// `about:blank`: the code says all that a type would.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The same for each occurrence of the code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong, for programs.
    code: Code,
    /// What is wrong this time, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The request, as the logs name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<&'a str>,
    /// The run that is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<&'a str>,
    /// Everything that is wrong with the content, at once.
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    #[schema(value_type = Vec<Fault>, required = false)]
    errors: &'a [Fault],
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = Shown {
            kind: "about:blank",
            title: self.code.title(),
            status: self.code.status().as_u16(),
            code: self.code,
            detail: self.detail.as_deref(),
            instance: self.instance.as_deref(),
            run_id: self.run.as_ref().map(RunId::as_str),
            errors: &self.errors,
        };
        shown.serialize(serializer)
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Shown::schema()
    }
}

impl ToSchema for Problem {
    fn name() -> Cow<'static, str> {
        Shown::name()
    }
}

impl From<FieldError> for Fault {
    fn from(FieldError { field, reason }: FieldError) -> Self {
        Self { field, reason }
    }
}

impl Problem {
    /// Makes the problem of a code.
    #[must_use]
    pub const fn new(code: Code) -> Self {
        Self {
            code,
            detail: None,
            instance: None,
            run: None,
            scope: None,
            errors: Vec::new(),
        }
    }

    /// Says what is wrong this time.
    #[must_use]
    pub fn because(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Makes the problem of content that is wrong in several places.
    #[must_use]
    pub fn of_fields(errors: Vec<FieldError>) -> Self {
        let errors = errors.into_iter().map(Fault::from).collect();
        Self {
            errors,
            ..Self::new(Code::InvalidRequest)
        }
    }

    /// Makes the problem of one field, parameter or header.
    #[must_use]
    pub fn of_field(field: &str, reason: impl Into<String>) -> Self {
        Self::of_fields(vec![FieldError::new(field, reason)])
    }

    /// Makes the problem of reimbursements none of which can be booked: each fault under the name of its reimbursement.
    #[must_use]
    pub fn not_exportable(refused: &[export::Refused]) -> Self {
        let faults = refused.iter().flat_map(|refused| {
            let within = |fault: &export::Fault| Fault {
                field: format!("reimbursements.{}.{}", refused.reimbursement, fault.field),
                reason: fault.reason.clone(),
            };
            refused.faults.iter().map(within)
        });
        Self {
            errors: faults.collect(),
            ..Self::new(Code::NotExportable)
        }
    }

    /// Makes the problem of credentials that were changed too often.
    #[must_use]
    pub fn too_many_changes() -> Self {
        let rule = format!("can be changed again in {} minutes", REST.as_secs() / 60);
        Self {
            errors: vec![FieldError::new("credentials", rule).into()],
            ..Self::new(Code::TooManyChanges)
        }
    }

    /// Makes the problem of a caller that lacks a scope.
    #[must_use]
    pub fn insufficient_scope(scope: Scope) -> Self {
        Self {
            scope: Some(scope),
            ..Self::new(Code::InsufficientScope)
        }
        .because(format!("the scope {} is needed", scope.as_str()))
    }

    /// Makes the problem of a run that is in the way.
    #[must_use]
    pub fn active(run: RunId) -> Self {
        Self {
            run: Some(run),
            ..Self::new(Code::RunActive)
        }
    }

    /// Names the request as the logs do.
    #[must_use]
    pub fn at(mut self, request_id: &str) -> Self {
        self.instance = Some(format!("urn:request:{request_id}").into());
        self
    }

    /// Returns the answer whole, for where no router is left to send it.
    pub(super) fn whole(&self) -> Response<Bytes> {
        let body = serde_json::to_vec(self).unwrap_or_default();
        let mut response = Response::new(body.into());
        *response.status_mut() = self.code.status();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(patience) = self.patience() {
            headers.insert(header::RETRY_AFTER, patience.as_secs().into());
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// Says what token would do.
    ///
    /// Source: RFC 6750, section 3.
    fn challenge(&self) -> Option<HeaderValue> {
        match (self.code, self.scope) {
            (Code::Unauthenticated, _) => Some(HeaderValue::from_static("Bearer")),
            (_, Some(scope)) => {
                let scope = scope.as_str();
                HeaderValue::try_from(format!(r#"Bearer error="insufficient_scope", scope="{scope}""#)).ok()
            }
            _ => None,
        }
    }

    /// Says after how long the same request may succeed, where it may.
    const fn patience(&self) -> Option<Duration> {
        match self.code {
            Code::Unavailable | Code::IdempotencyInProgress | Code::ChangeInProgress => Some(PATIENCE),
            Code::TooManyChanges => Some(REST),
            _ => None,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail.as_deref().unwrap_or(self.code.title()))?;
        for (position, fault) in self.errors.iter().enumerate() {
            let before = if position == 0 { ": " } else { "; " };
            write!(f, "{before}{} {}", fault.field, fault.reason)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

/// The problem also stands in the response's extensions, so that the last layer can name the request in it.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.whole().map(Into::into);
        response.extensions_mut().insert(self);
        response
    }
}
