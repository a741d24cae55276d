//! Writes of several rows, all or none.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, ReturnConsumedCapacity, TransactWriteItem, Update,
};
use uuid::Uuid;

use super::failure::store_error;
use super::item::{Item, key_item};
use super::{DynamoStore, expression, units};
use crate::store::{Action, Content, Expect, Key, StoreError, Write};

impl DynamoStore {
    pub(super) async fn transact(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        let rows = writes.len();
        let parts = writes.into_iter().map(|write| self.part(write)).collect();
        let request = self.client.transact_write_items().set_transact_items(Some(parts));
        let request = request
            // The repetitions of a client carry it too: DynamoDB answers them as it answered the first.
            .client_request_token(Uuid::new_v4().to_string())
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = request.send().await;
        let consumed = answer
            .as_ref()
            .ok()
            .map(|answer| units(answer.consumed_capacity()));
        self.counter.write(rows, consumed.unwrap_or_default());
        answer.map(drop).map_err(transaction_error)
    }

    fn part(&self, write: Write) -> TransactWriteItem {
        let part = TransactWriteItem::builder();
        match write.action {
            Action::Put(content) => part.update(self.update(write.key, write.expect, content)),
            Action::Delete => part.delete(self.deletion(write.key, write.expect)),
            Action::Check => part.condition_check(self.check(write.key, write.expect)),
        }
        .build()
    }

    fn update(&self, key: Key, expect: Expect, content: Content) -> Update {
        let mut values = Item::new();
        let condition = expression::condition(expect, &mut values).map(str::to_owned);
        let update = expression::update(content, expect, None, &mut values);
        Update::builder()
            .table_name(self.name(key.table))
            .set_key(Some(key_item(key.partition, key.sort)))
            .update_expression(update)
            .set_condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .build()
            .expect("table, key and update are set")
    }

    fn deletion(&self, key: Key, expect: Expect) -> Delete {
        let mut values = Item::new();
        let condition = expression::condition(expect, &mut values).map(str::to_owned);
        Delete::builder()
            .table_name(self.name(key.table))
            .set_key(Some(key_item(key.partition, key.sort)))
            .set_condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .expect("table and key are set")
    }

    fn check(&self, key: Key, expect: Expect) -> ConditionCheck {
        let mut values = Item::new();
        let condition = expression::condition(expect, &mut values).map(str::to_owned);
        ConditionCheck::builder()
            .table_name(self.name(key.table))
            .set_key(Some(key_item(key.partition, key.sort)))
            .set_condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .build()
            .expect("table, key and condition are set: a check without expectation was refused before")
    }
}

fn transaction_error<R>(error: SdkError<TransactWriteItemsError, R>) -> StoreError
where
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error()
    else {
        return store_error(error);
    };
    let reasons = cancelled.cancellation_reasons();
    let parts = parts_with(reasons, "ConditionalCheckFailed");
    if !parts.is_empty() {
        StoreError::Refused { parts }
    } else if parts_with(reasons, "ValidationError").is_empty() {
        StoreError::Unavailable(Box::new(error))
    } else {
        StoreError::Invalid(Box::new(error))
    }
}

fn parts_with(reasons: &[CancellationReason], code: &str) -> Vec<usize> {
    let parts = reasons.iter().enumerate();
    parts
        .filter(|(_, reason)| reason.code() == Some(code))
        .map(|(part, _)| part)
        .collect()
}
