//! Does, every minute, what should have been done and was not.

mod handler;

use shared::clients::Clients;
use shared::config::{ProcessEnvironment, ReconcileConfig};

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = ReconcileConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let ports = lambda::ports(&clients, config.tables.into(), config.queues);
    let publish = lambda::publish(&clients, &config.event_bus);
    let scheduler = lambda::scheduler(&clients, config.scheduler);
    let objects = lambda::objects(&clients, config.files_bucket);
    let handler = &Handler {
        ports,
        publish,
        scheduler,
        objects,
    };
    lambda::run(|event| handler.handle(event)).await
}
