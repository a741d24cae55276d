//! A webhook in, an answer out.

use lambda::{Failure, Invocation, Output};
use shared::api::{Api, WebhookOperation, WebhookState};

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) state: WebhookState,
}

impl Handler {
    /// Answers a request, or takes a webhook that somebody hands on.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Other(event) => {
                let operation = WebhookOperation::read(event)?;
                Ok(Output::Other(operation.run(&self.state).await?))
            }
            Invocation::Queue(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
