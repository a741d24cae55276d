//! An embedded DynamoDB with the service's tables.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use shared::clients::Clients;
use shared::store::{DynamoStore, Table, TableNames};
use tokio::net::TcpListener;

/// How often the clients of these tests send a request.
pub(crate) const ATTEMPTS: u32 = 4;

/// A DynamoDB of one test, on the loopback interface.
#[derive(Debug)]
pub(crate) struct Dynamo {
    pub(crate) endpoint: String,
}

impl Dynamo {
    /// Starts it and makes the tables.
    pub(crate) async fn start() -> Self {
        let database = dynoxide::Database::memory().expect("memory is at hand");
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let endpoint = format!("http://127.0.0.1:{port}");
        let dynamo = Self { endpoint };
        dynamo.make_tables().await;
        dynamo
    }

    /// Returns a client of it without faults.
    pub(crate) fn client(&self) -> Client {
        Clients::new(configure(&self.endpoint, faultless())).dynamodb()
    }

    /// Returns the store over it.
    pub(crate) fn store(&self) -> DynamoStore {
        DynamoStore::new(&self.client(), names())
    }

    async fn make_tables(&self) {
        let client = self.client();
        let index = GlobalSecondaryIndex::builder()
            .index_name("due")
            .key_schema(key("due", KeyType::Hash))
            .key_schema(key("due_at", KeyType::Range))
            .projection(
                Projection::builder()
                    .projection_type(ProjectionType::KeysOnly)
                    .build(),
            )
            .build()
            .expect("the index is whole");
        let control = table(&client, "control")
            .attribute_definitions(attribute("due", ScalarAttributeType::S))
            .attribute_definitions(attribute("due_at", ScalarAttributeType::N))
            .global_secondary_indexes(index);
        for table in [control, table(&client, "records"), table(&client, "registry")] {
            table.send().await.expect("the table is made");
        }
    }
}

/// Connects without faults.
pub(crate) fn faultless() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

/// Configures clients that speak to `endpoint` over `http`, and do not wait long before they repeat.
pub(crate) fn configure(endpoint: &str, http: SharedHttpClient) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "tests");
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(Duration::from_millis(1));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-north-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .retry_config(retries)
        .timeout_config(shared::clients::timeouts())
        .http_client(http)
        .build()
}

/// Returns the names that the tables have.
pub(crate) fn names() -> TableNames {
    let tables = [
        (Table::Control, "control"),
        (Table::Records, "records"),
        (Table::Registry, "registry"),
    ];
    tables.into()
}

fn table(client: &Client, name: &str) -> CreateTableFluentBuilder {
    client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute("pk", ScalarAttributeType::S))
        .attribute_definitions(attribute("sk", ScalarAttributeType::S))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
}

fn attribute(name: &str, kind: ScalarAttributeType) -> AttributeDefinition {
    let attribute = AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(kind);
    attribute.build().expect("the attribute is whole")
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
    key.build().expect("the key is whole")
}
