//! The one place where what went wrong inside becomes what a caller is told.

use std::error::Error;

use super::{Code, Problem};
use crate::adapter::{self, ErrorKind, Finding};
use crate::export;
use crate::flow::receive::ReceiveError;
use crate::flow::refresh::RefreshError;
use crate::flow::sign_in::SignInError;
use crate::flow::{ExportError, TriggerError};
use crate::inbox::OpenEndpointError;
use crate::integration::{ChangeError, RotateError, State};
use crate::model::{FieldError, IdError, IntegrationId};
use crate::oauth::{TokenError, TokenErrorKind};
use crate::objects::ObjectError;
use crate::queue::QueueError;
use crate::records::PutError;
use crate::secrets::SecretError;
use crate::store::StoreError;
use crate::sync::RunError;
use crate::sync::review::DecideError;
use crate::transfer::TransferError;

impl Problem {
    /// Says that an organization has not connected a system.
    #[must_use]
    pub fn unknown_integration(id: &IntegrationId) -> Self {
        Self::new(Code::UnknownIntegration).because(format!(
            "organization {} has not connected {}",
            id.organization, id.system
        ))
    }

    /// Says that something which we need did not answer; what exactly, only the logs say.
    fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::warn!(error, "something needed is unavailable");
        Self::new(Code::Unavailable)
    }

    /// Says that it is our fault; what exactly, only the logs say.
    pub(super) fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error, "an error of our own");
        Self::new(Code::Internal)
    }

    fn not_in(state: State) -> Self {
        match state {
            State::Paused => Self::new(Code::Paused),
            State::NeedsReauthorization => Self::new(Code::NeedsReauthorization)
                .because("put the integration with new credentials first"),
            State::Disconnecting | State::Active => Self::new(Code::Disconnecting),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match &error {
            StoreError::Refused { .. } | StoreError::Unavailable(_) => Self::unavailable(&error),
            StoreError::Malformed { .. } | StoreError::Invalid(_) => Self::internal(&error),
        }
    }
}

impl From<SecretError> for Problem {
    fn from(error: SecretError) -> Self {
        match &error {
            SecretError::Full { .. } => Self::too_many_changes(),
            SecretError::Unavailable(_) => Self::unavailable(&error),
            SecretError::Denied { .. } => {
                tracing::error!(%error, "the secrets are to be opened to us again");
                Self::new(Code::Unavailable)
            }
            SecretError::Missing { .. } | SecretError::Invalid(_) => Self::internal(&error),
        }
    }
}

/// A sender that is told anything but 503 may never send again.
impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        tracing::error!(
            not_kept = true,
            error = &error as &dyn Error,
            "a webhook could not be kept"
        );
        Self::new(Code::Unavailable)
    }
}

impl From<OpenEndpointError> for Problem {
    fn from(error: OpenEndpointError) -> Self {
        match error {
            OpenEndpointError::Unknown(id) => Self::unknown_integration(&id),
            OpenEndpointError::UnknownEndpoint => Self::new(Code::UnknownWebhookEndpoint),
            OpenEndpointError::Disconnecting => Self::new(Code::Disconnecting),
            OpenEndpointError::Invalid(faults) => Self::of_fields(faults),
            OpenEndpointError::Contended => Self::new(Code::ChangeInProgress),
            OpenEndpointError::Keys(error) => Self::unavailable(&error),
            OpenEndpointError::Randomness(error) => Self::internal(&error),
            OpenEndpointError::Store(error) => error.into(),
        }
    }
}

impl From<ObjectError> for Problem {
    fn from(error: ObjectError) -> Self {
        match &error {
            ObjectError::Unavailable(_) => Self::unavailable(&error),
            ObjectError::Denied { .. } => {
                tracing::error!(%error, "the bucket is to be opened to us again");
                Self::new(Code::Unavailable)
            }
            ObjectError::Missing { .. } | ObjectError::TooLarge { .. } | ObjectError::Invalid(_) => {
                Self::internal(&error)
            }
        }
    }
}

impl From<TransferError> for Problem {
    fn from(error: TransferError) -> Self {
        let detail = error.to_string();
        match error {
            TransferError::Missing => Self::new(Code::UnknownFile),
            TransferError::Unfit(_) => Self::new(Code::FileUnfit).because(detail),
            TransferError::Announcement(faults) => Self::of_fields(faults),
            TransferError::NotUploaded => Self::new(Code::FileNotUploaded).because(detail),
            TransferError::Differs(faults) => {
                let mut problem = Self::of_fields(faults);
                problem.code = Code::FileDiffers;
                problem
            }
            TransferError::TooLarge { .. } => Self::internal(&error),
            TransferError::Store(error) => error.into(),
            TransferError::Objects(error) => error.into(),
        }
    }
}

