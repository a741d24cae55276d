//! The token endpoint, as clients of OAuth know it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use super::world::{Answer, Ask, World, ask};
use crate::api::RemoteAddress;
use crate::registry::{
    CredentialRequest, Input, Issued, Scopes, delete_credential, issue_credential, register,
};
use crate::store::{Due, Key, MemoryStore, Page, Query, Row, Store, StoreError, Write};

/// A client that was issued a credential.
struct Client {
    id: String,
    secret: String,
    issued: Issued,
}

impl World {
    async fn client(&self, expires_at: Option<Timestamp>) -> Client {
        let input = Input {
            name: format!("s{}", Uuid::new_v4().as_fields().0),
            description: None,
        };
        let system = register(&self.registry, input, "administrator").await.unwrap().id;
        let request = CredentialRequest {
            system,
            scopes: Scopes::integration_system(),
            organizations: None,
            expires_at,
            by: "administrator".to_owned(),
        };
        let issued = issue_credential(&self.registry, request).await.unwrap();
        Client {
            id: issued.credential.id.to_string(),
            secret: issued.secret.expose().to_owned(),
            issued,
        }
    }

    async fn token(&self, client: &Client) -> String {
        let answer = self
            .answer(form("token", GRANT).basic(&client.id, &client.secret))
            .await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }
}

const GRANT: &str = "grant_type=client_credentials&scope=sync:trigger";

fn form(what: &str, body: &str) -> Ask {
    ask(Method::POST, &format!("/oauth2/{what}"))
        .by(None)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned())
}

impl Ask {
    fn basic(self, id: &str, secret: &str) -> Self {
        let encoded = STANDARD.encode(format!("{id}:{secret}"));
        self.header("authorization", &format!("Basic {encoded}"))
    }

    fn sent_from(mut self, address: &str) -> Self {
        self.request = self.request.extension(RemoteAddress(address.into()));
        self
    }
}

fn told(answer: &Answer) -> (u16, String) {
    (
        answer.status.as_u16(),
        answer.json()["error"].as_str().unwrap_or_default().to_owned(),
    )
}

#[tokio::test]
async fn a_client_gets_a_token_by_either_way_of_showing_its_secret() {
    let world = World::new();
    let Client { id, secret, .. } = world.client(None).await;
    let in_form = format!("{GRANT}&client_id={id}&client_secret={secret}");
    for ask in [form("token", GRANT).basic(&id, &secret), form("token", &in_form)] {
        let answer = world.answer(ask).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.header("cache-control"), "no-store");
        let token = answer.json();
        assert_eq!(
            (&token["token_type"], &token["expires_in"]),
            (&json!("Bearer"), &json!(900))
        );
        assert_eq!(token["scope"], "sync:trigger");
        let claims = world
            .tokens
            .verify(
                token["access_token"].as_str().unwrap(),
                world.registry.clock.now(),
            )
            .await;
        assert_eq!(claims.unwrap().client_id.to_string(), id);
    }
}

#[tokio::test]
async fn what_a_token_allows_is_what_was_asked_for_and_given() {
    let world = World::new();
    let client = world.client(None).await;
    for (scope, granted) in [
        ("", Ok("")),
        ("&scope=", Ok("")),
        (
            "&scope=record:read+sync:trigger+record:read",
            Ok("sync:trigger record:read"),
        ),
        (
            "&scope=application:read%20integration_system.auths:read%20integration_system:read",
            Ok("integration_system:read"),
        ),
        ("&scope=integration_system:write", Err("invalid_scope")),
        ("&scope=everything", Err("invalid_scope")),
    ] {
        let body = format!("grant_type=client_credentials{scope}");
        let answer = world
            .answer(form("token", &body).basic(&client.id, &client.secret))
            .await;
        match granted {
            Ok(granted) => assert_eq!(answer.json()["scope"], granted, "{}", answer.body),
            Err(error) => assert_eq!(told(&answer), (400, error.to_owned())),
        }
    }
    let long = format!("grant_type=client_credentials&scope={}", "x".repeat(10_240));
    let answer = world
        .answer(form("token", &long).basic(&client.id, &client.secret))
        .await;
    assert_eq!(told(&answer), (400, "invalid_request".to_owned()));
}

