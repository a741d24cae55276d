//! Tables and a bus that fail, and that lose answers, when the dice say so.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use shared::publish::{MemoryPublish, Publish, PublishError, ResultEvent};
use shared::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

use crate::dice::Dice;

#[derive(Debug)]
pub(crate) struct ChaosStore {
    pub(crate) inner: MemoryStore,
    pub(crate) dice: Arc<Dice>,
}

impl ChaosStore {
    async fn pass(&self, chances: usize) -> Result<(), StoreError> {
        self.dice.point().await;
        if self.dice.fault(chances) {
            Err(StoreError::Unavailable("throttled".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Store for ChaosStore {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.pass(400).await?;
        self.inner.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.pass(400).await?;
        self.inner.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.pass(200).await?;
        let answer = self.inner.write(writes).await;
        self.pass(200).await?;
        answer
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.inner.due(list, now, limit).await
    }
}

#[derive(Debug)]
pub(crate) struct ChaosBus {
    pub(crate) inner: MemoryPublish,
    pub(crate) dice: Arc<Dice>,
}

#[async_trait]
impl Publish for ChaosBus {
    async fn publish(&self, events: &[ResultEvent]) -> Vec<Result<(), PublishError>> {
        self.dice.point().await;
        if self.dice.fault(5) {
            return events
                .iter()
                .map(|_| Err(PublishError("throttled".into())))
                .collect();
        }
        let answers = self.inner.publish(events).await;
        self.dice.point().await;
        answers
    }
}
