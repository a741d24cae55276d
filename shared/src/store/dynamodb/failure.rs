//! What DynamoDB's failures mean to a caller.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

use crate::store::StoreError;

/// The codes that no repetition changes; every other failure may pass.
const OURS: &[&str] = &[
    "AccessDeniedException",
    "InvalidSignatureException",
    "ItemCollectionSizeLimitExceededException",
    "MissingAuthenticationTokenException",
    "ResourceNotFoundException",
    "SerializationException",
    "UnrecognizedClientException",
    "ValidationException",
];

/// Sorts a failure by what the caller does next.
pub(super) fn store_error<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let ours = error.code().is_some_and(|code| OURS.contains(&code));
    if ours || matches!(error, SdkError::ConstructionFailure(_)) {
        StoreError::Invalid(Box::new(error))
    } else {
        StoreError::Unavailable(Box::new(error))
    }
}
