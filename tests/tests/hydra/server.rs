//! The OAuth 2 server, as a process, and what is asked of it besides.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};
use shared::http::{Answer, Call, Exceptions, Http, Limits};
use shared::registry::{HydraApi, Issued};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use url::Url;
use uuid::Uuid;

/// Which versions of Hydra it behaves like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Flavour {
    /// 1.x.
    V1,
    /// 2.0 and 2.1, where nobody but the server chooses ids.
    V2Dot0,
    /// 2.2 and later.
    V2,
}

impl Flavour {
    pub(crate) const fn api(self) -> HydraApi {
        match self {
            Self::V1 => HydraApi::V1,
            Self::V2Dot0 | Self::V2 => HydraApi::V2,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2Dot0 => "v2.0",
            Self::V2 => "v2",
        }
    }

    const fn clients(self) -> &'static str {
        match self {
            Self::V1 => "clients",
            Self::V2Dot0 | Self::V2 => "admin/clients",
        }
    }
}

/// A server; it ends with the test.
pub(crate) struct Server {
    pub(crate) admin: Url,
    public: Url,
    flavour: Flavour,
    http: Http,
    _process: Child,
}

impl Server {
    /// Starts one, which installs what it needs where that is not there yet.
    pub(crate) async fn start(flavour: Flavour) -> Self {
        let stack = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/stack");
        let mut process = Command::new(stack)
            .args(["oauth2-server", "--api", flavour.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("infra/stack can be run");
        let stdout = process.stdout.take().expect("its output is read");
        let line = BufReader::new(stdout).lines().next_line().await;
        let line = line
            .expect("its output can be read")
            .expect("it says where it is");
        let told: Value = serde_json::from_str(&line).expect("it says so in JSON");
        let url = |name: &str| -> Url { told[name].as_str().unwrap().parse().unwrap() };
        let (admin, public) = (url("admin"), url("public"));
        let exceptions: Exceptions = format!("{},{}", origin(&admin), origin(&public)).parse().unwrap();
        Self {
            http: Http::new(exceptions),
            admin,
            public,
            flavour,
            _process: process,
        }
    }

    pub(crate) fn token_url(&self) -> String {
        self.public.join("/oauth2/token").unwrap().into()
    }

    /// Asks for a token, or returns the error's name.
    pub(crate) async fn token(&self, issued: &Issued, scope: &str) -> Result<String, String> {
        let shown = format!("{}:{}", issued.credential.id, issued.secret.expose());
        let basic = format!("Basic {}", STANDARD.encode(shown));
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("scope", scope)
            .finish();
        let url = self.token_url().parse().unwrap();
        let kind = "application/x-www-form-urlencoded";
        let answer = self.send(Method::POST, url, form, kind, Some(basic)).await;
        let answer: Value = serde_json::from_slice(&answer.body).unwrap();
        match answer["access_token"].as_str() {
            Some(token) => Ok(token.to_owned()),
            None => Err(answer["error"].as_str().unwrap().to_owned()),
        }
    }

    /// Returns the ids of all clients.
    pub(crate) async fn clients(&self) -> BTreeSet<Uuid> {
        let path = format!("{}?limit=500&page_size=500", self.flavour.clients());
        let clients = self.ask(Method::GET, &path, Value::Null).await;
        let ids = clients.as_array().unwrap().iter();
        ids.map(|client| client["client_id"].as_str().unwrap().parse().unwrap())
            .collect()
    }

    /// Makes a client of somebody's.
    pub(crate) async fn create(&self, owner: &str) -> Uuid {
        let client = json!({ "owner": owner, "grant_types": ["client_credentials"], "scope": "a" });
        let made = self.ask(Method::POST, self.flavour.clients(), client).await;
        made["client_id"].as_str().unwrap().parse().unwrap()
    }

    /// Deletes a client behind the registry's back.
    pub(crate) async fn remove(&self, client: Uuid) {
        let path = format!("{}/{client}", self.flavour.clients());
        self.ask(Method::DELETE, &path, Value::Null).await;
    }

    /// Has the next call of a method fail in some way.
    pub(crate) async fn fault(&self, fault: Value) {
        self.ask(Method::POST, "_faults", json!([fault])).await;
    }

    async fn ask(&self, method: Method, path: &str, body: Value) -> Value {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let url = self.admin.join(path).unwrap();
        let answer = self.send(method, url, body, "application/json", None).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.status);
        serde_json::from_slice(&answer.body).unwrap_or_default()
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        body: String,
        kind: &'static str,
        basic: Option<String>,
    ) -> Answer {
        let mut headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))]);
        if let Some(basic) = basic {
            headers.insert(header::AUTHORIZATION, basic.parse().unwrap());
        }
        let call = Call {
            method,
            url,
            headers,
            body: body.into(),
            limits: Limits::LIST,
        };
        self.http.send(call).await.unwrap().whole().unwrap()
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
