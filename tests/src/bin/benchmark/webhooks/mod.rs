//! How long taking a webhook takes: ours beside a plain handler that verifies nothing, and beside the same in TypeScript and
//! in Python, each with AWS Lambda Powertools.
//!
//! Each is a process of its own behind the same runtime API and the same AWS. They take turns, and in each round another one
//! begins, so that what else the machine does strikes all alike. Ours reads the endpoint from its table and has KMS open the
//! secret, once a minute; the others are told the secret in their environment. What goes on the queue is for ours what it has
//! read in the webhook, for the others the body.

mod cloud;
mod contender;
mod event;
mod runtime;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use shared::clock::{Clock as _, SystemClock};
use shared::config::{Environment as _, ProcessEnvironment};

use self::cloud::Cloud;
use self::contender::{Contender, Process};
use crate::Result;
use crate::options::Options;
use crate::report::{self, MILLISECONDS, RATIO, Samples};

const GOAL: f64 = 1.2;
/// How many webhooks each takes in a round.
const ROUND: usize = 250;
/// How many rounds come before those that count: a just-in-time compiler wants to have seen it all.
const WARM_UP: usize = 4;

pub(crate) fn measure(options: &Options) -> Result<()> {
    build()?;
    let folder = Folder::new()?;
    let contenders = contender::all(&folder.0)?;
    let cloud = Cloud::start(SystemClock.now())?;
    warm(&contenders, &cloud, options.runs(20))?;
    cold(&contenders, &cloud, options.runs(20))
}

/// Measures processes that have been at work for a while.
fn warm(contenders: &[Contender], cloud: &Cloud, rounds: usize) -> Result<()> {
    let processes = contenders.iter().map(|contender| contender.start(cloud));
    let processes: Vec<Process> = processes.collect::<Result<_>>()?;
    let mut times = vec![Vec::new(); contenders.len()];
    let mut worked = vec![Duration::ZERO; contenders.len()];
    for round in 0..WARM_UP + rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let (contender, process) = (&contenders[at], &processes[at]);
            contender.refuse(process)?;
            let before = process.worked()?;
            let taken = (0..ROUND).map(|_| contender.take(process));
            let taken: Vec<Duration> = taken.map(|answer| Ok(answer?.took())).collect::<Result<_>>()?;
            if round >= WARM_UP {
                times[at].extend(taken);
                worked[at] += process.worked()? - before;
            }
        }
    }
    for contender in contenders {
        contender.expect_kept(cloud, (WARM_UP + rounds) * ROUND)?;
    }
    let times: Vec<Samples> = times.iter().map(|times| Samples::of_times(times)).collect();
    print(contenders, &times);
    for (contender, worked) in contenders.iter().zip(&worked) {
        let each = worked.as_secs_f64() / (rounds * ROUND) as f64;
        report::number(
            &format!("{}, at work on a processor", contender.name),
            each,
            MILLISECONDS,
        );
    }
    Ok(())
}

fn print(contenders: &[Contender], times: &[Samples]) {
    report::title("webhooks: from handing one out to its answer");
    for (contender, times) in contenders.iter().zip(times) {
        report::samples(&contender.name, times, MILLISECONDS);
    }
    for (contender, times) in contenders.iter().zip(times) {
        report::number(
            &format!("{}, p99", contender.name),
            times.quantile(0.99),
            MILLISECONDS,
        );
    }
    let [ours, plain, others @ ..] = times else {
        return;
    };
    for (name, share) in [("p50", 0.5), ("p99", 0.99)] {
        let ratio = |theirs: &Samples| ours.quantile(share) / theirs.quantile(share);
        report::goal(&format!("ratio to plain Rust, {name}"), ratio(plain), GOAL);
        for (contender, theirs) in contenders.iter().skip(2).zip(others) {
            let name = format!("ratio to {}, {name}", contender.name);
            report::number(&name, ratio(theirs), RATIO);
        }
    }
}

/// Measures from exec to the first answer.
fn cold(contenders: &[Contender], cloud: &Cloud, runs: usize) -> Result<()> {
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); contenders.len()];
    for _ in 0..runs {
        for (contender, times) in contenders.iter().zip(&mut times) {
            let process = contender.start(cloud)?;
            let answer = contender.take(&process)?;
            times.push(answer.answered - process.started);
        }
    }
    report::title("webhooks: from exec to the first answer");
    for (contender, times) in contenders.iter().zip(&times) {
        report::samples(&contender.name, &Samples::of_times(times), MILLISECONDS);
    }
    Ok(())
}

/// Builds what is measured, where Cargo started this.
fn build() -> Result<()> {
    let Some(cargo) = ProcessEnvironment.variable("CARGO") else {
        return Ok(());
    };
    let mut build = Command::new(cargo);
    let build = build.args(["build", "--release", "--quiet", "-p", "webhooks", "-p", "tests"]);
    let built = build
        .args(["--bin", "webhooks", "--bin", "webhooks_baseline"])
        .status()?;
    if built.success() {
        Ok(())
    } else {
        Err("the functions do not build".into())
    }
}

/// Where the other languages are installed, until this is dropped.
#[derive(Debug)]
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let name = format!("webhooks-{}", uuid::Uuid::new_v4());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
