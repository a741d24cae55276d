//! How much memory a whole first sync takes at its peak, in a process of its own.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use shared::model::Kind;

use crate::dataverse::Dataverse;
use crate::options::Options;
use crate::report::{self, MEGABYTES, Samples};
use crate::server::Server;
use crate::sync::first_sync;
use crate::{Result, plain};

const FEW: usize = 1_000;
/// What a function with 128 MB can spare several times over.
const MOST: f64 = 32.0;
/// What counts as flat: the peak does not grow with what is synced, but for what the allocator does.
const GROWTH: f64 = 1.25;

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let tables = Server::tables()?;
    let few = peaks(FEW, &tables, options.runs(5)).await?;
    let page = peaks(4 * 5_000, &tables, options.runs(5)).await?;
    let many = peaks(options.many, &tables, options.runs(5)).await?;
    report::title("memory: peak resident set of a whole first sync");
    report::samples(&format!("{FEW} contacts"), &few, MEGABYTES);
    report::samples("20000 contacts, four full pages", &page, MEGABYTES);
    report::samples(&format!("{} contacts", options.many), &many, MEGABYTES);
    report::goal("most, in MB", many.median() / f64::from(1 << 20), MOST);
    report::goal(
        "growth from four full pages",
        many.median() / page.median(),
        GROWTH,
    );
    Ok(())
}

async fn peaks(contacts: usize, tables: &Server, runs: usize) -> Result<Samples> {
    let server = Server::dataverse(contacts, Duration::ZERO)?;
    Dataverse::connect(&server.url).await?.warm().await?;
    let sync = || -> Result<f64> {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(["sync-once", &server.url, &tables.url]).output()?;
        let said = String::from_utf8(output.stdout)?;
        let (peak, created) = said.trim().split_once(' ').ok_or("the sync failed")?;
        if created.parse() == Ok(contacts) {
            Ok(peak.parse()?)
        } else {
            Err(format!("{created} contacts were taken over instead of {contacts}").into())
        }
    };
    Ok(Samples::new((0..runs).map(|_| sync()).collect::<Result<_>>()?))
}

/// Syncs once and prints the peak of this process in bytes, and how many contacts were taken over.
pub(crate) async fn sync_once(dataverse: &str, tables: &str) -> Result<()> {
    let dataverse = Arc::new(Dataverse::connect(dataverse).await?);
    let (run, _) = first_sync(&dataverse, &plain::config(tables)).await?;
    let created = run.totals.get(&Kind::Member).map_or(0, |totals| totals.created);
    report::line(format!("{} {created}", peak()?));
    Ok(())
}

/// Returns the peak of this process in bytes.
pub(crate) fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = peak.and_then(|peak| peak.split_whitespace().next());
    Ok(1024
        * kilobytes
            .ok_or("the system does not say how much memory is used")?
            .parse::<u64>()?)
}
