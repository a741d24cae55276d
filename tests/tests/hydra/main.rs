//! Ory Hydra as the issuer: its admin API, in each of its versions, in front of an OAuth 2 server that others wrote.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod server;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use axum::{Json, Router};
use http::header::LINK;
use serde_json::json;
use shared::clock::{Clock as _, ManualClock, SystemClock};
use shared::http::{Exceptions, Http};
use shared::registry::{
    CredentialRequest, Hydra, HydraApi, Input, Issued, Issuer as _, IssuerError, Registry, RegistryError,
    Scopes, admit, delete_credential, find_credential, find_system, issue_credential, mend, register,
    unregister,
};
use shared::store::{MemoryStore, Query, Table};
use tokio::net::TcpListener;
use url::Url;
use uuid::Uuid;

use crate::server::{Flavour, Server};

const BY: &str = "administrator";

/// A registry whose clients a server keeps.
struct World {
    server: Server,
    registry: Registry,
    clock: Arc<ManualClock>,
}

impl World {
    async fn start(flavour: Flavour) -> Self {
        let server = Server::start(flavour).await;
        let clock = Arc::new(ManualClock::new(SystemClock.now()));
        let store = Arc::new(MemoryStore::new());
        let (registry, _) = Registry::on(store, Arc::<ManualClock>::clone(&clock));
        let http = Http::new(Exceptions::only(&server.admin));
        let hydra = Hydra::new(http, server.admin.clone(), flavour.api(), server.token_url());
        Self {
            registry: Registry {
                issuer: Arc::new(hydra),
                ..registry
            },
            server,
            clock,
        }
    }

    async fn registered(&self) -> Uuid {
        let input = Input {
            name: "platform".to_owned(),
            description: None,
        };
        register(&self.registry, input, BY).await.unwrap().id
    }

    async fn issue(&self, system: Uuid) -> Result<Issued, RegistryError> {
        let request = CredentialRequest {
            system,
            scopes: Scopes::integration_system(),
            organizations: None,
            expires_at: None,
            by: BY.to_owned(),
        };
        issue_credential(&self.registry, request).await
    }

    /// Returns what a token allows; none where it lets nobody in.
    async fn admits(&self, token: &str) -> Option<String> {
        let (store, issuer) = (&*self.registry.store, &*self.registry.issuer);
        let admitted = admit(store, issuer, token, self.registry.clock.now())
            .await
            .unwrap();
        admitted.map(|admitted| admitted.scopes.to_string())
    }

    /// Returns the intents of what is under way.
    async fn unfinished(&self) -> Vec<Uuid> {
        let query = Query::new(Table::Registry, "unfinished", "", 10);
        let rows = self.registry.store.query(&query).await.unwrap().rows;
        rows.iter().map(|row| row.key.sort.parse().unwrap()).collect()
    }

    /// Checks that the server has a client for each credential that the registry has, and no other.
    async fn is_sound(&self, system: Uuid) {
        let system = find_system(&*self.registry.store, system).await.unwrap();
        let known: BTreeSet<Uuid> = system.map(|system| system.credentials).unwrap_or_default();
        assert_eq!(self.server.clients().await, known);
    }
}

/// Runs a test on each version of the admin API.
macro_rules! on_each {
    ($name:ident, $world:ident, $body:block) => {
        mod $name {
            use super::*;

            async fn test($world: World) $body

            #[tokio::test]
            async fn v1() {
                test(World::start(Flavour::V1).await).await;
            }

            #[tokio::test]
            async fn v2_0() {
                test(World::start(Flavour::V2Dot0).await).await;
            }

            #[tokio::test]
            async fn v2() {
                test(World::start(Flavour::V2).await).await;
            }
        }
    };
}

