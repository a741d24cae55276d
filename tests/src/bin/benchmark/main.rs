//! Measures the service against the least that a program would have to do, side by side in one run.
//!
//! ```text
//! cargo run --release -p tests --bin benchmark [-- pull|sink|latency|memory|cold-start|graphql|secrecy|csv|webhooks …]
//!     [--runs N] [--contacts N] [--many N] [--rows N]
//! ```
//!
//! | measure | ours | beside it | goal |
//! | --- | --- | --- | --- |
//! | `pull` | 100,000 contacts through the adapter, into memory | a bare loop: HTTP, JSON, typed rows | ≤ 1.5 |
//! | `sink` | a whole first sync, every guard on | a plain loop: the same pages, `BatchWriteItem` of 25 | ≤ 1 |
//! | `latency` | the same sync, each page 250 ms late | the bare loop on the same wire, writing nothing | ≤ 1.15 |
//! | `memory` | peak memory of a first sync of `--many` contacts | of 1,000 contacts | ≤ 32 MB, flat |
//! | `cold-start` | exec to first poll of each function | a binary that only makes the same clients | ≤ 1.5 |
//! | `graphql` | the costliest documents that are accepted | their answers, written by `serde_json` | ≤ 50 ms |
//! | `secrecy` | the time of a refusal of one kind | of another kind | Welch's t ≤ 4.5 |
//! | `csv` | a table of `--rows` rows, written and read | Python's `csv`, polars, `csv-parse` on Node | ≤ 1, ≤ 64 MB |
//! | `webhooks` | a webhook verified and put on the queue, p50 and p99 | a plain handler: put on the queue, unseen | ≤ 1.2 |
//!
//! What is measured works on one thread, as the functions do. Dataverse and DynamoDB are played by processes of their
//! own: the simulation of this package, and a stand-in that takes every write. Measured and alternative take turns, so
//! that what else the machine does strikes both; what is shown are medians.

mod bare;
mod cold_start;
mod csv;
mod dataverse;
mod graphql;
mod head;
mod latency;
mod memory;
mod options;
mod plain;
mod price;
mod pull;
mod registry;
mod report;
mod secrecy;
mod server;
mod sink;
mod split;
mod stand_in;
mod sync;
mod webhooks;

use std::future::Future;

use crate::options::{Measure, Options, Task};

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Failure> = std::result::Result<T, E>;

#[expect(clippy::print_stderr, reason = "what is wrong is for whoever started this")]
fn main() {
    let task = Options::read(std::env::args().skip(1));
    let done = task.and_then(|task| match task {
        Task::ServeDataverse { contacts, latency } => server::dataverse(contacts, latency),
        Task::ServeTables => stand_in::serve(),
        Task::SyncOnce { dataverse, tables } => on_one_thread(memory::sync_once(&dataverse, &tables)),
        Task::CsvOnce { way, rows, path } => csv::go(way, rows, &path),
        Task::Measure(options) => on_one_thread(measure(&options)),
    });
    if let Err(failure) = done {
        eprintln!("{failure}");
        std::process::exit(1);
    }
}

async fn measure(options: &Options) -> Result<()> {
    report::machine();
    for measure in &options.measures {
        match measure {
            Measure::Pull => pull::measure(options).await?,
            Measure::Sink => sink::measure(options).await?,
            Measure::Latency => latency::measure(options).await?,
            Measure::Memory => memory::measure(options).await?,
            Measure::ColdStart => cold_start::measure(options)?,
            Measure::Graphql => graphql::measure(options).await?,
            Measure::Secrecy => secrecy::measure(options).await?,
            Measure::Csv => csv::measure(options)?,
            Measure::Webhooks => webhooks::measure(options)?,
        }
    }
    Ok(())
}

/// Works as the functions do.
fn on_one_thread(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(work)
}
