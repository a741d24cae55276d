//! AWS as far as the functions use it, on one address; and the hand that kills whoever writes.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt as _;
use http::StatusCode;
use serde_json::{Value, json};
use tests::wire::{Answer, Delivery, Handler, Request, Transport};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::kms::Kms;

/// The operations after which something is there that was not.
const WRITES: &[&str] = &[
    "UpdateItem",
    "DeleteItem",
    "TransactWriteItems",
    "SendMessage",
    "PutEvents",
];

/// When a function is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Blow {
    /// At which of its writes, from 0.
    pub(crate) write: usize,
    /// On which side of it.
    pub(crate) moment: Moment,
}

/// On which side of a write a function is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// The write never arrives.
    Before,
    /// The write is made, and its answer never arrives.
    After,
}

impl Moment {
    pub(crate) const ALL: [Self; 2] = [Self::Before, Self::After];
}

/// Asks for the death of the function that is at work; answered once it is dead.
pub(crate) type Order = oneshot::Sender<()>;

/// AWS, with one queue, one secret, one key and one bus.
#[derive(Debug)]
pub(crate) struct Cloud {
    inside: Arc<Inside>,
    transport: Transport,
}

struct Inside {
    dynamo: String,
    http: reqwest::Client,
    secret: String,
    kms: Kms,
    messages: Mutex<VecDeque<Value>>,
    events: Mutex<Vec<Value>>,
    journal: Mutex<Vec<String>>,
    writes: AtomicUsize,
    blows: Vec<Blow>,
    orders: mpsc::Sender<Order>,
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inside").finish_non_exhaustive()
    }
}

impl Cloud {
    /// Starts it before a DynamoDB; what is to be killed comes out of `orders`.
    pub(crate) async fn start(
        dynamo: &str,
        secret: &Value,
        blows: Vec<Blow>,
        orders: mpsc::Sender<Order>,
    ) -> Self {
        let inside = Arc::new(Inside {
            dynamo: dynamo.to_owned(),
            http: client(),
            secret: secret.to_string(),
            kms: Kms::new(),
            messages: Mutex::default(),
            events: Mutex::default(),
            journal: Mutex::default(),
            writes: AtomicUsize::new(0),
            blows,
            orders,
        });
        let served = Arc::clone(&inside);
        let handler: Handler = Arc::new(move |request| {
            let inside = Arc::clone(&served);
            async move { inside.answer(request).await }.boxed()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let transport = Transport::serve(listener, handler).unwrap();
        Self { inside, transport }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.transport.address())
    }

    /// Takes the next message off the queue.
    pub(crate) fn receive(&self) -> Option<Value> {
        lock(&self.inside.messages).pop_front()
    }

    /// Puts a message back that nobody has finished.
    pub(crate) fn put_back(&self, message: Value) {
        lock(&self.inside.messages).push_back(message);
    }

    /// Returns the result events on the bus, with those that came twice.
    pub(crate) fn events(&self) -> Vec<Value> {
        lock(&self.inside.events).clone()
    }

    /// Returns how many writes arrived, or would have.
    pub(crate) fn writes(&self) -> usize {
        self.inside.writes.load(Ordering::SeqCst)
    }

    /// Returns what was written, by number.
    pub(crate) fn journal(&self) -> String {
        lock(&self.inside.journal).join("\n")
    }
}

impl Inside {
    async fn answer(&self, request: Request) -> Answer {
        let target = request.header("x-amz-target").unwrap_or_default().to_owned();
        let operation = target.rsplit('.').next().unwrap_or_default();
        if !WRITES.contains(&operation) {
            return self.carry_out(operation, request).await;
        }
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        lock(&self.journal).push(format!("{write:4} {operation} {}", keys(&request)));
        if self.is_due(write, Moment::Before) {
            return self.kill().await;
        }
        let answer = self.carry_out(operation, request).await;
        if self.is_due(write, Moment::After) {
            return self.kill().await;
        }
        answer
    }

    fn is_due(&self, write: usize, moment: Moment) -> bool {
        self.blows.contains(&Blow { write, moment })
    }

    /// Has the function killed before it gets an answer.
    async fn kill(&self) -> Answer {
        let (dead, is_dead) = oneshot::channel();
        self.orders.send(dead).await.unwrap();
        // Nobody answers for a function that another blow has met first.
        drop(is_dead.await);
        Answer::empty(StatusCode::OK).delivered(Delivery::Reset)
    }

    async fn carry_out(&self, operation: &str, request: Request) -> Answer {
        let said: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let answer = match operation {
            "SendMessage" => self.send(&said),
            "PutEvents" => self.put_events(&said),
            "GetSecretValue" => json!({
                "ARN": "arn:aws:secretsmanager:eu-north-1:123456789012:secret:test", "Name": said["SecretId"],
                "VersionId": "00000000-0000-4000-8000-000000000001", "SecretString": self.secret,
                "VersionStages": ["AWSCURRENT"],
            }),
            "Encrypt" | "GenerateDataKey" | "Decrypt" => match self.kms.answer(operation, &said) {
                Ok(answer) => answer,
                Err(code) => return told(StatusCode::BAD_REQUEST, &json!({ "__type": code })),
            },
            _ => return self.forward(request).await,
        };
        told(StatusCode::OK, &answer)
    }

    fn send(&self, said: &Value) -> Value {
        let mut messages = lock(&self.messages);
        let known = |message: &Value| message["MessageDeduplicationId"] == said["MessageDeduplicationId"];
        if !messages.iter().any(known) {
            messages.push_back(said.clone());
        }
        json!({ "MessageId": said["MessageDeduplicationId"], "MD5OfMessageBody": "", "SequenceNumber": "1" })
    }

    fn put_events(&self, said: &Value) -> Value {
        let entries = said["Entries"].as_array().unwrap();
        let details = entries.iter().map(|entry| entry["Detail"].as_str().unwrap());
        lock(&self.events).extend(details.map(|detail| serde_json::from_str::<Value>(detail).unwrap()));
        let taken: Vec<_> = entries.iter().map(|_| json!({ "EventId": "1" })).collect();
        json!({ "FailedEntryCount": 0, "Entries": taken })
    }

    async fn forward(&self, request: Request) -> Answer {
        let mut forward = self.http.post(&self.dynamo).body(request.body);
        for name in ["x-amz-target", "content-type", "authorization", "x-amz-date"] {
            if let Some(value) = request.headers.get(name) {
                forward = forward.header(name, value);
            }
        }
        let answer = forward.send().await.unwrap();
        let status = answer.status();
        Answer::bytes(status, answer.bytes().await.unwrap())
            .with("content-type", "application/x-amz-json-1.0")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is forwarded goes to this process and nowhere else"
)]
fn client() -> reqwest::Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder().no_proxy().no_gzip().build().unwrap()
}

fn told(status: StatusCode, answer: &Value) -> Answer {
    Answer::bytes(status, answer.to_string()).with("content-type", "application/x-amz-json-1.1")
}

/// Names the rows of a write, for whoever reads the journal.
fn keys(request: &Request) -> String {
    let said: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let parts = said["TransactItems"].as_array().cloned();
    let parts = parts.unwrap_or_else(|| vec![json!({ "Only": said })]);
    let rows = parts.iter().filter_map(|part| part.as_object()?.values().next());
    let key = |row: &Value| {
        row["Key"]["sk"]["S"]
            .as_str()
            .or(row["Item"]["sk"]["S"].as_str())
            .map(str::to_owned)
    };
    let keys: Vec<String> = rows.filter_map(key).collect();
    keys.join(" ")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