impl From<RunError> for Problem {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Missing => Self::new(Code::UnknownRun),
            RunError::Ended => Self::new(Code::RunEnded),
            RunError::Store(error) => error.into(),
        }
    }
}

impl From<DecideError> for Problem {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Missing => Self::new(Code::UnknownReview),
            DecideError::Unfit => Self::of_field("decision", DecideError::Unfit.to_string()),
            DecideError::Active(run) => Self::active(run),
            DecideError::Store(error) => error.into(),
        }
    }
}

impl From<TriggerError> for Problem {
    fn from(error: TriggerError) -> Self {
        match error {
            TriggerError::Unknown(id) => Self::unknown_integration(&id),
            TriggerError::NotActive(state) => Self::not_in(state),
            TriggerError::Active(run) => Self::active(run),
            TriggerError::KeepsNothing(system) => Self::new(Code::NothingToSync).because(format!(
                "{system} keeps no records: reimbursements are exported to it, by exportReimbursements"
            )),
            TriggerError::Store(error) => error.into(),
        }
    }
}

impl From<adapter::Error> for Problem {
    fn from(error: adapter::Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Unauthenticated => Code::NeedsReauthorization,
            kind if kind.is_temporary() => Code::Unavailable,
            _ => Code::SystemRefused,
        };
        Self::new(code).because(error.to_string())
    }
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Unknown(id) => Self::unknown_integration(&id),
            ExportError::NotActive(state) => Self::not_in(state),
            ExportError::Books(error) => error.into(),
            ExportError::Store(error) => error.into(),
        }
    }
}

impl From<export::DecideError> for Problem {
    fn from(error: export::DecideError) -> Self {
        use export::DecideError as E;
        match error {
            E::Missing => Self::new(Code::UnknownReview),
            E::Unfit(_) => Self::of_field("decision", error.to_string()),
            E::Early(_) => Self::new(Code::DecisionTooEarly).because(error.to_string()),
            E::Changed => Self::new(Code::ChangeInProgress),
            E::Store(error) => error.into(),
        }
    }
}

impl From<QueueError> for Problem {
    fn from(error: QueueError) -> Self {
        Self::unavailable(&error)
    }
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown(id) => Self::unknown_integration(&id),
            ChangeError::Invalid(errors) => Self::of_fields(errors),
            ChangeError::Precondition => Self::new(Code::PreconditionFailed),
            ChangeError::InProgress(_) => Self::new(Code::ChangeInProgress),
            ChangeError::NotIn(state) => Self::not_in(state),
            ChangeError::Secret(error) => error.into(),
            ChangeError::Store(error) => error.into(),
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        let code = match error.kind() {
            TokenErrorKind::Refused => Code::NeedsReauthorization,
            TokenErrorKind::RateLimited { .. } | TokenErrorKind::Unavailable | TokenErrorKind::Malformed => {
                Code::Unavailable
            }
        };
        Self::new(code).because(error.to_string())
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Unknown(id) => Self::unknown_integration(&id),
            RefreshError::Disconnecting => Self::new(Code::Disconnecting),
            RefreshError::Token(error) => error.into(),
            RefreshError::Store(error) => error.into(),
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::NotAPerson => {
                Self::of_field("settings.signIn", "must be user for a person to sign in")
            }
            SignInError::Unknown => Self::new(Code::UnknownSignIn).because("begin it anew"),
            SignInError::Declined => Self::new(Code::SignInDeclined),
            SignInError::Refresh(error) => error.into(),
        }
    }
}

impl From<RotateError> for Problem {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Change(error) => error.into(),
            RotateError::Refused(findings) => {
                let fault = |finding: Finding| {
                    FieldError::new("credentials", format!("{}: {}", finding.question, finding.answer))
                };
                Self::of_fields(findings.into_iter().map(fault).collect())
            }
        }
    }
}

impl From<PutError> for Problem {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Missing => Self::new(Code::UnknownRecord),
            PutError::Invalid(errors) => Self::of_fields(errors),
            PutError::Precondition => Self::new(Code::PreconditionFailed),
            PutError::Store(error) => error.into(),
        }
    }
}

/// Says what an identifier in the path should be.
pub(super) fn malformed(field: &str, error: &IdError) -> Problem {
    Problem::of_field(field, error.to_string())
}
