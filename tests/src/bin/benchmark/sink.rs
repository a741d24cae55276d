//! How fast a whole first sync is, beside a plain loop that writes the same rows, and what either costs on AWS.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use crate::Result;
use crate::bare::Bare;
use crate::dataverse::Dataverse;
use crate::options::Options;
use crate::plain::{self, Copied};
use crate::price::PER_MILLION_UNITS;
use crate::report::{self, SECONDS, Samples};
use crate::server::Server;
use crate::sync::{expect_whole, first_sync};

const GOAL: f64 = 1.0;

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let contacts = options.contacts;
    let (server, tables) = (Server::dataverse(contacts, Duration::ZERO)?, Server::tables()?);
    let dataverse = Arc::new(Dataverse::connect(&server.url).await?);
    let first = dataverse.warm().await?;
    let bare = Bare::connect(&dataverse.connection).await?;
    let config = plain::config(&tables.url);
    let client = Client::new(&config);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let (mut synced, mut copied) = (Copied::default(), Copied::default());
    for _ in 0..options.runs(7) {
        let began = Instant::now();
        let (run, cost) = first_sync(&dataverse, &config).await?;
        ours.push(began.elapsed());
        expect_whole(&run, contacts)?;
        synced = cost;

        let began = Instant::now();
        copied = plain::copy(&bare, &first, &client).await?;
        theirs.push(began.elapsed());
    }
    let (ours, theirs) = (Samples::of_times(&ours), Samples::of_times(&theirs));
    report::title(format!("sink: a whole first sync of {contacts} contacts"));
    report::samples("sync: engine, guards, DynamoStore", &ours, SECONDS);
    report::samples("plain loop: pages, BatchWriteItem of 25", &theirs, SECONDS);
    report::goal("ratio", ours.median() / theirs.median(), GOAL);
    cost("sync", synced, contacts);
    cost("plain loop", copied, contacts);
    Ok(())
}

fn cost(name: &str, copied: Copied, contacts: usize) {
    let Copied {
        requests,
        rows,
        write_units,
    } = copied;
    report::line(format!(
        "  {name}: {requests} requests, {rows} rows, {write_units} write units"
    ));
    let millions = write_units as f64 / contacts as f64;
    let price = millions * PER_MILLION_UNITS;
    report::line(format!("    a million contacts: {price:.2} USD in us-east-1"));
}
