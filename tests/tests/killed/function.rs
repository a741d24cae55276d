//! A function as Lambda runs it: a process that asks for events, and answers them.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use http::{Method, StatusCode};
use serde_json::Value;
use shared::clock::{Clock as _, SystemClock};
use tests::wire::{Answer, Handler, Request, Transport};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{Mutex, mpsc};

use crate::cloud::Order;

/// How long an invocation may take, so that one that hangs is a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// What became of an invocation.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was answered, with a result or an error.
    Answered(Value),
    /// The process was killed.
    Died,
}

/// A process of a function, and what it asks for events.
#[derive(Debug)]
pub(crate) struct Function {
    process: Child,
    events: mpsc::Sender<String>,
    answers: mpsc::Receiver<Value>,
    _runtime: Transport,
}

/// Builds the functions, as the end-to-end tests do.
pub(crate) fn build() {
    let functions = ["trigger-sync", "dynamics365", "token-refresh", "reconcile"];
    let bins = functions.iter().flat_map(|name| ["--bin", name]);
    let mut build = std::process::Command::new(env!("CARGO"));
    build
        .args(["build", "--locked", "--workspace", "--quiet"])
        .args(bins);
    // What cargo says to a test it does not say to itself: a build script that sees it would run once more.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CARGO_PKG_") || name == "CARGO_MANIFEST_DIR" {
            build.env_remove(name);
        }
    }
    let built = build.status().unwrap();
    assert!(built.success(), "the functions were not built");
}

/// Returns where the functions are built: two levels above this test.
fn path(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().join(name)
}

impl Function {
    /// Starts a process of a function.
    pub(crate) async fn start(name: &str, variables: &[(&str, String)]) -> Self {
        let (events, waiting) = mpsc::channel(1);
        let (answered, answers) = mpsc::channel(1);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = Transport::serve(listener, runtime(waiting, answered)).unwrap();
        let process = Command::new(path(name))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", name)
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_LEVEL", "WARN")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self {
            process,
            events,
            answers,
            _runtime: runtime,
        }
    }

    /// Hands it an event, and sees what becomes of it.
    pub(crate) async fn invoke(&mut self, event: &Value, orders: &mut mpsc::Receiver<Order>) -> Outcome {
        self.events.send(event.to_string()).await.unwrap();
        tokio::select! {
            answer = self.answers.recv() => Outcome::Answered(answer.unwrap()),
            status = self.process.wait() => panic!("the function ended by itself: {status:?}"),
            order = orders.recv() => {
                self.process.kill().await.unwrap();
                order.unwrap().send(()).ok();
                Outcome::Died
            }
            () = tokio::time::sleep(PATIENCE) => panic!("the function does not answer {event}"),
        }
    }
}

/// The runtime interface of Lambda, as far as a function needs it.
///
/// Source: AWS Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes".
fn runtime(waiting: mpsc::Receiver<String>, answered: mpsc::Sender<Value>) -> Handler {
    let waiting = Arc::new(Mutex::new(waiting));
    Arc::new(move |request| {
        let (waiting, answered) = (Arc::clone(&waiting), answered.clone());
        async move {
            if request.method == Method::GET {
                next(&waiting).await
            } else {
                take(&request, &answered).await
            }
        }
        .boxed()
    })
}

async fn next(waiting: &Mutex<mpsc::Receiver<String>>) -> Answer {
    let Some(event) = waiting.lock().await.recv().await else {
        return Answer::empty(StatusCode::GONE);
    };
    let deadline = SystemClock.now().as_millisecond() + 120_000;
    Answer::bytes(StatusCode::OK, event)
        .with("content-type", "application/json")
        .with(
            "lambda-runtime-aws-request-id",
            "00000000-0000-4000-8000-000000000000",
        )
        .with("lambda-runtime-deadline-ms", &deadline.to_string())
        .with(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:eu-north-1:123456789012:function:test",
        )
}

async fn take(request: &Request, answered: &mpsc::Sender<Value>) -> Answer {
    let answer = serde_json::from_slice(&request.body).unwrap_or_default();
    answered.send(answer).await.ok();
    Answer::empty(StatusCode::ACCEPTED)
}