on_each!(a_system_gets_a_token_and_is_let_in_as_far_as_it_goes, world, {
    let system = world.registered().await;
    let issued = world.issue(system).await.unwrap();
    assert_eq!(world.registry.issuer.token_url(), world.server.token_url());
    let granted = async |scope: &str| world.server.token(&issued, scope).await;
    let token = granted("sync:trigger record:read").await.unwrap();
    assert_eq!(
        world.admits(&token).await.as_deref(),
        Some("sync:trigger record:read")
    );
    // Nothing is allowed, and yet it is known who asks.
    assert_eq!(
        world.admits(&granted("").await.unwrap()).await.as_deref(),
        Some("")
    );
    let inherited = "application:read runtime:write integration_system:read integration_system.auths:read";
    let token = granted(inherited).await.unwrap();
    assert_eq!(
        world.admits(&token).await.as_deref(),
        Some("integration_system:read")
    );
    assert_eq!(
        granted("integration_system:write").await.unwrap_err(),
        "invalid_scope"
    );
    for garbage in ["", "x", "x.y.z", "ory_at_x.y", &format!("{token}x")] {
        assert_eq!(world.admits(garbage).await, None, "{garbage}");
    }
    world.is_sound(system).await;
});

on_each!(the_secret_is_ours_and_is_read_again, world, {
    let system = world.registered().await;
    let issued = world.issue(system).await.unwrap();
    assert!(issued.secret.expose().starts_with("xis_"));
    let kept = find_credential(&*world.registry.store, issued.credential.id)
        .await
        .unwrap()
        .unwrap();
    let secret = kept.secret(&*world.registry.keys).await.unwrap();
    assert_eq!(secret.expose(), issued.secret.expose());
});

on_each!(a_deleted_credential_ends_at_once_there_and_here, world, {
    let system = world.registered().await;
    let (gone, stays) = (
        world.issue(system).await.unwrap(),
        world.issue(system).await.unwrap(),
    );
    let token = world.server.token(&gone, "sync:trigger").await.unwrap();
    let other = world.server.token(&stays, "sync:trigger").await.unwrap();
    delete_credential(&world.registry, gone.credential.id, BY)
        .await
        .unwrap();
    assert_eq!(world.admits(&token).await, None);
    assert!(world.admits(&other).await.is_some());
    assert_eq!(world.server.token(&gone, "").await.unwrap_err(), "invalid_client");
    world.is_sound(system).await;
    let again = delete_credential(&world.registry, gone.credential.id, BY).await;
    assert!(matches!(again, Err(RegistryError::UnknownCredential)));
});

on_each!(a_client_that_is_gone_already_is_no_obstacle, world, {
    let system = world.registered().await;
    let issued = world.issue(system).await.unwrap();
    world.server.remove(issued.credential.id).await;
    delete_credential(&world.registry, issued.credential.id, BY)
        .await
        .unwrap();
    let issued = world.issue(system).await.unwrap();
    world.server.remove(issued.credential.id).await;
    unregister(&world.registry, system, BY).await.unwrap();
    assert_eq!(world.server.clients().await, BTreeSet::new());
});

on_each!(an_unregistered_system_leaves_no_client, world, {
    let system = world.registered().await;
    for _ in 0..3 {
        world.issue(system).await.unwrap();
    }
    unregister(&world.registry, system, BY).await.unwrap();
    assert_eq!(world.server.clients().await, BTreeSet::new());
});

on_each!(
    a_client_whose_making_was_not_answered_is_found_and_deleted,
    world,
    {
        let system = world.registered().await;
        let kept = world.issue(system).await.unwrap();
        world
            .server
            .fault(json!({ "method": "POST", "kind": "lose" }))
            .await;
        assert!(matches!(world.issue(system).await, Err(RegistryError::Issuer(_))));
        assert_eq!(world.server.clients().await.len(), 2);
        assert_eq!(
            mend(&world.registry).await.unwrap(),
            0,
            "the request may still be on its way"
        );
        world.clock.advance(Duration::from_secs(180));
        assert_eq!(mend(&world.registry).await.unwrap(), 1);
        world.is_sound(system).await;
        assert!(world.server.token(&kept, "").await.is_ok());
    }
);

on_each!(
    a_client_that_a_gateway_lets_through_after_its_answer_is_found_and_deleted,
    world,
    {
        let system = world.registered().await;
        for status in [502, 504] {
            world
                .server
                .fault(json!({ "method": "POST", "kind": "refuse", "status": status }))
                .await;
            let refused = world.issue(system).await;
            assert!(matches!(refused, Err(RegistryError::Issuer(_))), "{status}");
            let unfinished = world.unfinished().await;
            assert_eq!(unfinished.len(), 1, "{status}");
            world.server.create(&unfinished[0].to_string()).await;
            assert_eq!(mend(&world.registry).await.unwrap(), 0, "{status}");
            world.clock.advance(Duration::from_secs(180));
            assert_eq!(mend(&world.registry).await.unwrap(), 1, "{status}");
            world.is_sound(system).await;
            assert!(world.unfinished().await.is_empty(), "{status}");
        }
    }
);