#[tokio::test]
async fn what_is_no_request_for_a_token_is_refused_with_the_word_that_clients_know() {
    let world = World::new();
    let Client { id, secret, .. } = world.client(None).await;
    let shown = |body: &str| form("token", body).basic(&id, &secret);
    for (ask, status, error) in [
        (shown("scope=sync:trigger"), 400, "invalid_request"),
        (shown("grant_type="), 400, "invalid_request"),
        (shown("grant_type=password"), 400, "unsupported_grant_type"),
        (shown("grant_type=implicit"), 400, "unsupported_grant_type"),
        (shown("grant_type=refresh_token"), 400, "unsupported_grant_type"),
        (
            shown("grant_type=client_credentials&grant_type=client_credentials"),
            400,
            "invalid_request",
        ),
        (
            shown(&format!("{GRANT}&client_secret={secret}")),
            400,
            "invalid_request",
        ),
        (form("token", GRANT), 401, "invalid_client"),
        (
            form("token", GRANT).header("authorization", "Bearer x"),
            401,
            "invalid_client",
        ),
        (
            form("token", GRANT).header("authorization", "Basic !"),
            401,
            "invalid_client",
        ),
        (
            form("token", GRANT).header("authorization", "Basic"),
            401,
            "invalid_client",
        ),
        (
            form("token", GRANT).basic(&id, &secret).basic(&id, &secret),
            400,
            "invalid_request",
        ),
        (form("introspect", "").basic(&id, &secret), 400, "invalid_request"),
        (form("revoke", "token=x"), 401, "invalid_client"),
    ] {
        assert_eq!(told(&world.answer(ask).await), (status, error.to_owned()));
    }
    let json = ask(Method::POST, "/oauth2/token").json(&json!({ "grant_type": "client_credentials" }));
    assert_eq!(
        told(&world.answer(json).await),
        (400, "invalid_request".to_owned())
    );
    assert_eq!(world.answer(ask(Method::GET, "/oauth2/token")).await.status, 405);
}

/// Counts what is asked of the tables.
#[derive(Debug, Default)]
struct Counting {
    store: MemoryStore,
    rows: AtomicUsize,
}

#[async_trait]
impl Store for Counting {
    async fn get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, StoreError> {
        self.rows.fetch_add(keys.len(), Ordering::SeqCst);
        self.store.get(keys).await
    }

    async fn query(&self, query: &Query) -> Result<Page, StoreError> {
        self.store.query(query).await
    }

    async fn write(&self, writes: Vec<Write>) -> Result<(), StoreError> {
        self.rows.fetch_add(1_000, Ordering::SeqCst);
        self.store.write(writes).await
    }

    async fn due(&self, list: Due, now: Timestamp, limit: usize) -> Result<Vec<Key>, StoreError> {
        self.store.due(list, now, limit).await
    }
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_client_and_one_that_has_ended_are_told_apart_by_nothing() {
    let store = Arc::new(Counting::default());
    let world = World::on(Arc::<Counting>::clone(&store));
    let (live, deleted) = (world.client(None).await, world.client(None).await);
    let end = world.registry.clock.now() + Duration::from_secs(60);
    let expired = world.client(Some(end)).await;
    world.clock.advance(Duration::from_secs(60));
    delete_credential(&world.registry, deleted.issued.credential.id, "administrator")
        .await
        .unwrap();
    let unknown = Uuid::new_v4().to_string();
    let mut answers = Vec::new();
    for (id, secret) in [
        (&*live.id, "xis_wrong"),
        (&*live.id, &*deleted.secret),
        (&*unknown, &*live.secret),
        (&*deleted.id, &*deleted.secret),
        (&*expired.id, &*expired.secret),
        (&*expired.id, "xis_wrong"),
        ("no-uuid", &*live.secret),
        ("", ""),
    ] {
        store.rows.store(0, Ordering::SeqCst);
        let answer = world.answer(form("token", GRANT).basic(id, secret)).await;
        let mut headers = answer.headers.clone();
        headers.remove("x-request-id");
        answers.push((
            told(&answer),
            answer.body,
            headers,
            store.rows.load(Ordering::SeqCst),
        ));
    }
    assert_eq!(
        (&answers[0].0, answers[0].3),
        (&(401, "invalid_client".to_owned()), 1)
    );
    assert!(
        answers[0].2["www-authenticate"]
            .to_str()
            .unwrap()
            .starts_with("Basic")
    );
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
}

#[tokio::test]
async fn a_hundred_thousand_wrong_secrets_cost_twenty_looks_and_lock_nobody_else_out() {
    let store = Arc::new(Counting::default());
    let world = World::on(Arc::<Counting>::clone(&store));
    let client = world.client(None).await;
    store.rows.store(0, Ordering::SeqCst);
    let throttle = crate::api::throttle::Throttle::default();
    let address = RemoteAddress("203.0.113.9".into());
    let clock = &*world.registry.clock;
    let mut let_through = 0;
    for _ in 0..100_000 {
        if let Ok(attempt) = throttle.begin(&client.id, &address, clock) {
            let_through += 1;
            let wrong: Result<(), _> = Err(crate::registry::GrantError::InvalidClient);
            assert!(attempt.end(wrong).await.is_err());
        }
    }
    assert_eq!(let_through, 20);
    let wrong = |address: &str| {
        form("token", GRANT)
            .basic(&client.id, "xis_wrong")
            .sent_from(address)
    };
    let right = |address: &str| {
        form("token", GRANT)
            .basic(&client.id, &client.secret)
            .sent_from(address)
    };
    for _ in 0..20 {
        assert_eq!(world.answer(wrong("203.0.113.9")).await.status, 401);
    }
    let answer = world.answer(wrong("203.0.113.9")).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("retry-after")),
        (429, "60")
    );
    assert_eq!(store.rows.load(Ordering::SeqCst), 20);
    assert_eq!(world.answer(right("203.0.113.10")).await.status, 200);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.answer(right("203.0.113.9")).await.status, 200);
}

