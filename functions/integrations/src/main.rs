//! Connects integrations, shows and changes what is known of them, takes the platform's records.

mod handler;

use shared::api::{Api, Integrations, integration_routes};
use shared::clients::Clients;
use shared::config::{IntegrationsConfig, ProcessEnvironment};
use shared::integration::Vault;
use shared::store::{Table, TableNames};

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = IntegrationsConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let tables = TableNames::from(config.tables).and(Table::Registry, config.registry_table);
    let ports = lambda::ports(&clients, tables, config.queues);
    let state = Integrations {
        ports: ports.clone(),
        vault: Vault::new(lambda::secrets(&clients), config.secret_prefix),
        scheduler: lambda::scheduler(&clients, config.scheduler),
        exceptions: config.outbound_exceptions,
        keys: lambda::token_keys(&clients, config.token_key),
        api_url: config.api_url,
        objects: lambda::objects(&clients, config.files_bucket),
    };
    let api = Api::new(integration_routes(state.clone()), &ports);
    let handler = &Handler { api, state };
    lambda::run(|event| handler.handle(event)).await
}
