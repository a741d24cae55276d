//! An app that sends what a test says and nothing more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tests::{Simulation, SimulationConfig};
use url::Url;

pub(crate) const CALLBACK: &str = "https://service.example/callback?of=hlf";
pub(crate) const VERIFIER: &str = "a-verifier-that-is-long-enough-to-be-one-0123456789";

/// Parameters, by name.
pub(crate) type Fields<'a> = [(&'a str, &'a str)];

/// Holds an answer that was read whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().unwrap());
        value.unwrap_or_default()
    }

    /// Returns a member of the JSON that is a text.
    pub(crate) fn member(&self, name: &str) -> String {
        let body = self.json();
        let text = body[name].as_str();
        text.unwrap_or_else(|| panic!("no {name} in {}", self.text))
            .to_owned()
    }

    pub(crate) fn access(&self) -> String {
        self.member("access_token")
    }

    pub(crate) fn refresh(&self) -> String {
        self.member("refresh_token")
    }

    /// Returns status, error, and number of a refusal of Entra ID.
    pub(crate) fn refusal(&self) -> (u16, String, u64) {
        let body = self.json();
        let number = body["error_codes"][0].as_u64().unwrap_or_default();
        assert!(
            self.status == 200
                || self
                    .member("error_description")
                    .starts_with(&format!("AADSTS{number}: "))
        );
        let error = body["error"].as_str().unwrap_or_default();
        (self.status, error.to_owned(), number)
    }

    /// Returns where the visitor is sent, and what the address tells.
    pub(crate) fn told(&self) -> (Url, Value) {
        assert_eq!(self.status, 302, "{}", self.text);
        let location: Url = self.header("location").parse().unwrap();
        let told = location
            .query_pairs()
            .map(|(name, value)| (name.into_owned(), json!(value)));
        let told = told.collect();
        (location, Value::Object(told))
    }
}

/// An app registration, its simulation, and its users.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) simulation: Simulation,
    pub(crate) http: reqwest::Client,
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
}

impl App {
    pub(crate) async fn new() -> Self {
        let simulation = Simulation::start(SimulationConfig::default()).await;
        simulation
            .entra()
            .set_redirect_uris(simulation.client_id(), &[CALLBACK]);
        Self {
            client_id: simulation.client_id().to_owned(),
            client_secret: simulation.client_secret().to_owned(),
            http: http(),
            simulation,
        }
    }

    pub(crate) fn endpoint(&self, name: &str) -> String {
        let (base_url, tenant) = (self.simulation.base_url(), self.simulation.tenant());
        format!("{base_url}/{tenant}/oauth2/v2.0/{name}")
    }

    pub(crate) fn user_scope(&self) -> String {
        format!("{}/user_impersonation offline_access", self.simulation.base_url())
    }

    /// Sends a form to the token endpoint, as the app whose secret it has.
    pub(crate) async fn ask(&self, fields: &Fields<'_>) -> Reply {
        self.try_ask(fields).await.unwrap()
    }

    pub(crate) async fn try_ask(&self, fields: &Fields<'_>) -> reqwest::Result<Reply> {
        let usual = [
            ("client_id", self.client_id.as_str()),
            ("client_secret", &self.client_secret),
        ];
        let form = encode(&replaced(&usual, fields));
        let request = self
            .http
            .post(self.endpoint("token"))
            .header("content-type", "application/x-www-form-urlencoded");
        read(request.body(form)).await
    }

    /// Asks for a token in the app's own name.
    pub(crate) async fn for_itself(&self, fields: &Fields<'_>) -> Reply {
        let scope = self.simulation.scope();
        let usual = [("grant_type", "client_credentials"), ("scope", scope.as_str())];
        self.ask(&replaced(&usual, fields)).await
    }

    /// Goes where a user signs in, with some parameters changed.
    pub(crate) async fn visit(&self, fields: &Fields<'_>) -> Reply {
        let (scope, challenge) = (self.user_scope(), challenge(VERIFIER));
        let usual = [
            ("client_id", self.client_id.as_str()),
            ("redirect_uri", CALLBACK),
            ("response_type", "code"),
            ("scope", &scope),
            ("state", "a state & more"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ];
        let query = encode(&replaced(&usual, fields));
        let address = format!("{}?{query}", self.endpoint("authorize"));
        read(self.http.get(address)).await.unwrap()
    }

    /// Signs the user in; returns the code.
    pub(crate) async fn code(&self) -> String {
        let (_, told) = self.visit(&[]).await.told();
        told["code"]
            .as_str()
            .unwrap_or_else(|| panic!("{told}"))
            .to_owned()
    }

    /// Asks for tokens for a code, with some parameters changed.
    pub(crate) async fn redeem(&self, code: &str, fields: &Fields<'_>) -> Reply {
        let usual = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        self.ask(&replaced(&usual, fields)).await
    }

    /// Signs the user in; returns the first tokens.
    pub(crate) async fn signed_in(&self) -> Reply {
        let reply = self.redeem(&self.code().await, &[]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply
    }

    pub(crate) async fn renew(&self, refresh: &str) -> Reply {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", refresh)])
            .await
    }

    /// Returns the status that Dataverse answers to an access token.
    pub(crate) async fn shown(&self, access: &str) -> u16 {
        let address = format!("{}/api/data/v9.2/WhoAmI", self.simulation.base_url());
        let request = self.http.get(address).bearer_auth(access);
        let request = request
            .header("odata-version", "4.0")
            .header("odata-maxversion", "4.0");
        read(request).await.unwrap().status
    }

    /// Sends a control request about a sign-in server.
    pub(crate) async fn control(&self, method: Method, path: &str, body: &Value) -> Reply {
        let address = format!("{}/_simulator/sign-in/{path}", self.simulation.base_url());
        read(self.http.request(method, address).body(body.to_string()))
            .await
            .unwrap()
    }
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()))
}

/// Replaces fields by others of the same name, and adds the rest.
fn replaced<'a>(usual: &Fields<'a>, fields: &Fields<'a>) -> Vec<(&'a str, &'a str)> {
    let kept = usual
        .iter()
        .filter(|(name, _)| fields.iter().all(|(other, _)| other != name));
    kept.chain(fields).copied().collect()
}

/// Encodes the fields that are not empty.
fn encode(fields: &Fields<'_>) -> String {
    let fields = fields.iter().filter(|(_, value)| !value.is_empty());
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.extend_pairs(fields).finish()
}

pub(crate) async fn read(request: reqwest::RequestBuilder) -> reqwest::Result<Reply> {
    let response = request.send().await?;
    Ok(Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await?,
    })
}

/// Makes a client that goes nowhere by itself.
///
/// Whoever builds the workspace as a whole builds it with TLS, which wants to know whose ciphers to use.
fn http() -> reqwest::Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    let nowhere = reqwest::redirect::Policy::none();
    reqwest::Client::builder().redirect(nowhere).build().unwrap()
}
