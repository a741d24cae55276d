//! Opens runs and enqueues their first slice.

mod handler;

use shared::api::{Api, trigger_routes};
use shared::clients::Clients;
use shared::config::{ProcessEnvironment, TriggerSyncConfig};

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = TriggerSyncConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let ports = lambda::ports(&clients, config.tables.into(), config.queues);
    let api = Api::new(trigger_routes(ports.clone()), &ports);
    let handler = &Handler { api, ports };
    lambda::run(|event| handler.handle(event)).await
}
