//! A plain loop that copies contacts into a table: the same pages, the same rows, no guards.

use std::collections::HashMap;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::json;

use crate::bare::{Bare, Contact};
use crate::{Result, price};

/// The most rows of one `BatchWriteItem`.
const BATCH: usize = 25;

/// How many requests are under way at once: as many as the engine has.
const AT_ONCE: usize = 8;

const TABLE: &str = "records";

/// What a copy came to.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Copied {
    pub(crate) requests: u64,
    pub(crate) rows: u64,
    pub(crate) write_units: u64,
}

/// Configures the clients of both contenders.
pub(crate) fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "benchmark");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-north-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::standard())
        .timeout_config(shared::clients::timeouts())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// Copies all contacts.
pub(crate) async fn copy(bare: &Bare, first: &str, client: &Client) -> Result<Copied> {
    let (mut copied, mut link) = (Copied::default(), Some(first.to_owned()));
    while let Some(url) = link {
        let page = bare.page(&url).await?;
        let mut rows = Vec::with_capacity(2 * page.value.len());
        for contact in &page.value {
            let pair = [record(contact)?, link(contact)];
            copied.write_units += pair.iter().map(|(units, _)| units).sum::<u64>();
            rows.extend(pair.map(|(_, row)| row));
        }
        copied.rows += rows.len() as u64;
        copied.requests += rows.len().div_ceil(BATCH) as u64;
        write(client, rows).await?;
        link = page.next;
    }
    Ok(copied)
}

async fn write(client: &Client, rows: Vec<WriteRequest>) -> Result<()> {
    let batches: Vec<_> = rows.chunks(BATCH).map(<[_]>::to_vec).collect();
    stream::iter(batches)
        .map(|batch| write_batch(client, batch))
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn write_batch(client: &Client, batch: Vec<WriteRequest>) -> Result<()> {
    let mut left = HashMap::from([(TABLE.to_owned(), batch)]);
    while !left.is_empty() {
        let answer = client
            .batch_write_item()
            .set_request_items(Some(left))
            .send()
            .await?;
        left = answer.unprocessed_items.unwrap_or_default();
    }
    Ok(())
}

/// What the contact says.
fn record(contact: &Contact) -> Result<(u64, WriteRequest)> {
    let id = contact.number.as_ref().unwrap_or(&contact.contactid);
    Ok(put("hlf#member", id, serde_json::to_string(contact)?))
}

/// Which contact the record is.
fn link(contact: &Contact) -> (u64, WriteRequest) {
    let body = json!({ "record": contact.number, "etag": contact.etag, "active": contact.state == Some(0) });
    put(
        "hlf#dynamics365#link#member",
        &contact.contactid,
        body.to_string(),
    )
}

fn put(partition: &str, sort: &str, body: String) -> (u64, WriteRequest) {
    let units = price::units(partition, sort, &body);
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let put = PutRequest::builder()
        .item("pk", text(partition))
        .item("sk", text(sort))
        .item("version", AttributeValue::N("1".to_owned()))
        .item("body", AttributeValue::S(body))
        .build()
        .expect("the item is set");
    (units, WriteRequest::builder().put_request(put).build())
}
