//! An embedded DynamoDB with the service's tables.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType,
};
use shared::clients::Clients;
use shared::store::{DynamoStore, TableNames};
use tokio::net::TcpListener;

use crate::wire::{self, Wire};

/// A DynamoDB of one test, on the loopback interface.
#[derive(Debug)]
pub(crate) struct Dynamo {
    endpoint: String,
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
        Clients::new(wire::faultless(&self.endpoint)).dynamodb()
    }

    /// Returns the store over it.
    pub(crate) fn store(&self) -> DynamoStore {
        DynamoStore::new(&self.client(), names())
    }

    /// Returns the store over it, behind a scripted wire.
    pub(crate) fn store_over(&self, wire: &Wire) -> DynamoStore {
        let client = Clients::new(wire.config(&self.endpoint)).dynamodb();
        DynamoStore::new(&client, names())
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
        for table in [control, table(&client, "records")] {
            table.send().await.expect("the table is made");
        }
    }
}

fn names() -> TableNames {
    TableNames {
        control: "control".to_owned(),
        records: "records".to_owned(),
    }
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
