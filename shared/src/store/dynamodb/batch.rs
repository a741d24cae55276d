//! Reads of rows by their keys.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use futures::{StreamExt, TryStreamExt, stream};
use uuid::Uuid;

use super::failure::store_error;
use super::{DynamoStore, item, units};
use crate::store::{Key, Row, StoreError, Table};

/// The most keys of one request.
const MAX_KEYS: usize = 100;
/// How many requests are under way at once.
const AT_ONCE: usize = 8;
/// How often the keys that DynamoDB did not come to are asked for again: some three seconds in all.
const MAX_TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(25);

type Keys = HashMap<String, KeysAndAttributes>;

#[derive(Debug, thiserror::Error)]
#[error("{0} keys were left unread")]
struct LeftUnread(usize);

impl DynamoStore {
    pub(super) async fn get_all(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        // DynamoDB refuses a request that names one key twice.
        let unique: Vec<&Key> = keys.iter().collect::<BTreeSet<_>>().into_iter().collect();
        let requests: Vec<Keys> = unique.chunks(MAX_KEYS).map(|chunk| self.request(chunk)).collect();
        let rows: Vec<Vec<Row>> = stream::iter(requests)
            .map(|request| self.read(request))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(in_order(keys, rows.into_iter().flatten()))
    }

    fn request(&self, keys: &[&Key]) -> Keys {
        let mut request = HashMap::new();
        for key in keys {
            let items: &mut Vec<_> = request.entry(self.name(key.table).to_owned()).or_default();
            items.push(item::key_item(&key.partition, &key.sort));
        }
        let strongly = |items| {
            let keys = KeysAndAttributes::builder().set_keys(Some(items));
            let keys = keys.consistent_read(true).projection_expression(item::ROW);
            keys.build().expect("the keys are set")
        };
        request
            .into_iter()
            .map(|(table, items)| (table, strongly(items)))
            .collect()
    }

    async fn read(&self, mut left: Keys) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        for attempt in 0..MAX_TRIES {
            if attempt > 0 {
                tokio::time::sleep(wait_before(attempt)).await;
            }
            left = self.read_some(left, &mut rows).await?;
            if left.is_empty() {
                return Ok(rows);
            }
        }
        let unread = left.values().map(|keys| keys.keys().len()).sum();
        Err(StoreError::Unavailable(Box::new(LeftUnread(unread))))
    }

    /// Adds what one request gives to `rows`, and returns the keys that DynamoDB did not come to.
    async fn read_some(&self, keys: Keys, rows: &mut Vec<Row>) -> Result<Keys, StoreError> {
        let request = self.client.batch_get_item().set_request_items(Some(keys));
        let request = request.return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = request.send().await.map_err(store_error)?;
        let before = rows.len();
        for (name, items) in answer.responses.unwrap_or_default() {
            let table = self.table(&name);
            for item in items {
                rows.push(item::row(table, item)?);
            }
        }
        let units = units(answer.consumed_capacity.iter().flatten());
        self.counter.read(rows.len() - before, units);
        Ok(answer.unprocessed_keys.unwrap_or_default())
    }

    fn table(&self, name: &str) -> Table {
        let named = self.tables.0.iter().find(|(_, known)| *known == name);
        named.map_or(Table::Control, |(table, _)| *table)
    }
}

fn in_order(keys: &[Key], rows: impl Iterator<Item = Row>) -> Vec<Option<Row>> {
    let mut places: HashMap<&Key, usize> = HashMap::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        places.entry(key).or_insert(place);
    }
    let mut found = vec![None; keys.len()];
    for row in rows {
        if let Some(place) = places.get(&row.key) {
            found[*place] = Some(row);
        }
    }
    for (place, key) in keys.iter().enumerate() {
        if places[key] != place {
            found[place] = found[places[key]].clone();
        }
    }
    found
}

/// Waits up to twice as long each time, at random, so that readers who were throttled together come back apart.
fn wait_before(attempt: u32) -> Duration {
    let longest = FIRST_WAIT * 2_u32.pow(attempt);
    let (random, _) = Uuid::new_v4().as_u64_pair();
    longest.mul_f64(random as f64 / u64::MAX as f64)
}
