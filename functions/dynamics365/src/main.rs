//! Works slices of runs with Dynamics 365, and tests whether an integration works.

mod handler;

use std::sync::Arc;
use std::time::Duration;

use shared::adapters::{Connections, Registry};
use shared::clients::Clients;
use shared::config::{Dynamics365Config, ProcessEnvironment};
use shared::publish::EventBridge;
use shared::secrets::SecretsManager;

use crate::handler::Handler;

/// What an adapter may take in a slice: less than the function's two minutes.
const SLICE: Duration = Duration::from_secs(100);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = Dynamics365Config::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment().await;
    let ports = lambda::ports(&clients, &config.tables, &config.dynamics365_queue_url);
    let connections = Connections::new(config.outbound_exceptions, Arc::clone(&ports.clock));
    let secrets = Arc::new(SecretsManager::new(clients.secrets_manager(), ""));
    let registry = Registry {
        connections,
        secrets,
        secret_prefix: config.secret_prefix,
        time_limit: SLICE,
    };
    let publish = Arc::new(EventBridge::new(clients.eventbridge(), config.event_bus));
    let handler = &Handler::new(ports, publish, &registry);
    lambda::run(|event| handler.handle(event)).await
}
