//! Says who calls the API.

mod handler;

use std::sync::Arc;

use shared::authorize::{Doorkeeper, Parts};
use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::config::{AuthorizerConfig, ProcessEnvironment};
use shared::store::Table;

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = AuthorizerConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let keys = lambda::keys(&clients, &config.issuer, None);
    let (issuer, _) = lambda::issuer(&config.issuer, keys);
    let parts = Parts {
        secrets: lambda::secrets(&clients),
        store: lambda::store(&clients, [(Table::Registry, &*config.registry_table)].into()),
        issuer,
        clock: Arc::new(SystemClock),
    };
    let keeper = Doorkeeper::new(parts, config.admin_secret);
    let handler = &Handler { keeper };
    lambda::run(|event| handler.handle(event)).await
}
