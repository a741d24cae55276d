//! A service in memory, and somebody who asks it.

use std::sync::Arc;

use async_trait::async_trait;
use axum::body::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use utoipa_axum::router::OpenApiRouter;

use super::breaking::{Breaking, Side, Yielding};
use crate::adapter::{Adapter, ErrorKind, Finding, Unusable};
use crate::api::{
    Api, Caller, Integrations, RegistryState, Test, TokenState, WebhookState, export_routes,
    integration_routes, registry_routes, test_routes, token_routes, trigger_routes, webhook_routes,
};
use crate::clock::{Clock, ManualClock};
use crate::flow::Ports;
use crate::flow::export_tests::world::{Library, Shelf};
use crate::flow::receive::Receiver;
use crate::flow::refresh::{Registration, Registrations};
use crate::flow::work::Connect;
use crate::http::Exceptions;
use crate::integration::{Integration, Prove, Vault};
use crate::keys::{Keys, MemoryKeys};
use crate::model::{IntegrationId, System};
use crate::oauth::{TokenError, TokenErrorKind};
use crate::objects::MemoryObjects;
use crate::queue::MemoryQueue;
use crate::registry::{Registry, Tokens};
use crate::scheduler::MemoryScheduler;
use crate::secrets::{MemorySecrets, Secret};
use crate::store::{MemoryStore, Store};

pub(super) const INTEGRATION: &str = "/v1/organizations/hlf/integrations/dynamics365";

/// A service in memory.
#[derive(Debug)]
pub(super) struct World {
    pub(super) ports: Ports,
    pub(super) clock: Arc<ManualClock>,
    pub(super) queue: Arc<MemoryQueue>,
    pub(super) secrets: Arc<MemorySecrets>,
    pub(super) scheduler: Arc<MemoryScheduler>,
    pub(super) objects: Arc<MemoryObjects>,
    pub(super) registry: Registry,
    pub(super) tokens: Arc<Tokens>,
    state: RegistryState,
    pub(super) keys: Arc<dyn Keys>,
    pub(super) receiver: Receiver,
    /// The books of every organization.
    pub(super) shelf: Arc<Shelf>,
    /// How they are opened.
    pub(super) books: Arc<dyn Connect>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

/// A request that is being put together.
pub(super) struct Ask {
    pub(super) request: http::request::Builder,
    pub(super) caller: Option<Caller>,
    pub(super) body: Bytes,
}

#[derive(Debug)]
struct Nowhere;

#[async_trait]
impl Prove for Nowhere {
    async fn prove(&self, _: &Integration, secret: &Secret) -> Vec<Finding> {
        let refused = secret.value.expose_secret().contains("wrong");
        let finding = Finding {
            question: "sign in".to_owned(),
            works: false,
            cause: Some("key"),
            answer: "the client secret is wrong".to_owned(),
        };
        refused.then_some(finding).into_iter().collect()
    }
}

#[async_trait]
impl Registrations for Nowhere {
    async fn registration(&self, _: &Integration) -> Result<Registration, TokenError> {
        Err(TokenError::new(
            TokenErrorKind::Unavailable,
            "network",
            "nobody is there",
        ))
    }
}

#[async_trait]
impl Connect for Nowhere {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        Arc::new(Unusable::new(
            integration.id.system,
            ErrorKind::Unavailable,
            "nobody is there",
        ))
    }
}

impl World {
    pub(super) fn new() -> Self {
        Self::on(Arc::new(Yielding(MemoryStore::new())))
    }

