//! What the function is made of: the routes that test, and the worker of slices.

use std::sync::Arc;
use std::time::Duration;

use shared::adapters::Registry;
use shared::api::{Api, Test, test_routes};
use shared::flow::Ports;
use shared::flow::watch::Registrar;
use shared::flow::work::Worker;
use shared::model::System;
use shared::publish::Publish;

use crate::handler::Handler;

/// What an adapter may take in a slice: less than the function's two minutes.
pub(crate) const SLICE: Duration = Duration::from_secs(100);

/// What an adapter may take while somebody waits: less than the gateway's half a minute.
const TEST: Duration = Duration::from_secs(25);

/// Puts the routes and the worker together.
pub(crate) fn handler(
    ports: Ports,
    publish: Arc<dyn Publish>,
    registry: &Registry,
    registrar: Registrar,
) -> Handler {
    let test = Test {
        system: System::Dynamics365,
        ports: ports.clone(),
        connect: Arc::new(Registry {
            time_limit: TEST,
            ..registry.clone()
        }),
    };
    let api = Api::new(test_routes(test), &ports);
    let connect = Arc::new(registry.clone());
    let worker = Worker {
        ports,
        publish,
        connect,
        exceptions: registry.connections.exceptions().clone(),
        registrar,
    };
    Handler { api, worker }
}
