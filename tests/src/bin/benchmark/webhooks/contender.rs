//! Who is measured, how each is installed, and how it is started.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use shared::clock::{Clock as _, SystemClock};
use shared::config::{Environment as _, ProcessEnvironment};
use tokio::time::Instant;

use super::cloud::Cloud;
use super::event;
use super::runtime::{Answer, Runtime};
use crate::cold_start::ENVIRONMENT;
use crate::{Failure, Result, report};

/// The sources of the one in TypeScript, with their places.
const TYPESCRIPT: [(&str, &str); 4] = [
    ("package.json", include_str!("typescript/package.json")),
    ("package-lock.json", include_str!("typescript/package-lock.json")),
    ("handler.ts", include_str!("typescript/handler.ts")),
    ("loop.js", include_str!("typescript/loop.js")),
];

/// The sources of the one in Python.
const PYTHON: [(&str, &str); 2] = [
    ("requirements.txt", include_str!("python/requirements.txt")),
    ("handler.py", include_str!("python/handler.py")),
];

/// What Lambda tells a function besides.
const LAMBDA: [(&str, &str); 4] = [
    ("AWS_DEFAULT_REGION", "eu-north-1"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/benchmark"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "1"),
    ("_HANDLER", "handler.handler"),
];

/// What stands in a message about a contact: what ours has read in the body, or the body.
const KEPT: [&str; 2] = [
    r#""say":{"rows":[{"kind":"member""#,
    r#""PrimaryEntityName":"contact""#,
];

/// Somebody who takes webhooks.
#[derive(Debug)]
pub(super) struct Contender {
    pub(super) name: String,
    /// What its queue is called.
    queue: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    verifies: bool,
}

/// One that has been started, until this is dropped.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    runtime: Runtime,
    pub(super) started: Instant,
}

/// Returns all that can be measured here: ours, the plain one, and those of other languages that can be installed.
pub(super) fn all(folder: &Path) -> Result<Vec<Contender>> {
    let ours = ours("webhooks", "webhooks", true)?;
    let plain = self::ours("webhooks_baseline", "plain Rust, verifies nothing", false)?;
    let mut all = vec![ours, plain];
    for (language, install) in [
        ("TypeScript", typescript as fn(&Path) -> Result<Contender>),
        ("Python", python),
    ] {
        match install(folder) {
            Ok(contender) => all.push(contender),
            Err(error) => report::line(format!("  without the one in {language}: {error}")),
        }
    }
    Ok(all)
}

/// Returns a binary of this workspace.
fn ours(binary: &'static str, name: &str, verifies: bool) -> Result<Contender> {
    let program = std::env::current_exe()?.with_file_name(binary);
    Ok(Contender {
        name: name.to_owned(),
        queue: binary,
        folder: std::env::temp_dir(),
        arguments: Vec::new(),
        program,
        verifies,
    })
}

/// Installs the one in TypeScript. The official runtime client is compiled for that; where a tool is missing, a loop that
/// does as much takes its place.
fn typescript(folder: &Path) -> Result<Contender> {
    let folder = placed(folder, "typescript", &TYPESCRIPT)?;
    run(
        &folder,
        "npm",
        &["ci", "--no-audit", "--no-fund", "--loglevel=error"],
    )?;
    run(&folder, "npm", &["run", "build", "--silent"])?;
    let client = "node_modules/aws-lambda-ric/index.mjs";
    let (name, arguments) = match folder.join(client).exists() {
        true => ("aws-lambda-ric", vec![client, "handler.handler"]),
        false => ("a minimal loop", vec!["loop.js"]),
    };
    Ok(Contender {
        name: format!("TypeScript, {name}"),
        queue: "typescript",
        program: "node".into(),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        folder,
        verifies: true,
    })
}

