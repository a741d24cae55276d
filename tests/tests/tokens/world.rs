//! A service whose integration signs in at the simulated servers, over HTTP, and the people around it.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use http::{Method, Request};
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared::adapters::{Connections, Registry};
use shared::api::{Api, Caller, Integrations, TokenState, integration_routes, token_routes};
use shared::clock::Clock;
use shared::flow::Ports;
use shared::flow::refresh::{Refreshed, sweep};
use shared::integration::Vault;
use shared::keys::{Keys, MemoryKeys};
use shared::oauth::{SharedTokens, TokenRow};
use shared::objects::MemoryObjects;
use shared::queue::MemoryQueue;
use shared::scheduler::MemoryScheduler;
use shared::secrets::MemorySecrets;
use shared::store::{MemoryStore, Query, Store, Table};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::{Simulation, SimulationConfig};

use crate::simulation_clock::SimulationClock;

pub(crate) const CALLBACK: &str = "https://api.example/v1/oauth/callback";
pub(crate) const INTEGRATION: &str = "/v1/organizations/hlf/integrations/dynamics365";
pub(crate) const BY_ID: &str = "/v1/integrations/hlf:dynamics365";

/// Where tokens are asked for.
pub(crate) const TOKEN: &str = "/oauth2/v2.0/token";

pub(crate) struct World {
    pub(crate) simulation: Arc<Simulation>,
    pub(crate) secrets: Arc<MemorySecrets>,
    ports: Ports,
    keys: Arc<dyn Keys>,
}

/// An answer that was read whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn time(&self, name: &str) -> Timestamp {
        let body = self.json();
        let text = body[name].as_str();
        text.unwrap_or_else(|| panic!("no {name} in {body}"))
            .parse()
            .unwrap()
    }
}

impl World {
    /// A service that has connected nothing.
    pub(crate) async fn new() -> Self {
        let simulation = Arc::new(Simulation::start(SimulationConfig::default()).await);
        let entra = simulation.entra();
        entra.set_redirect_uris(simulation.client_id(), &[CALLBACK]);
        let clock: Arc<dyn Clock> = Arc::new(SimulationClock(Arc::clone(&simulation)));
        Self {
            secrets: Arc::new(MemorySecrets::new()),
            ports: Ports {
                store: Arc::new(MemoryStore::new()),
                queue: Arc::new(MemoryQueue::new(Arc::clone(&clock))),
                clock,
            },
            keys: Arc::new(MemoryKeys::new()),
            simulation,
        }
    }

