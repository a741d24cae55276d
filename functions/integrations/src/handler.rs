//! A request in, an answer out.

use lambda::{Failure, Invocation, Output};
use shared::api::Api;

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
}

impl Handler {
    /// Answers a request.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Queue(_) | Invocation::Other(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
