//! The words by which a caller tells one refusal from another.

use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// What is wrong with a request, or with us; a code never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The body is not JSON, has a name twice, goes too deep, or goes on after its end.
    InvalidJson,
    /// Fields, parameters or headers are wrong; `errors` names each.
    InvalidRequest,
    /// The `Idempotency-Key` is empty, too long, or given more than once.
    InvalidIdempotencyKey,
    /// The caller is not known.
    Unauthenticated,
    /// The caller may not do this; `detail` names the scope that it would need.
    InsufficientScope,
    /// There is no such path.
    UnknownRoute,
    /// There is no such organization, or the caller was not let into it.
    UnknownOrganization,
    /// There is no such system.
    UnknownIntegrationType,
    /// The organization has not connected this system.
    UnknownIntegration,
    /// There is no such record.
    UnknownRecord,
    /// None of the reimbursements can be booked; `errors` says of each why.
    NotExportable,
    /// The system of the integration keeps no books.
    KeepsNoBooks,
    /// It keeps nothing that could be synced.
    NothingToSync,
    /// It cannot be decided yet: what may still arrive has first to have had its time.
    DecisionTooEarly,
    /// The outside system refuses what it was asked for, and will do so again.
    SystemRefused,
    /// There is no such run.
    UnknownRun,
    /// The integration has no schedule.
    UnknownSchedule,
    /// There is no such sign-in, or it took too long, or it has ended.
    UnknownSignIn,
    /// Nothing with this id is in quarantine.
    UnknownQuarantine,
    /// There is no such review.
    UnknownReview,
    /// The integration has no such webhook endpoint.
    UnknownWebhookEndpoint,
    /// There is no such webhook event, or no longer.
    UnknownWebhookEvent,
    /// The integration has no such file.
    UnknownFile,
    /// That is not for a file that is so far; `detail` says how far it is.
    FileUnfit,
    /// The file was announced, and not uploaded yet.
    FileNotUploaded,
    /// What was uploaded is not what was announced; `errors` names what differs.
    FileDiffers,
    /// The webhook is not from whoever keeps the secret of an endpoint, or not of now.
    WebhookRefused,
    /// The path does not take this method.
    MethodNotAllowed,
    /// A run is active; `runId` names it.
    RunActive,
    /// The run has ended.
    RunEnded,
    /// The integration is paused.
    Paused,
    /// The integration needs another credential.
    NeedsReauthorization,
    /// The person, or the sign-in server, has declined.
    SignInDeclined,
    /// The integration is being disconnected.
    Disconnecting,
    /// Another change of the integration is under way.
    ChangeInProgress,
    /// A request with this `Idempotency-Key` is being worked on.
    IdempotencyInProgress,
    /// It has another version than the request expects.
    PreconditionFailed,
    /// The body is larger than is taken.
    TooLarge,
    /// The body's media type is not taken.
    UnsupportedMediaType,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused,
    /// The credentials were changed too often; the same request works once `Retry-After` has passed.
    TooManyChanges,
    /// Something that we need is busy or down; the same request may work later.
    Unavailable,
    /// Our own fault.
    Internal,
}

impl Code {
    /// Returns the status that goes with it.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidJson | Self::InvalidRequest | Self::InvalidIdempotencyKey => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::WebhookRefused => StatusCode::UNAUTHORIZED,
            Self::InsufficientScope => StatusCode::FORBIDDEN,
            Self::UnknownRoute
            | Self::UnknownOrganization
            | Self::UnknownIntegrationType
            | Self::UnknownIntegration
            | Self::UnknownRecord
            | Self::UnknownRun
            | Self::UnknownSchedule
            | Self::UnknownSignIn
            | Self::UnknownQuarantine
            | Self::UnknownReview
            | Self::UnknownWebhookEndpoint
            | Self::UnknownWebhookEvent
            | Self::UnknownFile => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::RunActive
            | Self::RunEnded
            | Self::Paused
            | Self::NeedsReauthorization
            | Self::SignInDeclined
            | Self::Disconnecting
            | Self::FileUnfit
            | Self::FileNotUploaded
            | Self::FileDiffers
            | Self::ChangeInProgress
            | Self::KeepsNoBooks
            | Self::NothingToSync
            | Self::DecisionTooEarly
            | Self::IdempotencyInProgress => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyKeyReused | Self::NotExportable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooManyChanges => StatusCode::TOO_MANY_REQUESTS,
            Self::SystemRefused => StatusCode::BAD_GATEWAY,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// Returns the short sentence that goes with it, the same for each occurrence.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::InvalidJson => "The body is not valid JSON",
            Self::InvalidRequest => "The request is not valid",
            Self::InvalidIdempotencyKey => "The Idempotency-Key is not valid",
            Self::Unauthenticated => "The caller is not known",
            Self::InsufficientScope => "The caller may not do this",
            Self::UnknownRoute => "There is no such path",
            Self::UnknownOrganization => "There is no such organization",
            Self::UnknownIntegrationType => "There is no such integration type",
            Self::UnknownIntegration => "The organization has no such integration",
            Self::UnknownRecord => "There is no such record",
            Self::NotExportable => "None of the reimbursements can be booked",
            Self::KeepsNoBooks => "The system keeps no books",
            Self::NothingToSync => "The integration keeps nothing that could be synced",
            Self::DecisionTooEarly => "It cannot be decided yet",
            Self::SystemRefused => "The outside system refuses",
            Self::UnknownSchedule => "The integration has no schedule",
            Self::UnknownRun => "There is no such run",
            Self::UnknownSignIn => "There is no such sign-in",
            Self::UnknownQuarantine => "Nothing with this id is in quarantine",
            Self::UnknownReview => "There is no such review",
            Self::UnknownWebhookEndpoint => "There is no such webhook endpoint",
            Self::UnknownWebhookEvent => "There is no such webhook event",
            Self::UnknownFile => "There is no such file",
            Self::FileUnfit => "The file is not so far, or further",
            Self::FileNotUploaded => "The file has not been uploaded",
            Self::FileDiffers => "The file is not the one that was announced",
            Self::WebhookRefused => "The webhook is refused",
            Self::MethodNotAllowed => "The path does not take this method",
            Self::RunActive => "A run is active",
            Self::RunEnded => "The run has ended",
            Self::Paused => "The integration is paused",
            Self::NeedsReauthorization => "The integration needs another credential",
            Self::SignInDeclined => "The sign-in was declined",
            Self::Disconnecting => "The integration is being disconnected",
            Self::ChangeInProgress => "Another change of the integration is under way",
            Self::IdempotencyInProgress => "A request with this Idempotency-Key is being worked on",
            Self::PreconditionFailed => "It has another version by now",
            Self::TooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The media type is not taken",
            Self::IdempotencyKeyReused => "The Idempotency-Key was used for another request",
            Self::TooManyChanges => "It was changed too often",
            Self::Unavailable => "Try again later",
            Self::Internal => "Something went wrong on our side",
        }
    }
}
