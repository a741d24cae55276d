//! A tick in, what was mended out.

use std::sync::Arc;

use lambda::{Failure, Invocation};
use shared::flow::Ports;
use shared::flow::reconcile::{Mended, sweep};
use shared::objects::Objects;
use shared::publish::Publish;
use shared::scheduler::Scheduler;

/// What a tick is answered with.
#[derive(Debug)]
pub(crate) struct Handler {
    pub(crate) ports: Ports,
    pub(crate) publish: Arc<dyn Publish>,
    pub(crate) scheduler: Arc<dyn Scheduler>,
    pub(crate) objects: Arc<dyn Objects>,
}

impl Handler {
    /// Mends what is due, whatever the tick says.
    pub(crate) async fn handle(&self, _: Invocation) -> Result<Mended, Failure> {
        let mended = sweep(&self.ports, &self.publish, &self.scheduler, &*self.objects).await;
        mended.map_err(|error| Failure::new("unavailable", &error))
    }
}

#[cfg(test)]
mod tests;
