//! What the function of a system is, whichever system it is: messages in, those that failed out; or a request in,
//! findings out.

use std::sync::Arc;
use std::time::Duration;

use shared::adapters::{Connections, FileStores, Registry};
use shared::api::{Api, ExportOperation, Test, system_routes};
use shared::clients::Clients;
use shared::config::{ProcessEnvironment, SystemConfig};
use shared::flow::Ports;
use shared::flow::watch::Registrar;
use shared::flow::work::{Worker, work};
use shared::model::System;
use shared::publish::Publish;

use crate::{Error, Failure, Invocation, Output};

/// What an adapter may take in a slice: less than the function's two minutes.
const SLICE: Duration = Duration::from_secs(100);

/// What an adapter may take while somebody waits: less than the gateway's half a minute.
const TEST: Duration = Duration::from_secs(25);

/// Works slices of runs with a system and its webhooks, and tests its integrations, until the function is stopped.
///
/// # Errors
///
/// If a variable is missing or malformed, or the runtime does not give or take invocations any more.
pub async fn serve(system: System) -> Result<(), Error> {
    crate::start_telemetry();
    let config = SystemConfig::read(system, &ProcessEnvironment)?;
    let clients = Clients::from_environment(&ProcessEnvironment);
    let ports = crate::ports(&clients, config.tables.into(), config.queues);
    let tokens = crate::shared_tokens(&clients, &ports, config.token_key);
    let files = FileStores {
        store: Arc::clone(&ports.store),
        objects: crate::objects(&clients, config.files_bucket),
    };
    let registry = Registry {
        connections: Connections::new(config.outbound_exceptions, Arc::clone(&ports.clock))
            .sharing(tokens.clone())
            .filing(files),
        secrets: crate::secrets(&clients),
        secret_prefix: config.secret_prefix,
        time_limit: SLICE,
    };
    let registrar = Registrar {
        keys: Arc::clone(&tokens.keys),
        api_url: config.api_url,
    };
    let publish = crate::publish(&clients, &config.event_bus);
    let handler = &Handler::new(system, ports, publish, &registry, registrar);
    crate::run(|event| handler.handle(event)).await
}

/// What an invocation is answered with: the routes that test, and the worker of slices.
#[derive(Debug)]
struct Handler {
    api: Api,
    own: Test,
    worker: Worker,
}

impl Handler {
    fn new(
        system: System,
        ports: Ports,
        publish: Arc<dyn Publish>,
        registry: &Registry,
        registrar: Registrar,
    ) -> Self {
        let own = Test {
            system,
            ports: ports.clone(),
            connect: Arc::new(Registry {
                time_limit: TEST,
                ..registry.clone()
            }),
        };
        Self {
            api: Api::new(system_routes(own.clone()), &ports),
            own,
            worker: Worker {
                ports,
                publish,
                connect: Arc::new(registry.clone()),
                exceptions: registry.connections.exceptions().clone(),
                registrar,
            },
        }
    }

    /// Works slices, webhooks and vouchers, answers a request, or carries an operation out.
    async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(crate::answer(&self.api, *request).await),
            Invocation::Queue(batch) => {
                let each = async |message| work(&self.worker, &message).await;
                Ok(Output::Queue(crate::work(batch, each).await))
            }
            Invocation::Other(operation) if self.own.system.keeps_books() => {
                let operation = ExportOperation::read(operation)?;
                let result = operation.run(&self.own, &crate::direct_caller()).await?;
                Ok(Output::Other(result))
            }
            Invocation::Other(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
