//! What stands for AWS: SQS takes every message and counts it, DynamoDB has the rows of one endpoint, and KMS opens its secret.
//!
//! It answers at once; so what is measured is what the functions themselves do, and the calls of their clients.

use std::collections::HashMap;
use std::io::{self, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use shared::inbox::Endpoint;
use shared::keys::Sealed;
use shared::store::Key;
use shared::webhook::Scheme;
use uuid::Uuid;

use super::event::{ENDPOINT, secret};
use crate::Result;
use crate::dataverse::{self, Connection};
use crate::head::Head;

/// AWS, with a queue for each name that is asked for.
#[derive(Debug)]
pub(super) struct Cloud {
    pub(super) url: String,
    inside: Arc<Inside>,
}

#[derive(Debug)]
struct Inside {
    /// The items of the table, by partition and place.
    items: HashMap<(String, String), Value>,
    /// How many messages each queue has taken, and the last of them.
    queues: Mutex<HashMap<String, (usize, String)>>,
}

impl Cloud {
    /// Starts it, with a thread for each connection.
    pub(super) fn start(now: Timestamp) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = format!("http://{}", listener.local_addr()?);
        let inside = Arc::new(Inside {
            items: items(now)?,
            queues: Mutex::default(),
        });
        let served = Arc::clone(&inside);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let inside = Arc::clone(&served);
                thread::spawn(move || inside.answer_all(stream));
            }
        });
        Ok(Self { url, inside })
    }

    /// Returns the URL of a queue.
    pub(super) fn queue(&self, name: &str) -> String {
        format!("{}/123456789012/{name}.fifo", self.url)
    }

    /// Returns how many messages a queue has taken, and the last of them.
    pub(super) fn taken(&self, queue: &str) -> (usize, String) {
        let queues = self.inside.queues.lock();
        let queues = queues.unwrap_or_else(PoisonError::into_inner);
        queues.get(queue).cloned().unwrap_or_default()
    }
}

impl Inside {
    fn answer_all(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut requests = BufReader::with_capacity(1 << 14, stream.try_clone()?);
        while let Some(head) = Head::read(&mut requests)? {
            let said: Value = serde_json::from_slice(&head.body(&mut requests)?)?;
            let (status, answer) = match head.operation.as_str() {
                "SendMessage" => ("200 OK", self.send(&said)),
                "BatchGetItem" => ("200 OK", self.get(&said)),
                "Decrypt" => ("200 OK", open(&said)),
                _ => (
                    "400 Bad Request",
                    json!({ "__type": "UnknownOperationException" }),
                ),
            };
            let answer = answer.to_string();
            let length = answer.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{answer}"
            );
            stream.write_all(answer.as_bytes())?;
        }
        Ok(())
    }

    fn send(&self, said: &Value) -> Value {
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        let body = text("MessageBody");
        let digest = Md5::digest(&body);
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = queues.entry(text("QueueUrl")).or_default();
        *queue = (queue.0 + 1, body);
        json!({ "MessageId": Uuid::new_v4(), "MD5OfMessageBody": digest, "SequenceNumber": format!("{:020}", queue.0) })
    }

    fn get(&self, said: &Value) -> Value {
        let tables = said["RequestItems"].as_object().into_iter().flatten();
        let found = tables.map(|(table, asked)| {
            let keys = asked["Keys"].as_array().into_iter().flatten();
            let items: Vec<&Value> = keys.filter_map(|key| self.items.get(&place(key))).collect();
            (table.clone(), json!(items))
        });
        json!({ "Responses": found.collect::<serde_json::Map<_, _>>(), "UnprocessedKeys": {} })
    }
}

/// Returns where an item is, or is looked for.
fn place(item: &Value) -> (String, String) {
    let text = |name: &str| item[name]["S"].as_str().unwrap_or_default().to_owned();
    (text("pk"), text("sk"))
}

/// Opens what was sealed: that is the secret in base64.
fn open(said: &Value) -> Value {
    json!({ "KeyId": said["KeyId"], "Plaintext": said["CiphertextBlob"], "EncryptionAlgorithm": "SYMMETRIC_DEFAULT" })
}

/// Returns the rows of the endpoint and of its integration.
fn items(now: Timestamp) -> Result<HashMap<(String, String), Value>> {
    let mut integration = dataverse::integration(&Connection {
        base_url: "https://hlf.crm4.dynamics.com".to_owned(),
        tenant: Uuid::new_v4().to_string(),
        client_id: Uuid::new_v4().to_string(),
        client_secret: String::new(),
        scope: String::new(),
    })?;
    // The simulation answers for both; this one signs in where everybody does.
    integration.settings["authorityUrl"].take();
    let endpoint = Endpoint {
        id: ENDPOINT.parse()?,
        integration: integration.id.clone(),
        name: "portal".to_owned(),
        scheme: Scheme::Standard,
        records: None,
        registers: false,
        registration: None,
        closing: false,
        secret: Sealed(STANDARD.encode(secret())),
        digest: String::new(),
        previous: None,
        created_at: now,
        rotated_at: None,
    };
    let rows = [
        item(
            shared::integration::integration_key(&integration.id),
            &integration,
        )?,
        item(endpoint.key(), &endpoint)?,
    ];
    Ok(rows.map(|item| (place(&item), item)).into())
}

fn item(key: Key, row: &impl serde::Serialize) -> Result<Value> {
    let body = serde_json::to_string(row)?;
    Ok(json!({
        "pk": { "S": key.partition }, "sk": { "S": key.sort }, "version": { "N": "1" }, "body": { "S": body },
    }))
}
