//! Messages in, those that failed out; or a request in, findings out.

use lambda::{Failure, Invocation, Output};
use shared::api::Api;
use shared::flow::work::{Worker, work};

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) worker: Worker,
}

impl Handler {
    /// Works slices and webhooks, or answers a request.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Queue(batch) => {
                let each = async |message| work(&self.worker, &message).await;
                Ok(Output::Queue(lambda::work(batch, each).await))
            }
            Invocation::Other(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
