//! A request in, an answer out.

use lambda::{Failure, Invocation, Output};
use shared::api::{Api, Integrations, ScheduleOperation};

/// What an invocation is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) api: Api,
    pub(crate) state: Integrations,
}

impl Handler {
    /// Answers a request, or carries out an operation on a schedule.
    pub(crate) async fn handle(&self, event: Invocation) -> Result<Output, Failure> {
        match event {
            Invocation::Http(request) => Ok(lambda::answer(&self.api, *request).await),
            Invocation::Other(event) => {
                let operation = ScheduleOperation::read(event)?;
                let done = operation.run(&self.state, &lambda::direct_caller()).await?;
                Ok(Output::Other(done))
            }
            Invocation::Queue(_) => Err(Failure::unexpected()),
        }
    }
}

#[cfg(test)]
mod tests;
