//! What is asked for on the command line.

use std::time::Duration;

use crate::Result;
use crate::csv::Way;

const USAGE: &str = "benchmark [pull] [sink] [latency] [memory] [cold-start] [graphql] [secrecy] [csv] [webhooks] [--runs N] [--contacts N] [--many N] [--rows N]";

/// What this process is to do; all but the last are what it starts itself for.
#[derive(Debug)]
pub(crate) enum Task {
    ServeDataverse { contacts: usize, latency: Duration },
    ServeTables,
    SyncOnce { dataverse: String, tables: String },
    CsvOnce { way: Way, rows: i64, path: String },
    Measure(Options),
}

/// What can be measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    Pull,
    Sink,
    Latency,
    Memory,
    ColdStart,
    Graphql,
    Secrecy,
    Csv,
    Webhooks,
}

const ALL: [(&str, Measure); 9] = [
    ("pull", Measure::Pull),
    ("sink", Measure::Sink),
    ("latency", Measure::Latency),
    ("memory", Measure::Memory),
    ("cold-start", Measure::ColdStart),
    ("graphql", Measure::Graphql),
    ("secrecy", Measure::Secrecy),
    ("csv", Measure::Csv),
    ("webhooks", Measure::Webhooks),
];

/// What to measure, and how much of it.
#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) measures: Vec<Measure>,
    /// How often; each measure has a number of its own where there is none.
    pub(crate) runs: Option<usize>,
    /// How many contacts the timed measures read.
    pub(crate) contacts: usize,
    /// How many contacts the larger sync of the memory measure reads.
    pub(crate) many: usize,
    /// How many rows the table has that is written and read.
    pub(crate) rows: i64,
}

impl Options {
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Task> {
        let mut options = Self {
            measures: Vec::new(),
            runs: None,
            contacts: 100_000,
            many: 1_000_000,
            rows: 1_000_000,
        };
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .ok_or_else(|| format!("{word} needs a value\n{USAGE}"))
            };
            match word.as_str() {
                "--runs" => options.runs = Some(value()?.parse()?),
                "--contacts" => options.contacts = value()?.parse()?,
                "--rows" => options.rows = value()?.parse()?,
                "--many" => options.many = value()?.parse()?,
                "serve-dataverse" => {
                    let (contacts, latency) = (value()?.parse()?, Duration::from_millis(value()?.parse()?));
                    return Ok(Task::ServeDataverse { contacts, latency });
                }
                "serve-tables" => return Ok(Task::ServeTables),
                "sync-once" => {
                    let (dataverse, tables) = (value()?, value()?);
                    return Ok(Task::SyncOnce { dataverse, tables });
                }
                "csv-once" => {
                    let (way, rows, path) = (Way::named(&value()?)?, value()?.parse()?, value()?);
                    return Ok(Task::CsvOnce { way, rows, path });
                }
                name => options.measures.push(named(name)?),
            }
        }
        if options.measures.is_empty() {
            options.measures = ALL.map(|(_, measure)| measure).to_vec();
        }
        Ok(Task::Measure(options))
    }

    pub(crate) fn runs(&self, usually: usize) -> usize {
        self.runs.unwrap_or(usually).max(1)
    }
}

fn named(name: &str) -> Result<Measure> {
    let known = ALL.iter().find(|(known, _)| *known == name);
    known
        .map(|(_, measure)| *measure)
        .ok_or_else(|| format!("there is no measure {name}\n{USAGE}").into())
}
