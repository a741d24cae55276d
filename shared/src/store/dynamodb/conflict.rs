//! Which refusals of DynamoDB the client repeats by itself, beside those that it knows.

use aws_sdk_dynamodb::config::interceptors::InterceptorContext;
use aws_sdk_dynamodb::config::retry::{ClassifyRetry, RetryAction};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::CancellationReason;

/// The reasons for which a transaction is cancelled and may succeed as it is a moment later.
const PASSING: &[&str] = &[
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
];

/// Repeats writes that met a transaction, or were throttled within one.
///
/// Within the client, because it repeats the bytes that it has already written and signed for: neither the rows
/// nor the request token can differ from try to try.
#[derive(Debug)]
pub(super) struct RetryConflicts;

impl ClassifyRetry for RetryConflicts {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = context.output_or_error() else {
            return RetryAction::NoActionIndicated;
        };
        let Some(error) = error.as_operation_error() else {
            return RetryAction::NoActionIndicated;
        };
        let transaction = error.downcast_ref().is_some_and(met_another);
        let single = is_conflict(error.downcast_ref::<UpdateItemError>())
            || is_conflict(error.downcast_ref::<DeleteItemError>());
        if transaction || single {
            RetryAction::transient_error()
        } else {
            RetryAction::NoActionIndicated
        }
    }

    fn name(&self) -> &'static str {
        "transaction conflicts"
    }
}

fn is_conflict(error: Option<&impl ProvideErrorMetadata>) -> bool {
    error.and_then(ProvideErrorMetadata::code) == Some("TransactionConflictException")
}

fn met_another(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return false;
    };
    let mut codes = cancelled
        .cancellation_reasons()
        .iter()
        .filter_map(CancellationReason::code);
    codes.clone().any(|code| PASSING.contains(&code))
        && codes.all(|code| code == "None" || PASSING.contains(&code))
}
