//! How fast a listing is read into memory, beside a bare loop.

use std::time::Duration;

use tokio::time::Instant;

use crate::Result;
use crate::bare::Bare;
use crate::dataverse::{Dataverse, pull_all};
use crate::options::Options;
use crate::report::{self, SECONDS, Samples};
use crate::server::Server;

const GOAL: f64 = 1.5;

pub(crate) async fn measure(options: &Options) -> Result<()> {
    let contacts = options.contacts;
    let server = Server::dataverse(contacts, Duration::ZERO)?;
    let dataverse = Dataverse::connect(&server.url).await?;
    let first = dataverse.warm().await?;
    let (adapter, bare) = (dataverse.adapter()?, Bare::connect(&dataverse.connection).await?);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..options.runs(7) {
        let (began, mut items) = (Instant::now(), Vec::new());
        pull_all(&*adapter, |page| items.extend(page)).await?;
        ours.push(began.elapsed());
        expect_all(items.len(), contacts)?;
        drop(items);

        let (began, mut rows) = (Instant::now(), Vec::new());
        bare.pull_all(&first, |page| rows.extend(page)).await?;
        theirs.push(began.elapsed());
        expect_all(rows.len(), contacts)?;
    }
    let (ours, theirs) = (Samples::of_times(&ours), Samples::of_times(&theirs));
    report::title(format!("pull: {contacts} contacts into memory, 5000 a page"));
    report::samples("dynamics365 adapter", &ours, SECONDS);
    report::samples("bare loop: reqwest, serde, typed rows", &theirs, SECONDS);
    report::goal("ratio", ours.median() / theirs.median(), GOAL);
    Ok(())
}

fn expect_all(read: usize, contacts: usize) -> Result<()> {
    if read == contacts {
        Ok(())
    } else {
        Err(format!("read {read} contacts instead of {contacts}").into())
    }
}
