//! Lists of rows: of a partition, and of what is due.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use jiff::Timestamp;

use super::failure::store_error;
use super::item::{self, Item, number, text};
use super::{DynamoStore, expression, units};
use crate::store::{Due, Key, Page, Query, Row, StoreError, Table};

/// Where a list begins.
enum Start {
    First,
    After(Item),
    Nowhere,
}

impl DynamoStore {
    pub(super) async fn list(&self, query: &Query) -> Result<Page, StoreError> {
        let start = match start(query) {
            Start::Nowhere => return Ok(empty()),
            Start::First => None,
            Start::After(key) => Some(key),
        };
        let (items, next) = self.pages(&self.partition(query), start, query.limit).await?;
        let rows = items.into_iter().map(|item| item::row(query.table, item));
        let rows = rows.collect::<Result<Vec<Row>, _>>()?;
        let next = next.map(|mut key| item::key(query.table, &mut key)).transpose()?;
        Ok(Page {
            rows,
            next: next.map(|key| key.sort),
        })
    }

    pub(super) async fn list_due(
        &self,
        list: Due,
        now: Timestamp,
        limit: usize,
    ) -> Result<Vec<Key>, StoreError> {
        let due = self.client.query().table_name(self.name(Table::Control));
        let due = due
            .index_name("due")
            .key_condition_expression("due = :due AND due_at <= :now")
            .expression_attribute_values(":due", text(expression::name(list)))
            .expression_attribute_values(":now", number(now.as_millisecond()));
        let (items, _) = self.pages(&due, None, limit).await?;
        let keys = items
            .into_iter()
            .map(|mut item| item::key(Table::Control, &mut item));
        keys.collect()
    }

    fn partition(&self, query: &Query) -> QueryFluentBuilder {
        let request = self.client.query().table_name(self.name(query.table));
        let request = request
            .consistent_read(true)
            .scan_index_forward(!query.newest_first)
            .projection_expression(item::ROW)
            .expression_attribute_values(":pk", text(&query.partition));
        if query.prefix.is_empty() {
            return request.key_condition_expression("pk = :pk");
        }
        request
            .key_condition_expression("pk = :pk AND begins_with(sk, :prefix)")
            .expression_attribute_values(":prefix", text(&query.prefix))
    }

    /// Goes on over the ends of DynamoDB's pages, of which some are empty, until `limit` items or the end.
    async fn pages(
        &self,
        request: &QueryFluentBuilder,
        mut start: Option<Item>,
        limit: usize,
    ) -> Result<(Vec<Item>, Option<Item>), StoreError> {
        let mut items = Vec::new();
        loop {
            let page = self.page(request, start, limit - items.len()).await?;
            items.extend(page.items.unwrap_or_default());
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= limit {
                return Ok((items, start));
            }
        }
    }

    async fn page(
        &self,
        request: &QueryFluentBuilder,
        start: Option<Item>,
        limit: usize,
    ) -> Result<QueryOutput, StoreError> {
        let request = request.clone().set_exclusive_start_key(start);
        let request = request
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let page = request.send().await.map_err(store_error)?;
        self.counter
            .read(page.items().len(), units(&page.consumed_capacity));
        Ok(page)
    }
}

/// Keeps the start within the prefix, outside of which DynamoDB refuses it.
fn start(query: &Query) -> Start {
    let Some(after) = &query.after else {
        return Start::First;
    };
    let below = after.as_str() < query.prefix.as_str();
    if after.starts_with(&query.prefix) && !after.is_empty() {
        Start::After(item::key_item(&query.partition, after))
    } else if (below || after.is_empty()) != query.newest_first {
        Start::First
    } else {
        Start::Nowhere
    }
}

const fn empty() -> Page {
    Page {
        rows: Vec::new(),
        next: None,
    }
}