    /// One whose application signs in by itself.
    pub(crate) async fn connected() -> Self {
        let world = Self::new().await;
        let answer = world.connect("application", &world.credentials()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        world
    }

    /// One for which a person has signed in.
    pub(crate) async fn signed_in() -> Self {
        let world = Self::new().await;
        let answer = world.connect("user", &world.credentials()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        let answer = world.sign_in().await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        world
    }

    pub(crate) fn credentials(&self) -> Value {
        json!({ "clientId": self.simulation.client_id(), "clientSecret": self.simulation.client_secret() })
    }

    pub(crate) async fn connect(&self, sign_in: &str, credentials: &Value) -> Answer {
        let place = self.simulation.base_url();
        let body = json!({
            "settings": {
                "baseUrl": place, "authorityUrl": place, "tenant": self.simulation.tenant(), "signIn": sign_in,
                "members": {
                    "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
                    "alternateKey": "hlf_memberno", "fields": { "lastName": "lastname" },
                },
            },
            "credentials": credentials,
        });
        self.ask(Method::PUT, INTEGRATION, Some(&body)).await
    }

    fn registry(&self) -> Registry {
        let exceptions = self.simulation.base_url().parse().unwrap();
        let connections = Connections::new(exceptions, Arc::clone(&self.ports.clock));
        Registry {
            connections: connections.sharing(SharedTokens {
                store: Arc::clone(&self.ports.store),
                keys: Arc::clone(&self.keys),
                spends: true,
            }),
            secrets: Arc::<MemorySecrets>::clone(&self.secrets),
            secret_prefix: "test/".to_owned(),
            time_limit: Duration::from_secs(60),
        }
    }

    /// Asks as the administrator, by functions that have just been started.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<&Value>) -> Answer {
        let registry = Arc::new(self.registry());
        let vault = Vault::new(Arc::<MemorySecrets>::clone(&self.secrets), "test/");
        let exceptions = self.simulation.base_url().parse().unwrap();
        let integrations = integration_routes(Integrations {
            ports: self.ports.clone(),
            vault: vault.clone(),
            scheduler: Arc::new(MemoryScheduler::new()),
            exceptions,
            keys: Arc::clone(&self.keys),
            api_url: "https://api.example".parse().unwrap(),
            objects: Arc::new(MemoryObjects::new()),
        });
        let tokens = token_routes(TokenState {
            ports: self.ports.clone(),
            keys: Arc::clone(&self.keys),
            registrations: Arc::<Registry>::clone(&registry),
            callback: CALLBACK.parse().unwrap(),
            vault,
            prove: registry,
        });
        let mut request = Request::builder().method(method).uri(path);
        let body = body.map(|body| {
            request = std::mem::take(&mut request).header("content-type", "application/json");
            body.to_string()
        });
        let mut request = request.body(Bytes::from(body.unwrap_or_default())).unwrap();
        if !path.starts_with("/v1/oauth/") {
            request
                .extensions_mut()
                .insert(Caller::unrestricted("administrator"));
        }
        let routes = if path.starts_with(INTEGRATION) {
            integrations
        } else {
            tokens
        };
        let response = Api::new(routes, &self.ports).answer(request).await;
        let (head, body) = response.into_parts();
        Answer {
            status: head.status.as_u16(),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) async fn post(&self, path: &str) -> Answer {
        self.ask(Method::POST, path, None).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, None).await
    }

    pub(crate) async fn refresh(&self) -> Answer {
        self.post(&format!("{BY_ID}/token/refresh")).await
    }

    /// Does what the clock does each minute, for some of them.
    pub(crate) async fn minutes(&self, minutes: u32) -> Refreshed {
        let mut last = Refreshed::default();
        for _ in 0..minutes {
            self.simulation.advance(SignedDuration::from_mins(1));
            let deadline = self.simulation.now() + Duration::from_secs(20);
            let refreshed = sweep(&self.ports, &self.registry(), deadline).await.unwrap();
            if refreshed != Refreshed::default() {
                last = refreshed;
            }
        }
        last
    }

    /// Begins a sign-in; returns where the browser goes.
    pub(crate) async fn start(&self) -> String {
        let answer = self.post(&format!("{BY_ID}/oauth/start")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["authorizationUrl"].as_str().unwrap().to_owned()
    }

    /// Goes where the sign-in begins, as a browser does; returns the path that it is sent back to.
    #[expect(clippy::disallowed_methods, reason = "a browser is a client of its own")]
    pub(crate) async fn visit(&self, authorization_url: &str) -> String {
        drop(rustls::crypto::ring::default_provider().install_default());
        let nowhere = reqwest::redirect::Policy::none();
        let browser = reqwest::Client::builder().redirect(nowhere).build().unwrap();
        let sent = browser.get(authorization_url).send().await.unwrap();
        assert_eq!(sent.status(), 302);
        let location = sent.headers()["location"].to_str().unwrap();
        location
            .strip_prefix("https://api.example")
            .expect(location)
            .to_owned()
    }

    /// Has a person sign in from the beginning to the end.
    pub(crate) async fn sign_in(&self) -> Answer {
        let back = self.visit(&self.start().await).await;
        self.get(&back).await
    }

    pub(crate) async fn state(&self) -> String {
        let status = self.get(INTEGRATION).await.json();
        status["state"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn row(&self) -> TokenRow {
        let id = "hlf:dynamics365".parse().unwrap();
        let stored = shared::oauth::read(&*self.ports.store, &id).await.unwrap();
        stored.unwrap().row
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.ports.store
    }

    /// Returns everything that is kept.
    pub(crate) async fn rows(&self) -> String {
        let query = Query::new(Table::Control, "hlf", "", 1_000);
        format!("{:?}", self.ports.store.query(&query).await.unwrap().rows)
    }

    /// Returns the tokens that are kept: the access token, and the refresh tokens.
    pub(crate) async fn tokens(&self) -> Vec<String> {
        let row = self.row().await;
        let mut opened = Vec::new();
        for (what, sealed) in [
            ("access", row.access.map(|access| access.sealed)),
            ("refresh", row.refresh.map(|refresh| refresh.sealed)),
        ] {
            let Some(sealed) = sealed else { continue };
            let context = format!("{what} token of hlf:dynamics365");
            let token = self.keys.open(&context, &sealed).await.unwrap();
            opened.extend(
                token
                    .expose_secret()
                    .split('"')
                    .filter(|part| part.len() > 16)
                    .map(str::to_owned),
            );
        }
        opened
    }

    pub(crate) fn inject(&self, fault: Fault) {
        self.simulation.inject(FaultRule::once(fault).at(TOKEN));
    }

    /// Returns how often tokens were asked for by a grant.
    pub(crate) fn calls(&self, grant_type: &str) -> u64 {
        let calls = self
            .simulation
            .entra()
            .calls_of(self.simulation.client_id(), grant_type);
        calls.given + calls.refused
    }
}
