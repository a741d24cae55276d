//! What the functions share about Lambda itself: what wakes them, what they answer, what they log.

mod failure;
mod invocation;
mod ports;
mod queue;
mod request;
mod response;
mod system;
mod telemetry;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

use std::future::Future;

use lambda_runtime::{LambdaEvent, service_fn};
use serde::Serialize;

pub use failure::Failure;
pub use invocation::{Invocation, authorization_headers};
pub use lambda_runtime::Error;
pub use ports::{
    issuer, keys, objects, ports, ports_without_queues, publish, scheduler, secrets, shared_tokens, store,
    token_keys,
};
pub use queue::work;
pub use request::direct_caller;
pub use response::{Output, answer};
pub use system::serve;
pub use telemetry::start as start_telemetry;

/// Answers invocations until the function is stopped.
///
/// # Errors
///
/// If the runtime does not give or take invocations any more.
pub async fn run<F, A, O>(handle: F) -> Result<(), Error>
where
    F: Fn(Invocation) -> A + Send + Sync,
    A: Future<Output = Result<O, Failure>> + Send,
    O: Serialize + Send,
{
    lambda_runtime::run(service_fn(|event: LambdaEvent<Invocation>| handle(event.payload))).await
}
