//! The wire to AWS under a script: it records what is sent, loses answers and makes them up.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use aws_sdk_dynamodb::config::{RuntimeComponents, SharedHttpClient};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::Value;
use shared::clients::Clients;
use shared::store::DynamoStore;

use crate::dynamo::{self, Dynamo};

/// What happens to a request.
#[derive(Debug, Clone)]
pub(crate) enum Fate {
    /// It is carried out, and answered.
    Passes,
    /// It is carried out, and its answer is lost.
    LosesAnswer,
    /// It is answered with this status and body, and not carried out.
    Gets(u16, Value),
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// The operation, such as `UpdateItem`.
    pub(crate) operation: String,
    /// Its JSON.
    pub(crate) body: Value,
}

type Script = dyn Fn(usize, &Sent) -> Fate + Send + Sync;

/// Connects to AWS, or to what stands for it, under a script.
#[derive(Clone)]
pub(crate) struct Wire {
    script: Arc<Script>,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Wire {
    /// Decides by its number, from 0, and its content what happens to a request.
    pub(crate) fn new(script: impl Fn(usize, &Sent) -> Fate + Send + Sync + 'static) -> Self {
        Self {
            script: Arc::new(script),
            sent: Arc::default(),
        }
    }

    /// Lets the requests of a list meet its fates, and all later ones pass.
    pub(crate) fn first(fates: Vec<Fate>) -> Self {
        Self::new(move |number, _| fates.get(number).cloned().unwrap_or(Fate::Passes))
    }

    /// Answers every request in the same way.
    pub(crate) fn always(status: u16, body: Value) -> Self {
        Self::new(move |_, _| Fate::Gets(status, body.clone()))
    }

    /// Returns what was sent so far.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the operations that were asked for so far.
    pub(crate) fn operations(&self) -> Vec<String> {
        self.sent().into_iter().map(|sent| sent.operation).collect()
    }

    /// Configures clients that speak over this wire, and do not wait long before they repeat.
    pub(crate) fn config(&self, endpoint: &str) -> SdkConfig {
        dynamo::configure(endpoint, SharedHttpClient::new(self.clone()))
    }

    fn fate(&self, request: &HttpRequest) -> Fate {
        let sent = read(request);
        let mut all = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let fate = (self.script)(all.len(), &sent);
        all.push(sent);
        fate
    }
}

impl Dynamo {
    /// Returns the store over it, behind a scripted wire.
    pub(crate) fn store_over(&self, wire: &Wire) -> DynamoStore {
        let client = Clients::new(wire.config(&self.endpoint)).dynamodb();
        DynamoStore::new(&client, dynamo::names())
    }
}

fn read(request: &HttpRequest) -> Sent {
    let path = request.uri().split(['?', '#']).next().unwrap_or_default();
    let operation = match request.headers().get("x-amz-target") {
        Some(target) => target.rsplit('.').next().unwrap_or_default().to_owned(),
        None => format!(
            "{} {}",
            request.method(),
            path.trim_start_matches("http://scheduler.test")
        ),
    };
    let body = request.body().bytes().unwrap_or_default();
    Sent {
        operation,
        body: serde_json::from_slice(body).unwrap_or_default(),
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl HttpClient for Wire {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let plain = aws_smithy_http_client::Builder::new().build_http();
        SharedHttpConnector::new(Scripted {
            connector: plain.http_connector(settings, components),
            wire: self.clone(),
        })
    }
}

#[derive(Debug)]
struct Scripted {
    connector: SharedHttpConnector,
    wire: Wire,
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.wire.fate(&request) {
            Fate::Passes => self.connector.call(request),
            Fate::Gets(status, body) => HttpConnectorFuture::ready(Ok(answer(status, &body))),
            Fate::LosesAnswer => {
                let answered = self.connector.call(request);
                HttpConnectorFuture::new(async move {
                    answered.await?;
                    Err(ConnectorError::io("the answer was lost".into()))
                })
            }
        }
    }
}

fn answer(status: u16, body: &Value) -> HttpResponse {
    let status = status.try_into().expect("the script names a status");
    HttpResponse::new(status, SdkBody::from(body.to_string()))
}
