//! The ports as they are on AWS.

use std::sync::Arc;

use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::config::Tables;
use shared::flow::Ports;
use shared::model::System;
use shared::publish::{EventBridge, Publish};
use shared::queue::SqsQueue;
use shared::secrets::{Secrets, SecretsManager};
use shared::store::{DynamoStore, Table};

/// Puts the tables, the queues and the time together.
#[must_use]
pub fn ports(clients: &Clients, tables: &Tables, dynamics365_queue_url: &str) -> Ports {
    let names = [
        (Table::Control, &*tables.control),
        (Table::Records, &*tables.records),
    ];
    let urls = [(System::Dynamics365, dynamics365_queue_url.to_owned())];
    Ports {
        store: Arc::new(DynamoStore::new(&clients.dynamodb(), names.into())),
        queue: Arc::new(SqsQueue::new(clients.sqs(), urls.into())),
        clock: Arc::new(SystemClock),
    }
}

/// Puts the secrets together; they are named as they are.
#[must_use]
pub fn secrets(clients: &Clients) -> Arc<dyn Secrets> {
    Arc::new(SecretsManager::new(clients.secrets_manager(), ""))
}

/// Puts the bus together.
#[must_use]
pub fn publish(clients: &Clients, bus: &str) -> Arc<dyn Publish> {
    Arc::new(EventBridge::new(clients.eventbridge(), bus))
}
