//! How fast a table of twelve columns is written and read, and in how much memory, beside what others would take for it.
//!
//! Each contender is a process of its own that says how long it took, without its start, and its peak of memory. All write the same
//! bytes, guard, commas and dates included, and all read the file that ours wrote, turn every cell into its type, and sum the
//! amounts; whoever comes to something else fails the measure. Ours also checks every cell, and hashes the file.
//!
//! Contenders are Python's `csv`, polars (which holds the whole table, on one thread as the others) and `csv-stringify` with
//! `csv-parse` on Node. The last two are installed into a folder that is removed at the end, and left out where they cannot be.

mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::options::Options;
use crate::report::{self, MEGABYTES, SECONDS, Samples};

const POLARS: &str = "polars==2.1.0";
const NODE: [&str; 2] = ["csv-parse@7.0.3", "csv-stringify@6.9.0"];
/// What a contender that goes row by row is held against.
const RATIO: f64 = 1.0;
/// The most memory, in MB.
const MOST: f64 = 64.0;

/// What a process is to do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Write,
    Read,
}

impl Way {
    const ALL: [Self; 2] = [Self::Write, Self::Read];

    pub(crate) fn named(name: &str) -> Result<Self> {
        let known = Self::ALL.into_iter().find(|way| way.name() == name);
        known.ok_or_else(|| format!("there is no way {name}").into())
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
        }
    }
}

/// What a process came to.
#[derive(Debug)]
struct Came {
    seconds: f64,
    peak: u64,
    rows: u64,
    cents: i64,
}

/// Somebody who can write and read the table.
struct Contender {
    name: &'static str,
    command: Vec<PathBuf>,
    /// Whether it goes row by row, as ours does.
    streams: bool,
    /// What it took, by way.
    took: [Vec<Came>; 2],
}

/// Does in this process what a contender's process does.
pub(crate) fn go(way: Way, rows: i64, path: &str) -> Result<()> {
    let Came {
        seconds,
        peak,
        rows,
        cents,
    } = table::go(way, rows, path)?;
    report::line(format!("{seconds} {peak} {rows} {cents}"));
    Ok(())
}

pub(crate) fn measure(options: &Options) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("benchmark-csv-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let measured = measure_in(&folder, options);
    fs::remove_dir_all(&folder)?;
    measured
}

fn measure_in(folder: &Path, options: &Options) -> Result<()> {
    report::title(format!(
        "csv: {} rows of 12 columns, as Excel opens them",
        options.rows
    ));
    let mut contenders = vec![ours()?];
    for (name, found) in [
        ("Python's csv", python(folder)),
        ("polars", polars(folder)),
        ("Node's csv-parse", node(folder)),
    ] {
        match found {
            Ok(contender) => contenders.push(contender),
            Err(reason) => report::line(format!("  {name} is left out: {reason}")),
        }
    }
    let ours = folder.join("ours.csv");
    let theirs = folder.join("theirs.csv");
    for _ in 0..options.runs(3) {
        for (place, contender) in contenders.iter_mut().enumerate() {
            let written = if place == 0 { &ours } else { &theirs };
            contender.go(Way::Write, options.rows, written)?;
            if place > 0 && !is_same(&ours, &theirs)? {
                return Err(format!("{} wrote something else", contender.name).into());
            }
            contender.go(Way::Read, options.rows, &ours)?;
        }
    }
    print(&contenders);
    Ok(())
}

impl Contender {
    fn new(name: &'static str, command: Vec<PathBuf>, streams: bool) -> Self {
        Self {
            name,
            command,
            streams,
            took: [Vec::new(), Vec::new()],
        }
    }

    fn go(&mut self, way: Way, rows: i64, path: &Path) -> Result<()> {
        let (program, arguments) = self.command.split_first().ok_or("there is no command")?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .arg(way.name())
            .arg(rows.to_string())
            .arg(path);
        let output = command.env("POLARS_MAX_THREADS", "1").output()?;
        let said = String::from_utf8(output.stdout)?;
        let came = Came::read(&said).ok_or_else(|| {
            let error = String::from_utf8_lossy(&output.stderr);
            format!("{} failed to {}: {error}", self.name, way.name())
        })?;
        let cents = (0..rows)
            .map(|row| row * 7919 % 2_000_000 - 1_000_000)
            .sum::<i64>();
        if (i64::try_from(came.rows)?, came.cents) != (rows, cents) {
            return Err(format!(
                "{} came to {came:?} instead of {rows} rows and {cents} øre",
                self.name
            )
            .into());
        }
        self.took[way as usize].push(came);
        Ok(())
    }

