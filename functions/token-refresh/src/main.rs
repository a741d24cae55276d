//! Renews the tokens of integrations, changes their credentials, and lets persons sign in for them.

mod handler;
mod parts;

use shared::clients::Clients;
use shared::config::{ProcessEnvironment, TokenRefreshConfig};
use shared::store::Table;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = TokenRefreshConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let tables = [(Table::Control, &*config.control_table)];
    let ports = lambda::ports_without_queues(&clients, tables.into());
    let keys = lambda::token_keys(&clients, config.token_key.clone());
    let secrets = lambda::secrets(&clients);
    let handler = &parts::handler(ports, keys, secrets, config);
    lambda::run(|event| handler.handle(event)).await
}