    pub(super) fn on(store: Arc<dyn Store>) -> Self {
        let now = "2026-01-31T10:00:00Z".parse().unwrap();
        let clock = Arc::new(ManualClock::new(now));
        let time: Arc<dyn Clock> = Arc::<ManualClock>::clone(&clock);
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&time)));
        let (registry, tokens) = Registry::on(Arc::clone(&store), Arc::clone(&time));
        let ports = Ports {
            store,
            queue: Arc::<MemoryQueue>::clone(&queue),
            clock: time,
        };
        let keys: Arc<dyn Keys> = Arc::new(MemoryKeys::new());
        let shelf = Arc::new(Shelf::new());
        Self {
            receiver: Receiver::new(ports.clone(), Arc::clone(&keys), Exceptions::none()),
            keys,
            ports,
            clock,
            queue,
            secrets: Arc::new(MemorySecrets::new()),
            scheduler: Arc::new(MemoryScheduler::new()),
            books: Arc::new(Library(Arc::clone(&shelf))),
            shelf,
            objects: Arc::new(MemoryObjects::new()),
            state: RegistryState::new(registry.clone(), Some(Arc::clone(&tokens)), false),
            registry,
            tokens,
        }
    }

    /// The same service, with another registry.
    pub(super) fn with(self, registry: Registry) -> Self {
        let tokens = Some(Arc::clone(&self.tokens));
        Self {
            state: RegistryState::new(registry.clone(), tokens, false),
            registry,
            ..self
        }
    }

    /// A service whose schema everybody may read.
    pub(super) fn with_introspection() -> Self {
        let world = Self::new();
        let (registry, tokens) = (world.registry.clone(), Arc::clone(&world.tokens));
        Self {
            state: RegistryState::new(registry, Some(tokens), true),
            ..world
        }
    }

    /// A service whose tokens somebody else issues.
    pub(super) fn with_tokens_elsewhere() -> Self {
        let world = Self::new();
        Self {
            state: RegistryState::new(world.registry.clone(), None, false),
            ..world
        }
    }

    /// The same service, in a process that dies on the `nth` write.
    pub(super) fn dying(&self, nth: usize, side: Side) -> (Self, Arc<Breaking>) {
        let breaking = Arc::new(Breaking::new(Arc::clone(&self.ports.store), nth, side));
        let store: Arc<dyn Store> = Arc::<Breaking>::clone(&breaking);
        let world = Self {
            ports: Ports {
                store,
                ..self.ports.clone()
            },
            clock: Arc::clone(&self.clock),
            queue: Arc::clone(&self.queue),
            secrets: Arc::clone(&self.secrets),
            scheduler: Arc::clone(&self.scheduler),
            objects: Arc::clone(&self.objects),
            registry: self.registry.clone(),
            tokens: Arc::clone(&self.tokens),
            books: Arc::clone(&self.books),
            shelf: Arc::clone(&self.shelf),
            state: self.state.clone(),
            keys: Arc::clone(&self.keys),
            receiver: self.receiver.clone(),
        };
        (world, breaking)
    }

    pub(super) fn routes(&self) -> [OpenApiRouter; 7] {
        let ports = self.ports.clone();
        let vault = Vault::new(Arc::<MemorySecrets>::clone(&self.secrets), "test/");
        let exceptions = Exceptions::none();
        [
            trigger_routes(ports.clone()),
            integration_routes(Integrations {
                ports: ports.clone(),
                vault: vault.clone(),
                scheduler: Arc::<MemoryScheduler>::clone(&self.scheduler),
                exceptions,
                keys: Arc::clone(&self.keys),
                api_url: "https://api.example".parse().unwrap(),
                objects: Arc::<MemoryObjects>::clone(&self.objects),
            }),
            webhook_routes(WebhookState {
                receiver: self.receiver.clone(),
            }),
            test_routes(Test {
                system: System::Dynamics365,
                ports: ports.clone(),
                connect: Arc::new(Nowhere),
            }),
            export_routes(Test {
                system: System::Xledger,
                ports,
                connect: Arc::clone(&self.books),
            }),
            token_routes(TokenState {
                ports: self.ports.clone(),
                keys: Arc::new(MemoryKeys::new()),
                registrations: Arc::new(Nowhere),
                callback: "https://api.example/v1/oauth/callback".parse().unwrap(),
                vault: vault.clone(),
                prove: Arc::new(Nowhere),
            }),
            registry_routes(self.state.clone()),
        ]
    }

    /// Returns the functions, each with its own routes.
    fn functions(&self) -> Vec<Api> {
        let [
            trigger_sync,
            integrations,
            webhooks,
            dynamics365,
            xledger,
            token_refresh,
            integration_systems,
        ] = self.routes();
        let of_organizations = [
            trigger_sync,
            integrations,
            webhooks,
            dynamics365,
            xledger,
            token_refresh,
        ]
        .map(|routes| Api::new(routes, &self.ports));
        let clock = &self.ports.clock;
        let others = [Api::of_no_organization(integration_systems, clock)];
        of_organizations.into_iter().chain(others).collect()
    }

    /// Answers a request by whichever function has its route.
    pub(super) async fn answer(&self, ask: Ask) -> Answer {
        let mut request = ask.request.body(ask.body).unwrap();
        if let Some(caller) = ask.caller {
            request.extensions_mut().insert(caller);
        }
        let mut last = None;
        for function in self.functions() {
            let answer = function.answer(request.clone()).await;
            let answer = Answer::from(answer);
            if answer.code() != "unknown_route" && answer.code() != "method_not_allowed" {
                return answer;
            }
            last = last
                .filter(|answer: &Answer| answer.status == 405)
                .or(Some(answer));
        }
        last.unwrap()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.answer(ask(Method::GET, path)).await
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.answer(ask(Method::POST, path).json(body)).await
    }

    pub(super) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.answer(ask(Method::PUT, path).json(body)).await
    }

    pub(super) async fn delete(&self, path: &str) -> Answer {
        self.answer(ask(Method::DELETE, path)).await
    }

    /// Connects an integration of `hlf`.
    pub(super) async fn connected() -> Self {
        let world = Self::new();
        let answer = world.put(INTEGRATION, &configuration()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        world
    }
}

/// Asks as the administrator.
pub(super) fn ask(method: Method, path: &str) -> Ask {
    let request = Request::builder().method(method).uri(path);
    Ask {
        request,
        caller: Some(Caller::unrestricted("administrator")),
        body: Bytes::new(),
    }
}

impl Ask {
    pub(super) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json")
            .body(body.to_string())
    }

    pub(super) fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub(super) fn key(self, key: &str) -> Self {
        self.header("idempotency-key", key)
    }

    pub(super) fn by(mut self, caller: Option<Caller>) -> Self {
        self.caller = caller;
        self
    }
}

impl From<http::Response<Bytes>> for Answer {
    fn from(response: http::Response<Bytes>) -> Self {
        let (head, body) = response.into_parts();
        let body = String::from_utf8(body.to_vec()).unwrap();
        Self {
            status: head.status,
            headers: head.headers,
            body,
        }
    }
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(super) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(super) fn fields(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What an integration is put with.
pub(super) fn configuration() -> Value {
    json!({
        "displayName": "Portal",
        "settings": {
            "baseUrl": "https://hlf.crm4.dynamics.com",
            "tenant": "00000000-0000-0000-0000-000000000001",
            "members": {
                "entitySet": "contacts", "logicalName": "contact", "primaryKey": "contactid",
                "alternateKey": "hlf_memberno", "fields": { "firstName": "firstname", "lastName": "lastname" },
                "onDelete": "deactivate",
            },
        },
        "credentials": { "clientId": "canary-id", "clientSecret": "canary-secret" },
    })
}

pub(super) fn integration() -> IntegrationId {
    "hlf:dynamics365".parse().unwrap()
}
