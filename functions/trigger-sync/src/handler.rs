//! A request or an operation in, a run out.

use lambda::{Failure, Invocation, Output};
use shared::api::{Api, Operation};
use shared::flow::Ports;

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) ports: Ports,
}

impl Handler {
    /// Answers a request, or carries an operation out.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Other(operation) => {
                let operation = Operation::read(operation)?;
                let result = operation.run(&self.ports, &lambda::direct_caller()).await?;
                Ok(Output::Other(result))
            }
            Invocation::Queue(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
