//! A request in, an answer out; and by the clock, what was left half way is finished.

use lambda::{Failure, Invocation, Output};
use serde_json::json;
use shared::api::Api;
use shared::registry::{Registry, mend};

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) registry: Registry,
}

impl Handler {
    /// Answers a request, or mends credentials.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Other(event) if event == json!({ "operation": "mendCredentials" }) => {
                self.mend().await
            }
            Invocation::Queue(_) | Invocation::Other(_) => Err(Failure::unexpected()),
        }
    }

    async fn mend(&self) -> Result<Output, Failure> {
        let mended = mend(&self.registry).await;
        let mended = mended.map_err(|error| Failure::new("unavailable", &error))?;
        Ok(Output::Other(json!({ "mended": mended })))
    }
}

#[cfg(test)]
mod tests;
