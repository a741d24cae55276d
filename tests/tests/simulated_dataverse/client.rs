//! A plain HTTP client that sends what a test says and nothing more.

use bytes::Bytes;
use http::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tests::sign_in::Credentials;
use tests::{Simulation, SimulationConfig};

/// Holds an answer that was read whole.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

/// Speaks to one simulation with one token.
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    pub(crate) token: String,
}

pub(crate) async fn organization(contacts: usize) -> (Simulation, Client) {
    let simulation = Simulation::start(SimulationConfig {
        contacts,
        ..SimulationConfig::default()
    })
    .await;
    let client = Client::new(&simulation).await;
    (simulation, client)
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(|value| value.to_str().unwrap())
            .unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.bytes.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or(Value::Null)
    }

    pub(crate) fn rows(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()["value"].as_array().unwrap().clone()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or("none").to_owned()
    }

    pub(crate) fn link(&self, name: &str) -> Option<String> {
        self.json()[name].as_str().map(str::to_owned)
    }
}

impl Client {
    pub(crate) async fn new(simulation: &Simulation) -> Self {
        let credentials = Credentials {
            client_id: simulation.client_id().to_owned(),
            client_secret: simulation.client_secret().to_owned(),
        };
        Self::of(simulation, &credentials).await
    }

    pub(crate) async fn of(simulation: &Simulation, credentials: &Credentials) -> Self {
        let http = http();
        let base_url = simulation.base_url().to_owned();
        let mut client = Self {
            http,
            base_url,
            token: String::new(),
        };
        let scope = simulation.scope();
        let fields = [
            ("client_id", credentials.client_id.as_str()),
            ("client_secret", credentials.client_secret.as_str()),
            ("scope", scope.as_str()),
            ("grant_type", "client_credentials"),
        ];
        let reply = client.ask_token(simulation.tenant(), &fields).await;
        client.token = reply.json()["access_token"].as_str().unwrap().to_owned();
        client
    }

    pub(crate) async fn ask_token(&self, tenant: &str, fields: &[(&str, impl AsRef<str> + Sync)]) -> Reply {
        let encode = |text: &str| {
            text.bytes()
                .map(|byte| format!("%{byte:02X}"))
                .collect::<String>()
        };
        let form: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value.as_ref())))
            .collect();
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.base_url);
        let request = self
            .http
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded");
        read(request.body(form.join("&"))).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.get_with(path, &[]).await
    }

    pub(crate) async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send(Method::GET, path, headers, None).await.unwrap()
    }

    pub(crate) async fn prefer(&self, path: &str, preference: &str) -> Reply {
        self.get_with(path, &[("prefer", preference)]).await
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(Method::POST, path, &[], Some(body)).await.unwrap()
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.patch_with(path, &[], body).await
    }

    pub(crate) async fn patch_with(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        self.send(Method::PATCH, path, headers, Some(body)).await.unwrap()
    }

    pub(crate) async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, &[], None).await.unwrap()
    }

    /// Sends a request to a path below the Web API, or to a whole URL.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> reqwest::Result<Reply> {
        let mut request = self.request(method, path);
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request).await
    }

    pub(crate) async fn batch(&self, headers: &[(&str, &str)], body: &str) -> Reply {
        let request = self
            .request(Method::POST, "$batch")
            .header("content-type", "multipart/mixed; boundary=\"b\"");
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value));
        read(request.body(body.to_owned())).await.unwrap()
    }

    fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let whole = path.starts_with("http");
        let url = if whole {
            path.to_owned()
        } else {
            format!("{}/api/data/v9.2/{path}", self.base_url)
        };
        let request = self
            .http
            .request(method, url)
            .header("accept", "application/json");
        let request = request
            .header("odata-version", "4.0")
            .header("odata-maxversion", "4.0");
        request.bearer_auth(&self.token)
    }

    /// Follows next links to the end; returns all rows and the last reply.
    pub(crate) async fn all(&self, path: &str, preference: &str) -> (Vec<Value>, Reply) {
        let mut reply = self.prefer(path, preference).await;
        let mut rows = reply.rows();
        while let Some(link) = reply.link("@odata.nextLink") {
            reply = self.prefer(&link, preference).await;
            rows.extend(reply.rows());
        }
        (rows, reply)
    }

    /// Creates a contact and returns its id.
    pub(crate) async fn contact(&self, body: &Value) -> String {
        let reply = self.post("contacts", body).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        let link = reply.header("odata-entityid");
        link.split_once('(').unwrap().1.trim_end_matches(')').to_owned()
    }

    pub(crate) async fn control(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let request = self
            .http
            .request(method, format!("{}/_simulator/{path}", self.base_url));
        let body = body.unwrap_or(&json!(null)).to_string();
        read(request.body(body)).await.unwrap()
    }
}

async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Reply {
        status,
        headers,
        bytes: response.bytes().await?,
    })
}

/// Makes a client that gives bodies as they travelled.
///
/// Whoever builds the workspace as a whole builds it with TLS, which wants to know whose ciphers to use.
pub(crate) fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    reqwest::Client::builder().no_gzip().build().unwrap()
}
