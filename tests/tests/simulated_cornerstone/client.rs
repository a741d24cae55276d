//! A plain HTTP client that sends what a test says and nothing more.

use http::Method;
use jiff::SignedDuration;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tests::cornerstone::{Cornerstone, Settings, TrainingType};
use tests::{Simulation, SimulationConfig};
use uuid::Uuid;

/// Holds an answer that was read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

/// Speaks to one portal with one token.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) simulation: Simulation,
    pub(crate) token: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Returns the message of a refusal, in the envelope of the Transcript API.
    pub(crate) fn message(&self) -> String {
        let message = &self.json()["error"]["message"];
        message
            .as_str()
            .unwrap_or_else(|| panic!("{}", self.text))
            .to_owned()
    }

    /// Returns the rows of a view.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let body = self.json();
        body["value"]
            .as_array()
            .unwrap_or_else(|| panic!("{}", self.text))
            .clone()
    }
}

impl Client {
    pub(crate) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// Starts a portal in which a minute begins.
    pub(crate) async fn with(cornerstone: Settings) -> Self {
        let config = SimulationConfig {
            cornerstone,
            ..SimulationConfig::default()
        };
        let simulation = Simulation::start(config).await;
        let past = simulation.now().as_millisecond().rem_euclid(60_000);
        simulation.advance(SignedDuration::from_millis(60_000 - past));
        drop(rustls::crypto::ring::default_provider().install_default());
        let http = reqwest::Client::builder().no_gzip().build().unwrap();
        let mut client = Self {
            http,
            simulation,
            token: String::new(),
        };
        client.token = client.sign_in("all").await;
        client
    }

    pub(crate) fn portal(&self) -> &Cornerstone {
        self.simulation.cornerstone()
    }

    pub(crate) async fn sign_in(&self, scope: &str) -> String {
        let learner = self.simulation.learner();
        let body = json!({
            "clientId": learner.client_id, "clientSecret": learner.client_secret,
            "grantType": "client_credentials", "scope": scope,
        });
        let reply = self
            .ask(Method::POST, "services/api/oauth2/token", &[], Some(&body))
            .await;
        let token = reply.unwrap().json()["access_token"].clone();
        token.as_str().unwrap().to_owned()
    }

    /// Adds a user and an online class.
    pub(crate) fn course(&self) -> Uuid {
        self.portal().add_user("kari", "Kari", "Nordmann");
        self.portal()
            .add_learning_object("Førstehjelp", TrainingType::OnlineClass)
            .id
    }

    /// Lets the warehouse catch up.
    pub(crate) fn catch_up(&self) {
        self.simulation.advance(SignedDuration::from_mins(15));
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.ask(Method::GET, path, &[], None).await.unwrap()
    }

    pub(crate) async fn view(&self, query: &str) -> Reply {
        self.get(&format!("services/api/x/odata/api/views/{query}")).await
    }

    pub(crate) async fn transcript(&self, query: &str) -> Reply {
        self.get(&format!("services/api/v1/transcripts/{query}")).await
    }

    /// Changes a transcript of `kari`.
    pub(crate) async fn write(&self, action: &str, object: Uuid, more: Value) -> Reply {
        self.try_write(action, object, more).await.unwrap()
    }

    pub(crate) async fn try_write(&self, action: &str, object: Uuid, more: Value) -> reqwest::Result<Reply> {
        let mut body = json!({ "externalId": "kari", "learningObjectId": object });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let method = if action == "assign" {
            Method::POST
        } else {
            Method::PATCH
        };
        let path = format!("services/api/v1/transcripts/{action}");
        self.ask(method, &path, &[], Some(&body)).await
    }

    pub(crate) async fn assign(&self, object: Uuid) -> Reply {
        self.write("assign", object, json!({ "assignment": "registered" }))
            .await
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Result<Reply> {
        let path = path
            .trim_start_matches(self.simulation.base_url())
            .trim_start_matches('/');
        let url = format!("{}/{path}", self.simulation.base_url());
        let mut request = self.http.request(method, url);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let headers = headers.iter();
        let request = headers.fold(request, |request, (name, value)| request.header(*name, *value));
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        Ok(Reply {
            status,
            headers,
            text,
        })
    }
}