#[tokio::test]
async fn a_client_asks_about_and_revokes_its_own_tokens_over_http() {
    let world = World::new();
    let (own, other) = (world.client(None).await, world.client(None).await);
    let token = world.token(&own).await;
    let asked = async |client: &Client, what: &str, token: &str| {
        let body = format!("token={token}&token_type_hint=access_token");
        world
            .answer(form(what, &body).basic(&client.id, &client.secret))
            .await
    };
    assert_eq!(asked(&own, "introspect", &token).await.json()["active"], true);
    for inactive in [
        asked(&other, "introspect", &token).await,
        asked(&own, "introspect", "x.y.z").await,
    ] {
        assert_eq!(
            (inactive.status.as_u16(), inactive.json()),
            (200, json!({ "active": false }))
        );
    }
    assert_eq!(asked(&other, "revoke", &token).await.status, 200);
    assert_eq!(asked(&own, "introspect", &token).await.json()["active"], true);
    for _ in 0..2 {
        let revoked = asked(&own, "revoke", &token).await;
        assert_eq!((revoked.status.as_u16(), &*revoked.body), (200, ""));
    }
    assert_eq!(
        asked(&own, "introspect", &token).await.json(),
        json!({ "active": false })
    );
}

#[tokio::test]
async fn the_issuer_says_where_everything_is() {
    let world = World::new();
    let answer = world
        .answer(ask(Method::GET, "/.well-known/openid-configuration").by(None))
        .await
        .json();
    assert_eq!(answer["issuer"], "https://api.example.org");
    assert_eq!(answer["token_endpoint"], "https://api.example.org/oauth2/token");
    assert_eq!(
        answer["jwks_uri"],
        "https://api.example.org/.well-known/jwks.json"
    );
    let keys = world
        .answer(ask(Method::GET, "/.well-known/jwks.json").by(None))
        .await
        .json();
    assert_eq!(keys["keys"][0]["alg"], "ES256");
    assert_eq!(keys["keys"][0].get("d"), None);
}

#[tokio::test]
async fn where_tokens_are_issued_elsewhere_it_is_said_where() {
    let world = World::with_tokens_elsewhere();
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let answer = world
            .answer(form(path.trim_start_matches("/oauth2/"), GRANT))
            .await;
        assert_eq!(
            (answer.status.as_u16(), &*answer.code()),
            (404, "unknown_route"),
            "{path}"
        );
        assert_eq!(
            answer.json()["detail"],
            "tokens are issued at https://api.example.org/oauth2/token"
        );
    }
    assert_eq!(world.get("/.well-known/jwks.json").await.status, 404);
}

#[tokio::test]
async fn an_outage_is_no_wrong_secret() {
    use super::breaking::{Breaking, Side};
    let store = Arc::new(MemoryStore::new());
    let world = World::on(Arc::<MemoryStore>::clone(&store));
    let client = world.client(None).await;
    let breaking = Breaking::new(Arc::<MemoryStore>::clone(&store), 0, Side::Before);
    let registry = crate::registry::Registry {
        store: Arc::new(breaking),
        ..world.registry.clone()
    };
    let world = world.with(registry);
    let answer = world
        .answer(form("token", GRANT).basic(&client.id, &client.secret))
        .await;
    assert_eq!(told(&answer), (503, "temporarily_unavailable".to_owned()));
    assert_eq!(
        (
            answer.header("retry-after"),
            answer.json()["error_description"].as_str()
        ),
        ("5", Some("something that is needed is busy or down"))
    );
}

#[tokio::test]
async fn an_id_is_taken_as_it_is_written_and_in_no_other_way() {
    let world = World::new();
    let Client { id, secret, .. } = world.client(None).await;
    for other in [
        id.to_uppercase(),
        id.replace('-', ""),
        format!("{{{id}}}"),
        format!("urn:uuid:{id}"),
    ] {
        let answer = world.answer(form("token", GRANT).basic(&other, &secret)).await;
        assert_eq!(told(&answer), (401, "invalid_client".to_owned()), "{other}");
    }
    assert_eq!(
        world
            .answer(form("token", GRANT).basic(&id, &secret))
            .await
            .status,
        200
    );
}
