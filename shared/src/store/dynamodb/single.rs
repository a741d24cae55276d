//! Writes of one row, which cost half of what they would in a transaction.

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{ReturnConsumedCapacity, ReturnValuesOnConditionCheckFailure};
use uuid::Uuid;

use super::failure::store_error;
use super::item::{Item, key_item, text};
use super::{DynamoStore, expression, units};
use crate::store::{Action, Content, Expect, Key, StoreError, Write};

impl DynamoStore {
    pub(super) async fn write_one(&self, write: Write) -> Result<(), StoreError> {
        match write.action {
            Action::Put(content) => self.put(write.key, write.expect, content).await,
            Action::Delete => self.delete(write.key, write.expect).await,
            Action::Check => self.transact(vec![write]).await,
        }
    }

    /// Puts a row under a name of the attempt.
    ///
    /// The client repeats a put whose answer was lost. If the first one was made, the second is refused, and the
    /// name that DynamoDB shows with the refusal is ours.
    async fn put(&self, key: Key, expect: Expect, content: Content) -> Result<(), StoreError> {
        let attempt = Uuid::new_v4().to_string();
        let mut values = Item::new();
        let condition = expression::condition(expect, &mut values).unwrap_or(expression::NOT_YET);
        let update = expression::update(content, expect, Some(&attempt), &mut values);
        let request = self.client.update_item().table_name(self.name(key.table));
        let request = request
            .set_key(Some(key_item(key.partition, key.sort)))
            .update_expression(update)
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match request.send().await {
            Ok(answer) => {
                self.counter.write(1, units(&answer.consumed_capacity));
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(refused)) => {
                    let stored = refused.item().and_then(|item| item.get("attempt"));
                    self.count_refusal(stored == Some(&text(attempt)))
                }
                _ => Err(store_error(error)),
            },
        }
    }

    async fn delete(&self, key: Key, expect: Expect) -> Result<(), StoreError> {
        let mut values = Item::new();
        let condition = expression::condition(expect, &mut values).map(str::to_owned);
        let request = self.client.delete_item().table_name(self.name(key.table));
        let request = request
            .set_key(Some(key_item(key.partition, key.sort)))
            .set_condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match request.send().await {
            Ok(answer) => {
                self.counter.write(1, units(&answer.consumed_capacity));
                Ok(())
            }
            Err(error) => match error.as_service_error() {
                Some(DeleteItemError::ConditionalCheckFailedException(_)) => self.count_refusal(false),
                _ => Err(store_error(error)),
            },
        }
    }

    fn count_refusal(&self, is_ours: bool) -> Result<(), StoreError> {
        self.counter.write(1, 0.0);
        if is_ours {
            Ok(())
        } else {
            Err(StoreError::Refused { parts: vec![0] })
        }
    }
}