/// Installs the one in Python.
fn python(folder: &Path) -> Result<Contender> {
    let folder = placed(folder, "python", &PYTHON)?;
    run(&folder, "python3", &["-m", "venv", "installed"])?;
    let quietly = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--requirement",
        "requirements.txt",
    ];
    run(&folder, "installed/bin/pip", &quietly)?;
    // Lambda has modules compiled before it starts them.
    run(
        &folder,
        "installed/bin/python",
        &["-m", "compileall", "-q", "handler.py"],
    )?;
    Ok(Contender {
        name: "Python, awslambdaric".to_owned(),
        queue: "python",
        program: folder.join("installed/bin/python"),
        arguments: ["-m", "awslambdaric", "handler.handler"]
            .map(str::to_owned)
            .into(),
        folder,
        verifies: true,
    })
}

fn placed(folder: &Path, name: &str, files: &[(&str, &str)]) -> Result<PathBuf> {
    let folder = folder.join(name);
    fs::create_dir_all(&folder)?;
    for (name, content) in files {
        fs::write(folder.join(name), content)?;
    }
    Ok(folder)
}

/// Runs a program of an installation.
fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new(program);
    let command = command.args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().lines().last().unwrap_or_default();
    Err(format!("{program} {} failed: {said}", arguments.join(" ")).into())
}

impl Contender {
    /// Starts it; it has not asked for anything yet.
    pub(super) fn start(&self, cloud: &Cloud) -> Result<Process> {
        let runtime = Runtime::start()?;
        let mut command = Command::new(&self.program);
        let command = command
            .args(&self.arguments)
            .current_dir(&self.folder)
            .env_clear();
        let command = command
            .envs(ENVIRONMENT)
            .env("PATH", ProcessEnvironment.variable("PATH").unwrap_or_default())
            .envs(LAMBDA)
            .env("LAMBDA_TASK_ROOT", &self.folder)
            .env("AWS_LAMBDA_RUNTIME_API", runtime.address())
            .env("AWS_ENDPOINT_URL", &cloud.url)
            .env("DYNAMICS365_QUEUE_URL", cloud.queue(self.queue))
            // Ours reads it from its table, where it is sealed.
            .env("WEBHOOK_SECRET", event::secret());
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let started = Instant::now();
        let child = command.spawn().map_err(|error| {
            let program = self.program.display();
            format!("{program}: {error}; build it with `cargo build --release -p webhooks -p tests --bins`")
        })?;
        Ok(Process {
            child,
            runtime,
            started,
        })
    }

    /// Has a process take a webhook.
    pub(super) fn take(&self, process: &Process) -> Result<Answer> {
        let answer = process.runtime.invoke(event::signed(SystemClock.now())?);
        let answer = answer.map_err(|error| self.failed(&error))?;
        self.expect(&answer, 202)?;
        Ok(answer)
    }

    /// Sees that whoever says that it verifies does.
    pub(super) fn refuse(&self, process: &Process) -> Result<()> {
        if !self.verifies {
            return Ok(());
        }
        let answer = process.runtime.invoke(event::forged(SystemClock.now())?)?;
        self.expect(&answer, 401)
    }

    /// Sees that every webhook that was taken is on the queue, once.
    pub(super) fn expect_kept(&self, cloud: &Cloud, count: usize) -> Result<()> {
        let (taken, last) = cloud.taken(&cloud.queue(self.queue));
        if taken == count && KEPT.iter().any(|kept| last.contains(kept)) {
            return Ok(());
        }
        Err(self.failed(&format!("{taken} of {count} webhooks are on the queue, the last is {last}").into()))
    }

    fn expect(&self, answer: &Answer, status: u64) -> Result<()> {
        let told: serde_json::Value = serde_json::from_slice(&answer.body)?;
        if told["statusCode"] == status {
            return Ok(());
        }
        Err(self.failed(&format!("it answered {told} in place of {status}").into()))
    }

    fn failed(&self, error: &Failure) -> Failure {
        format!("{}: {error}", self.name).into()
    }
}

impl Process {
    /// Returns how long its threads have been at work on a processor.
    ///
    /// Source: the Linux kernel's documentation, "Scheduler Statistics".
    pub(super) fn worked(&self) -> Result<Duration> {
        let mut worked = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let statistics = fs::read_to_string(thread?.path().join("schedstat"))?;
            let nanoseconds = statistics.split(' ').next().unwrap_or_default();
            worked += nanoseconds.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(worked))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
