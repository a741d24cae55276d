//! A request, an operation or a tick in; how tokens stand out.

use lambda::{Failure, Invocation, Output};
use shared::api::{Api, TokenOperation, TokenState};

use crate::parts::TICK;

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) state: TokenState,
}

impl Handler {
    /// Answers a request, or carries out an operation on tokens.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Other(event) => {
                let deadline = self.state.ports.now() + TICK;
                let operation = TokenOperation::read(event)?;
                let caller = lambda::direct_caller();
                let done = operation.run(&self.state, &caller, deadline).await?;
                Ok(Output::Other(done))
            }
            Invocation::Queue(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