on_each!(
    what_the_server_refuses_leaves_nothing_and_may_be_asked_again,
    world,
    {
        let system = world.registered().await;
        for status in [400, 401, 409, 500, 503] {
            world
                .server
                .fault(json!({ "method": "POST", "kind": "refuse", "status": status }))
                .await;
            assert!(
                matches!(world.issue(system).await, Err(RegistryError::Issuer(_))),
                "{status}"
            );
            world.is_sound(system).await;
            assert!(world.unfinished().await.is_empty(), "{status}");
        }
        let issued = world.issue(system).await.unwrap();
        let token = world.server.token(&issued, "sync:trigger").await.unwrap();
        for fault in [
            json!({ "method": "DELETE", "kind": "refuse", "status": 503 }),
            json!({ "method": "DELETE", "kind": "lose" }),
        ] {
            let id = issued.credential.id;
            world.server.fault(fault).await;
            assert!(delete_credential(&world.registry, id, BY).await.is_err());
            // It opens nothing any more, though the server may still know it.
            assert_eq!(world.admits(&token).await, None);
            assert!(
                find_credential(&*world.registry.store, id)
                    .await
                    .unwrap()
                    .is_some()
            );
        }
        world.clock.advance(Duration::from_secs(180));
        mend(&world.registry).await.unwrap();
        world.is_sound(system).await;
        let issued = world.issue(system).await.unwrap();
        world
            .server
            .fault(json!({ "method": "DELETE", "kind": "refuse", "status": 500 }))
            .await;
        assert!(unregister(&world.registry, system, BY).await.is_err());
        assert!(
            find_credential(&*world.registry.store, issued.credential.id)
                .await
                .unwrap()
                .is_some()
        );
        unregister(&world.registry, system, BY).await.unwrap();
        assert_eq!(world.server.clients().await, BTreeSet::new());
    }
);

on_each!(
    the_clients_of_an_intent_are_told_from_any_number_of_others,
    world,
    {
        for _ in 0..130 {
            world.server.create("somebody-else").await;
        }
        let intent = Uuid::new_v4();
        let ours = world.server.create(&intent.to_string()).await;
        assert_eq!(world.registry.issuer.made_for(intent).await.unwrap(), [ours]);
        assert!(
            world
                .registry
                .issuer
                .made_for(Uuid::new_v4())
                .await
                .unwrap()
                .is_empty()
        );
    }
);

#[tokio::test]
async fn a_list_of_clients_that_does_not_end_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let admin: Url = format!("http://{address}/").parse().unwrap();
    let page = vec![json!({ "client_id": "somebody's" }); 100];
    let next = [(LINK, "<?page_token=a>; rel=next")];
    let pages = Router::new().fallback(move || async move { (next, Json(page)) });
    tokio::spawn(axum::serve(listener, pages).into_future());
    for api in [HydraApi::V1, HydraApi::V2] {
        let http = Http::new(Exceptions::only(&admin));
        let hydra = Hydra::new(http, admin.clone(), api, "");
        let listed = hydra.made_for(Uuid::new_v4()).await;
        assert!(
            matches!(listed, Err(IssuerError::Answered { status: 200, .. })),
            "{api:?}"
        );
    }
}

on_each!(
    an_introspection_that_fails_lets_nobody_in_and_is_no_refusal,
    world,
    {
        let system = world.registered().await;
        let issued = world.issue(system).await.unwrap();
        let token = world.server.token(&issued, "sync:trigger").await.unwrap();
        let (store, issuer) = (&*world.registry.store, &*world.registry.issuer);
        for fault in [
            json!({ "method": "POST", "kind": "refuse", "status": 503 }),
            json!({ "method": "POST", "kind": "lose" }),
        ] {
            world.server.fault(fault).await;
            assert!(
                admit(store, issuer, &token, world.registry.clock.now())
                    .await
                    .is_err()
            );
        }
        assert!(world.admits(&token).await.is_some());
    }
);
