//! The ports as they are on AWS.

use std::sync::Arc;

use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::config::{IssuerConfig, Queues, SchedulerConfig};
use shared::flow::Ports;
use shared::http::{Exceptions, Http};
use shared::keys::{KeyNames, Keys, KmsKeys};
use shared::oauth::SharedTokens;
use shared::objects::{Objects, S3Objects};
use shared::publish::{EventBridge, Publish};
use shared::queue::SqsQueue;
use shared::registry::{BuiltIn, Hydra, Issuer, Tokens};
use shared::scheduler::{EventBridgeScheduler, Scheduler};
use shared::secrets::{Secrets, SecretsManager};
use shared::store::{DynamoStore, Store, TableNames};

/// Puts the tables together.
#[must_use]
pub fn store(clients: &Clients, names: TableNames) -> Arc<dyn Store> {
    Arc::new(DynamoStore::new(&clients.dynamodb(), names))
}

/// Puts the tables, the queues and the time together.
#[must_use]
pub fn ports(clients: &Clients, names: TableNames, Queues(urls): Queues) -> Ports {
    Ports {
        store: store(clients, names),
        queue: Arc::new(SqsQueue::new(clients.sqs(), urls)),
        clock: Arc::new(SystemClock),
    }
}

/// Puts the tables and the time together, for a function that puts nothing on a queue.
#[must_use]
pub fn ports_without_queues(clients: &Clients, names: TableNames) -> Ports {
    ports(clients, names, Queues::default())
}

/// Puts together where files are kept.
#[must_use]
pub fn objects(clients: &Clients, bucket: String) -> Arc<dyn Objects> {
    Arc::new(S3Objects::new(clients.s3(), bucket))
}

/// Puts the keys together; `seals` is the one for secrets, where the function has one.
#[must_use]
pub fn keys(clients: &Clients, config: &IssuerConfig, seals: Option<String>) -> Arc<dyn Keys> {
    let names = KeyNames {
        signs: Some(config.signing_key.clone()),
        signed: config.previous_signing_key.clone(),
        seals,
    };
    Arc::new(KmsKeys::new(clients.kms(), names))
}

/// Puts the key together that seals the tokens of integrations; it signs nothing.
#[must_use]
pub fn token_keys(clients: &Clients, seals: String) -> Arc<dyn Keys> {
    let names = KeyNames {
        signs: None,
        signed: None,
        seals: Some(seals),
    };
    Arc::new(KmsKeys::new(clients.kms(), names))
}

/// Puts together where the tokens of integrations are kept for all functions, by one that shows no refresh token.
#[must_use]
pub fn shared_tokens(clients: &Clients, ports: &Ports, key: String) -> SharedTokens {
    SharedTokens {
        store: Arc::clone(&ports.store),
        keys: token_keys(clients, key),
        spends: false,
    }
}

/// Puts the issuer of access tokens together, and the tokens where they are issued here.
#[must_use]
pub fn issuer(config: &IssuerConfig, keys: Arc<dyn Keys>) -> (Arc<dyn Issuer>, Option<Arc<Tokens>>) {
    if let Some(hydra) = &config.hydra {
        // The operator names it, wherever it is.
        let http = Http::new(Exceptions::only(&hydra.admin_url));
        let (url, token_url) = (hydra.admin_url.clone(), hydra.token_url.clone());
        return (Arc::new(Hydra::new(http, url, hydra.api, token_url)), None);
    }
    let tokens = Arc::new(Tokens::new(keys, config.api_url.trim_end_matches('/')));
    (Arc::new(BuiltIn(Arc::clone(&tokens))), Some(tokens))
}

/// Puts the scheduler together.
#[must_use]
pub fn scheduler(clients: &Clients, config: SchedulerConfig) -> Arc<dyn Scheduler> {
    let SchedulerConfig(target) = config;
    Arc::new(EventBridgeScheduler::new(clients.scheduler(), target))
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
