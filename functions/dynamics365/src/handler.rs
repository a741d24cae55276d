//! Messages in, those that failed out; or a request in, findings out.

use std::sync::Arc;
use std::time::Duration;

use lambda::{Failure, Invocation, Output};
use shared::adapters::Registry;
use shared::api::{Api, Test, test_routes};
use shared::flow::Ports;
use shared::flow::work::{Worker, slice};
use shared::model::System;
use shared::publish::Publish;

/// What an adapter may take while somebody waits: less than the gateway's half a minute.
const TEST: Duration = Duration::from_secs(25);

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    api: Api,
    worker: Worker,
}

impl Handler {
    /// Puts the routes and the worker together.
    pub(crate) fn new(ports: Ports, publish: Arc<dyn Publish>, registry: &Registry) -> Self {
        let connect = |time_limit| {
            Arc::new(Registry {
                time_limit,
                ..registry.clone()
            })
        };
        let test = Test {
            system: System::Dynamics365,
            ports: ports.clone(),
            connect: connect(TEST),
        };
        let api = Api::new(test_routes(test), &ports);
        let worker = Worker {
            ports,
            publish,
            connect: connect(registry.time_limit),
        };
        Self { api, worker }
    }

    /// Works slices, or answers a request.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Queue(batch) => {
                let each = async |message| slice(&self.worker, &message).await;
                Ok(Output::Queue(lambda::work(batch, each).await))
            }
            Invocation::Other(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
