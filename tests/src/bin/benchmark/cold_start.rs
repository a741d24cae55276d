//! How long each function takes from exec to its first poll, beside a binary that only makes the same clients.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use shared::config::{Environment as _, ProcessEnvironment};
use tokio::time::Instant;

use crate::Result;
use crate::options::Options;
use crate::report::{self, MEGABYTES, MILLISECONDS, Samples};

const FUNCTIONS: [&str; 12] = [
    "trigger-sync",
    "integrations",
    "dynamics365",
    "xledger",
    "cornerstone",
    "consio",
    "rest",
    "webhooks",
    "token-refresh",
    "reconcile",
    "authorizer",
    "integration-systems",
];
const BASELINE: &str = "cold_start_baseline";
const GOAL: f64 = 1.5;
const LARGEST: f64 = 9.0;
/// A function that has not polled by then never will.
const PATIENCE: Duration = Duration::from_secs(10);

/// What Lambda and the template tell a function.
pub(crate) const ENVIRONMENT: [(&str, &str); 30] = [
    ("AWS_LAMBDA_FUNCTION_NAME", "benchmark"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
    ("AWS_LAMBDA_LOG_LEVEL", "INFO"),
    ("AWS_REGION", "eu-north-1"),
    ("AWS_ACCESS_KEY_ID", "local"),
    ("AWS_SECRET_ACCESS_KEY", "local"),
    ("AWS_SESSION_TOKEN", "local"),
    ("CONTROL_TABLE", "control"),
    ("RECORDS_TABLE", "records"),
    (
        "DYNAMICS365_QUEUE_URL",
        "https://sqs.eu-north-1.amazonaws.com/1/dynamics365.fifo",
    ),
    (
        "XLEDGER_QUEUE_URL",
        "https://sqs.eu-north-1.amazonaws.com/1/xledger.fifo",
    ),
    (
        "CORNERSTONE_QUEUE_URL",
        "https://sqs.eu-north-1.amazonaws.com/1/cornerstone.fifo",
    ),
    (
        "CONSIO_QUEUE_URL",
        "https://sqs.eu-north-1.amazonaws.com/1/consio.fifo",
    ),
    (
        "REST_QUEUE_URL",
        "https://sqs.eu-north-1.amazonaws.com/1/rest.fifo",
    ),
    ("SECRET_PREFIX", "members/integrations/"),
    ("TOKEN_KEY", "alias/members-tokens"),
    ("EVENT_BUS", "members"),
    ("FILES_BUCKET", "members-files"),
    ("ADMIN_SECRET", "members/admin"),
    ("REGISTRY_TABLE", "registry"),
    ("API_URL", "https://api.example.org"),
    ("SIGNING_KEY", "alias/members-signing"),
    ("SEALING_KEY", "alias/members-sealing"),
    ("GRAPHQL_INTROSPECTION", "off"),
    ("HYDRA_API", "v2"),
    ("SCHEDULE_GROUP", "members"),
    (
        "TICK_TARGET",
        "arn:aws:lambda:eu-north-1:1:function:members-trigger-sync",
    ),
    ("TICK_ROLE", "arn:aws:iam::1:role/members-tick"),
    (
        "TICK_DEAD_LETTERS",
        "arn:aws:sqs:eu-north-1:1:members-undelivered",
    ),
];

type Polls = Receiver<(Instant, TcpStream)>;

pub(crate) fn measure(options: &Options) -> Result<()> {
    build()?;
    let here = std::env::current_exe()?;
    let path = |name: &str| here.with_file_name(name);
    let names: Vec<&str> = std::iter::once(BASELINE).chain(FUNCTIONS).collect();
    let (api, polls) = listen()?;
    let mut times = vec![Vec::new(); names.len()];
    for _ in 0..options.runs(20) {
        for (name, times) in names.iter().zip(&mut times) {
            times.push(start(&path(name), &api, &polls)?);
        }
    }
    let times: Vec<Samples> = times.iter().map(|times| Samples::of_times(times)).collect();
    print(&names, &times, &path)
}

fn print(names: &[&str], times: &[Samples], path: &dyn Fn(&str) -> PathBuf) -> Result<()> {
    report::title("cold start: from exec to the first poll");
    for (name, times) in names.iter().zip(times) {
        report::samples(name, times, MILLISECONDS);
    }
    for (name, ours) in names.iter().zip(times).skip(1) {
        report::goal(
            &format!("ratio of {name}"),
            ours.median() / times[0].median(),
            GOAL,
        );
    }
    report::title("size of each binary");
    for name in names {
        let size = path(name).metadata()?.len();
        report::samples(name, &Samples::new(vec![size as f64]), MEGABYTES);
        if *name != BASELINE {
            report::goal("in MB", size as f64 / f64::from(1 << 20), LARGEST);
        }
    }
    Ok(())
}

/// Builds what is measured, where Cargo started this.
fn build() -> Result<()> {
    let Some(cargo) = ProcessEnvironment.variable("CARGO") else {
        return Ok(());
    };
    let built = Command::new(cargo)
        .args(["build", "--release", "--bins", "--quiet"])
        .status()?;
    if built.success() {
        Ok(())
    } else {
        Err("the functions do not build".into())
    }
}

/// Plays the runtime API, as far as that every first line that arrives is a poll.
fn listen() -> Result<(String, Polls)> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let api = listener.local_addr()?.to_string();
    let (sender, polls) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut line = String::new();
            let read = BufReader::new(&stream).read_line(&mut line);
            let arrived = Instant::now();
            let polls = read.is_ok() && line.starts_with("GET ") && line.contains("/invocation/next");
            if polls && sender.send((arrived, stream)).is_err() {
                return;
            }
        }
    });
    Ok((api, polls))
}

/// Starts a binary, and kills it once it has polled.
fn start(path: &Path, api: &str, polls: &Polls) -> Result<Duration> {
    let mut command = Command::new(path);
    let command = command
        .env_clear()
        .envs(ENVIRONMENT)
        .env("AWS_LAMBDA_RUNTIME_API", api);
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let began = Instant::now();
    let child = command.spawn();
    let mut child = child.map_err(|error| {
        let path = path.display();
        format!("{path}: {error}; build it with `cargo build --release --bins`")
    })?;
    let polled = polls.recv_timeout(PATIENCE);
    child.kill()?;
    child.wait()?;
    let (arrived, _stream) = polled.map_err(|_| format!("{} never polled", path.display()))?;
    Ok(arrived - began)
}