    fn samples(&self, way: Way, of: fn(&Came) -> f64) -> Samples {
        Samples::new(self.took[way as usize].iter().map(of).collect())
    }
}

impl Came {
    fn read(said: &str) -> Option<Self> {
        let mut words = said.split_whitespace();
        Some(Self {
            seconds: words.next()?.parse().ok()?,
            peak: words.next()?.parse().ok()?,
            rows: words.next()?.parse().ok()?,
            cents: words.next()?.parse().ok()?,
        })
    }
}

fn print(contenders: &[Contender]) {
    let Some((ours, others)) = contenders.split_first() else {
        return;
    };
    for way in Way::ALL {
        let seconds = |contender: &Contender| contender.samples(way, |came| came.seconds);
        let peak = |contender: &Contender| contender.samples(way, |came| came.peak as f64);
        for contender in contenders {
            report::samples(
                &format!("{}, {}", way.name(), contender.name),
                &seconds(contender),
                SECONDS,
            );
            report::samples(
                &format!("{}, {}, peak", way.name(), contender.name),
                &peak(contender),
                MEGABYTES,
            );
        }
        for other in others {
            let ratio = seconds(ours).median() / seconds(other).median();
            let name = format!("{}, ratio to {}", way.name(), other.name);
            match other.streams {
                true => report::goal(&name, ratio, RATIO),
                false => report::line(format!("  {name:<42}{ratio:>9.2}     it holds the whole table")),
            }
        }
        report::goal(
            &format!("{}, most, in MB", way.name()),
            peak(ours).median() / f64::from(1 << 20),
            MOST,
        );
    }
}

fn ours() -> Result<Contender> {
    let command = vec![std::env::current_exe()?, "csv-once".into()];
    Ok(Contender::new("shared::csv", command, true))
}

fn python(folder: &Path) -> Result<Contender> {
    let scripts = scripts(
        folder,
        &[
            ("table.py", include_str!("csv/table.py")),
            ("python.py", include_str!("csv/python.py")),
        ],
    )?;
    run(Command::new("python3").arg("--version"))?;
    Ok(Contender::new(
        "Python's csv",
        vec!["python3".into(), scripts.join("python.py")],
        true,
    ))
}

fn polars(folder: &Path) -> Result<Contender> {
    let scripts = scripts(
        folder,
        &[
            ("table.py", include_str!("csv/table.py")),
            ("with_polars.py", include_str!("csv/with_polars.py")),
        ],
    )?;
    let environment = folder.join("venv");
    run(Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let python = environment.join("bin").join("python");
    run(Command::new(&python).args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        POLARS,
    ]))?;
    Ok(Contender::new(
        "polars",
        vec![python, scripts.join("with_polars.py")],
        false,
    ))
}

fn node(folder: &Path) -> Result<Contender> {
    let scripts = scripts(folder, &[("node.mjs", include_str!("csv/node.mjs"))])?;
    run(Command::new("node").arg("--version"))?;
    run(Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--prefix"])
        .arg(folder)
        .args(NODE))?;
    Ok(Contender::new(
        "Node's csv-parse",
        vec!["node".into(), scripts.join("node.mjs")],
        true,
    ))
}

fn scripts(folder: &Path, files: &[(&str, &str)]) -> Result<PathBuf> {
    for (name, text) in files {
        fs::write(folder.join(name), text)?;
    }
    Ok(folder.to_owned())
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{name} cannot be started: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.is_empty()).unwrap_or("it failed");
    Err(format!("{name}: {last}").into())
}

fn is_same(one: &Path, other: &Path) -> Result<bool> {
    Ok(one.metadata()?.len() == other.metadata()?.len() && fs::read(one)? == fs::read(other)?)
}
