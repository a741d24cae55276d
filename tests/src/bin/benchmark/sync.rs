//! A whole first sync, as the functions make it: opened, claimed, worked slice by slice, ended, published.

use std::sync::Arc;

use aws_config::SdkConfig;
use shared::clients::Clients;
use shared::clock::SystemClock;
use shared::flow::watch::Registrar;
use shared::flow::work::{Connect, Worker, slice};
use shared::flow::{Attempt, Ports, trigger};
use shared::http::Exceptions;
use shared::integration::integration_key;
use shared::keys::MemoryKeys;
use shared::model::{Kind, System};
use shared::publish::MemoryPublish;
use shared::queue::MemoryQueue;
use shared::store::{Content, DynamoStore, Expect, Table, TableNames, Write};
use shared::sync::{self, Mode, Run, RunRequest, RunState, Totals, Trigger};

use crate::Result;
use crate::dataverse::Dataverse;
use crate::plain::Copied;
use crate::split::SplitStore;

/// Syncs everything into empty tables.
pub(crate) async fn first_sync(dataverse: &Arc<Dataverse>, tables: &SdkConfig) -> Result<(Run, Copied)> {
    let names = TableNames::from([(Table::Control, "control"), (Table::Records, "records")]);
    let client = Clients::new(tables.clone()).dynamodb();
    let store = Arc::new(SplitStore::new(DynamoStore::new(&client, names)));
    let queue = Arc::new(MemoryQueue::new(Arc::new(SystemClock)));
    let worker = Worker {
        ports: Ports {
            store: Arc::<SplitStore>::clone(&store),
            queue: Arc::<MemoryQueue>::clone(&queue),
            clock: Arc::new(SystemClock),
        },
        publish: Arc::new(MemoryPublish::new()),
        connect: Arc::<Dataverse>::clone(dataverse) as Arc<dyn Connect>,
        exceptions: Exceptions::none(),
        registrar: Registrar {
            keys: Arc::new(MemoryKeys::new()),
            api_url: "https://api.example".parse()?,
        },
    };
    let run = open(dataverse, &worker).await?;
    while let Some(received) = queue.receive(System::Dynamics365) {
        let message = serde_json::from_str(&received.message.body)?;
        slice(&worker, &message).await?;
        queue.ack(&received);
    }
    let run = sync::read_run(&*store, &run.integration, &run.id).await?;
    let counts = store.counts();
    let copied = Copied {
        requests: counts.write_requests,
        rows: counts.rows_written,
        write_units: store.write_units(),
    };
    Ok((run, copied))
}

async fn open(dataverse: &Dataverse, worker: &Worker) -> Result<Run> {
    let integration = &dataverse.integration;
    let connected = Write::put(
        integration_key(&integration.id),
        Expect::Absent,
        Content::of(integration),
    );
    worker.ports.store.write(vec![connected]).await?;
    let request = RunRequest {
        integration: integration.id.clone(),
        mode: Mode::Delta,
        dry_run: false,
        trigger: Trigger::Api,
        requested_by: "benchmark".to_owned(),
    };
    Ok(trigger(&worker.ports, request, Attempt::default()).await?)
}

/// Fails unless a run took every contact over.
pub(crate) fn expect_whole(run: &Run, contacts: usize) -> Result<()> {
    let Totals { read, created, .. } = run.totals.get(&Kind::Member).copied().unwrap_or_default();
    if run.state == RunState::Succeeded && [read, created] == [contacts as u64; 2] {
        Ok(())
    } else {
        Err(format!("the sync went wrong: {run:?}").into())
    }
}
