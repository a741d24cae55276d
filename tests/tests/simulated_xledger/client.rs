//! A plain HTTP client that sends what a test says and nothing more.

use http::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tests::xledger::Settings;
use tests::{Simulation, SimulationConfig};

/// Holds an answer that was read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Speaks to one simulation with one API token.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base_url: String,
    pub(crate) token: String,
}

pub(crate) const ADD: &str = "mutation($i:[AddGLImportItemsInput!]!){addGLImportItems(inputs:$i){edges{clientId node{dbId extIdentifier}}}}";

pub(crate) async fn books() -> (Simulation, Client) {
    books_with(Settings::default()).await
}

pub(crate) async fn books_with(xledger: Settings) -> (Simulation, Client) {
    let simulation = Simulation::start(SimulationConfig {
        xledger,
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation);
    (simulation, client)
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

impl Client {
    pub(crate) fn new(simulation: &Simulation) -> Self {
        Self {
            http: http(),
            base_url: simulation.base_url().to_owned(),
            token: simulation.xledger().token().to_owned(),
        }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self {
            http: self.http.clone(),
            base_url: self.base_url.clone(),
            token: token.to_owned(),
        }
    }

    /// Sends a document and returns the whole body of the answer, which is always 200.
    pub(crate) async fn ask(&self, query: &str, variables: Value) -> Value {
        let reply = self.try_ask(query, variables).await.unwrap();
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    pub(crate) async fn try_ask(&self, query: &str, variables: Value) -> reqwest::Result<Reply> {
        let body = json!({ "query": query, "variables": variables });
        let authorization = format!("token {}", self.token);
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
        ];
        self.post("graphql", &headers, body.to_string()).await
    }

    pub(crate) async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> reqwest::Result<Reply> {
        let request = self
            .http
            .request(Method::POST, format!("{}/{path}", self.base_url));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.body(body).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Reply {
            status,
            headers,
            text: response.text().await?,
        })
    }

    pub(crate) async fn add(&self, lines: &[Value]) -> Value {
        self.ask(ADD, json!({ "i": lines })).await
    }

    /// Adds lines that are wanted in the queue, and returns their ids.
    pub(crate) async fn added(&self, lines: &[Value]) -> Vec<i64> {
        let added = self.add(lines).await;
        let edges = added["data"]["addGLImportItems"]["edges"].as_array();
        let edges = edges.unwrap_or_else(|| panic!("{added}"));
        edges
            .iter()
            .map(|edge| edge["node"]["dbId"].as_i64().unwrap())
            .collect()
    }

    /// Returns the nodes of a connection that is asked for in a document of its own.
    pub(crate) async fn nodes(&self, connection: &str, fields: &str) -> Vec<Value> {
        let query = format!("{{ rows: {connection} {{ edges {{ node {{ {fields} }} }} }} }}");
        let answer = self.ask(&query, Value::Null).await;
        let edges = answer["data"]["rows"]["edges"].as_array();
        let edges = edges.unwrap_or_else(|| panic!("{answer}"));
        edges.iter().map(|edge| edge["node"].clone()).collect()
    }
}

/// Returns a line as the public example has it.
pub(crate) fn line(number: i64, account: &str, amount: &str, identifier: &str) -> Value {
    json!({ "clientId": identifier, "node": {
        "trRegNumber": number, "transactionSource": { "code": "GL" }, "postedDate": "2026-02-17",
        "account": { "code": account }, "amount": amount, "invoiceAmount": amount, "currency": { "code": "NOK" },
        "text": "Reise likeperson 4711", "jobLevel": { "dbSubId": 1 }, "extIdentifier": identifier,
    }})
}

/// Returns the two lines of a voucher.
pub(crate) fn voucher(number: i64, amount: &str, identifier: &str) -> Vec<Value> {
    vec![
        line(number, "7140", amount, &format!("{identifier}-1")),
        line(number, "2910", &format!("-{amount}"), &format!("{identifier}-2")),
    ]
}

/// Returns the first error of an answer.
pub(crate) fn error(answer: &Value) -> &Value {
    assert!(answer["data"].is_null(), "{answer}");
    &answer["errors"][0]
}

pub(crate) fn message(answer: &Value) -> String {
    error(answer)["message"].as_str().unwrap().to_owned()
}

/// Makes a client that gives bodies as they travelled.
pub(crate) fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_gzip().build().unwrap()
}
