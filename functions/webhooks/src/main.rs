//! Takes webhooks: verifies them, and keeps them on the queue of their system.

mod handler;

use shared::api::{Api, WebhookState, webhook_routes};
use shared::clients::Clients;
use shared::config::{ProcessEnvironment, WebhooksConfig};
use shared::flow::receive::Receiver;
use shared::store::Table;

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = WebhooksConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let tables = [(Table::Control, &*config.control_table)];
    let ports = lambda::ports(&clients, tables.into(), config.queues);
    let keys = lambda::token_keys(&clients, config.token_key);
    let receiver = Receiver::new(ports.clone(), keys, config.outbound_exceptions);
    let state = WebhookState { receiver };
    let api = Api::new(webhook_routes(state.clone()), &ports);
    let handler = &Handler { api, state };
    lambda::run(|event| handler.handle(event)).await
}
