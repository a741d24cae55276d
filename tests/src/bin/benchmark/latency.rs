//! How much a sync adds to the time that pages take to travel.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::bare::Bare;
use crate::dataverse::Dataverse;
use crate::options::Options;
use crate::report::{self, SECONDS, Samples};
use crate::server::Server;
use crate::sync::{expect_whole, first_sync};
use crate::{Result, plain};

const GOAL: f64 = 1.15;
const LATENCY: Duration = Duration::from_millis(250);

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let contacts = options.contacts;
    let (server, tables) = (Server::dataverse(contacts, LATENCY)?, Server::tables()?);
    let dataverse = Arc::new(Dataverse::connect(&server.url).await?);
    let first = dataverse.warm().await?;
    let bare = Bare::connect(&dataverse.connection).await?;
    let config = plain::config(&tables.url);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..options.runs(5) {
        let began = Instant::now();
        let (run, _) = first_sync(&dataverse, &config).await?;
        ours.push(began.elapsed());
        expect_whole(&run, contacts)?;

        let began = Instant::now();
        bare.pull_all(&first, drop).await?;
        theirs.push(began.elapsed());
    }
    let (ours, theirs) = (Samples::of_times(&ours), Samples::of_times(&theirs));
    let pages = contacts.div_ceil(5000);
    report::title(format!(
        "latency: {contacts} contacts in {pages} pages, each {LATENCY:?} late"
    ));
    report::samples("sync: engine, guards, DynamoStore", &ours, SECONDS);
    report::samples("the wire alone: bare loop, nothing written", &theirs, SECONDS);
    report::goal("ratio", ours.median() / theirs.median(), GOAL);
    Ok(())
}
