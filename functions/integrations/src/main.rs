//! Connects integrations, shows and changes what is known of them, takes the platform's records.

mod handler;

use std::sync::Arc;

use shared::api::{Api, Integrations, integration_routes};
use shared::clients::Clients;
use shared::config::{IntegrationsConfig, ProcessEnvironment};
use shared::integration::Vault;
use shared::secrets::SecretsManager;

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = IntegrationsConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment().await;
    let ports = lambda::ports(&clients, &config.tables, &config.dynamics365_queue_url);
    let secrets = Arc::new(SecretsManager::new(clients.secrets_manager(), ""));
    let vault = Vault::new(secrets, config.secret_prefix);
    let exceptions = config.outbound_exceptions;
    let state = Integrations {
        ports: ports.clone(),
        vault,
        exceptions,
    };
    let handler = &Handler {
        api: Api::new(integration_routes(state), &ports),
    };
    lambda::run(|event| handler.handle(event)).await
}
