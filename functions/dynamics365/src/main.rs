//! Works slices of runs with Dynamics 365, and tests whether an integration works.

mod handler;
mod parts;

use std::sync::Arc;

use shared::adapters::{Connections, Registry};
use shared::clients::Clients;
use shared::config::{Dynamics365Config, ProcessEnvironment};
use shared::flow::watch::Registrar;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = Dynamics365Config::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let ports = lambda::ports(&clients, config.tables.into(), &config.dynamics365_queue_url);
    let tokens = lambda::shared_tokens(&clients, &ports, config.token_key);
    let registry = Registry {
        connections: Connections::new(config.outbound_exceptions, Arc::clone(&ports.clock))
            .sharing(tokens.clone()),
        secrets: lambda::secrets(&clients),
        secret_prefix: config.secret_prefix,
        time_limit: parts::SLICE,
    };
    let registrar = Registrar {
        keys: Arc::clone(&tokens.keys),
        api_url: config.api_url,
    };
    let publish = lambda::publish(&clients, &config.event_bus);
    let handler = &parts::handler(ports, publish, &registry, registrar);
    lambda::run(|event| handler.handle(event)).await
}
