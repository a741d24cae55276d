//! Says who calls the API.

mod handler;

use std::sync::Arc;

use shared::authorize::Doorkeeper;
use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::config::{AuthorizerConfig, ProcessEnvironment};

use crate::handler::Handler;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda::Error> {
    lambda::start_telemetry();
    let config = AuthorizerConfig::read(&ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let secrets = lambda::secrets(&clients);
    let keeper = Doorkeeper::new(secrets, Arc::new(SystemClock), config.admin_secret);
    let handler = &Handler { keeper };
    lambda::run(|event| handler.handle(event)).await
}
