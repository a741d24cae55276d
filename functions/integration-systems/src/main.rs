//! The registry of integration systems over GraphQL, and the token endpoint.

mod handler;

use std::sync::Arc;

use shared::api::{Api, RegistryState, registry_routes};
use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::config::{IntegrationSystemsConfig, ProcessEnvironment};
use shared::registry::Registry;
use shared::store::Table;

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = IntegrationSystemsConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let keys = lambda::keys(&clients, &config.issuer, Some(config.sealing_key));
    let (issuer, tokens) = lambda::issuer(&config.issuer, Arc::clone(&keys));
    let tables = [
        (Table::Registry, &*config.registry_table),
        (Table::Control, &*config.control_table),
    ];
    let registry = Registry {
        store: lambda::store(&clients, tables.into()),
        keys,
        issuer,
        clock: Arc::new(SystemClock),
    };
    let state = RegistryState::new(registry.clone(), tokens, config.graphql_introspection);
    let api = Api::of_no_organization(registry_routes(state), &registry.clock);
    let handler = &Handler { api, registry };
    lambda::run(|event| handler.handle(event)).await
}
