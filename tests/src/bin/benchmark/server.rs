//! The processes that play the outside: this binary, started anew.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use tests::dataverse::limits::ServiceProtection;
use tests::{Simulation, SimulationConfig};

use crate::{Result, report};

/// A process that serves until this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// Its end is what tells the process to end, even where this one is killed.
    stdin: Option<ChildStdin>,
    pub(crate) url: String,
}

impl Server {
    /// Starts a simulated Dataverse.
    pub(crate) fn dataverse(contacts: usize, latency: Duration) -> Result<Self> {
        Self::start(&[
            "serve-dataverse",
            &contacts.to_string(),
            &latency.as_millis().to_string(),
        ])
    }

    /// Starts a stand-in for DynamoDB.
    pub(crate) fn tables() -> Result<Self> {
        Self::start(&["serve-tables"])
    }

    fn start(arguments: &[&str]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        let command = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let stdin = child.stdin.take();
        let mut url = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut url)?;
        }
        let url = url.trim().to_owned();
        Ok(Self { child, stdin, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stdin.take());
        drop(self.child.wait());
    }
}

/// Says where this process serves, and ends it when whoever started it is gone.
pub(crate) fn announce(url: &str) {
    report::line(url);
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        std::process::exit(0);
    });
}

/// Serves a simulated Dataverse that lets one user ask for as much as they like.
pub(crate) fn dataverse(contacts: usize, latency: Duration) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let plenty = ServiceProtection {
        requests: 1_000_000,
        execution_time: Duration::from_secs(1_000_000),
        ..ServiceProtection::default()
    };
    let config = SimulationConfig {
        contacts,
        latency,
        service_protection: plenty,
        ..SimulationConfig::default()
    };
    runtime.block_on(async {
        let simulation = Simulation::start(config).await;
        announce(simulation.base_url());
        std::future::pending().await
    })
}
