//! Every way to sign in, with every way to cut listings into pages.

use serde_json::json;
use shared::adapter::{ErrorKind, Found, From};
use shared::adapters::registration;
use shared::model::Kind;
use tests::rest::{Auth, Collection, Paging};

use crate::pair::Side as _;
use crate::world::{World, edit, find_one, member, pull_all, push_one, rows, target};

const AUTHS: [Auth; 4] = [Auth::ApiKey, Auth::Bearer, Auth::Basic, Auth::Oidc];
const PAGINGS: [Paging; 6] = [
    Paging::None,
    Paging::Page,
    Paging::Offset,
    Paging::Cursor,
    Paging::Link,
    Paging::NextLink,
];

#[tokio::test]
async fn everything_is_read_and_written_however_one_signs_in_and_pages() {
    let mut world = World::new(23).await;
    for auth in AUTHS {
        for (round, paging) in PAGINGS.into_iter().enumerate() {
            world.sign_in_by(auth);
            world.page_by(paging, 5);
            let adapter = world.adapter();
            let there = world.rows().len();
            let (items, since) = pull_all(&*adapter, Kind::Member, From::Start).await;
            assert_eq!(rows(&items).len(), there, "{auth:?} {paging:?}");
            let key = format!("{auth:?}-{round}");
            let pushed = push_one(&*adapter, member(&key, json!({ "lastName": "Ny" })))
                .await
                .unwrap();
            let changed = edit(target(&pushed), json!({ "lastName": "Nyere" }));
            push_one(&*adapter, changed).await.unwrap();
            let (told, _) = pull_all(&*adapter, Kind::Member, since).await;
            let told = rows(&told);
            let row = told.iter().find(|row| row.id == pushed.id).unwrap();
            assert_eq!(serde_json::to_value(&row.fields).unwrap()["lastName"], "Nyere");
            let Found::Here(_) = find_one(&*adapter, &pushed.id).await.unwrap() else {
                panic!("{auth:?} {paging:?}: it is there")
            };
        }
    }
    let made = (AUTHS.len() * PAGINGS.len()) as u64;
    let writes = world.register().writes();
    assert_eq!((writes.created, writes.updated, writes.deleted), (made, made, 0));
    assert_eq!(
        world.register().rows(Collection::Members).len(),
        23 + AUTHS.len() * PAGINGS.len()
    );
}

#[tokio::test]
async fn a_wrong_credential_is_for_a_human_to_change() {
    for auth in AUTHS {
        let mut world = World::new(1).await;
        world.sign_in_by(auth);
        for secret in ["apiKey", "token", "password", "clientSecret"] {
            if world.credentials.get(secret).is_some() {
                world.credentials[secret] = json!("wrong");
            }
        }
        let error = world
            .adapter()
            .pull(Kind::Member, &From::Start)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthenticated, "{auth:?}");
    }
}

#[tokio::test]
async fn credentials_of_another_kind_are_refused_before_anything_is_sent() {
    for auth in AUTHS {
        for shown in AUTHS.into_iter().filter(|other| *other != auth) {
            let mut world = World::new(0).await;
            world.sign_in_by(shown);
            let credentials = world.credentials.clone();
            world.sign_in_by(auth);
            world.credentials = credentials;
            let faults = world.try_adapter(&world.connections).unwrap_err();
            assert!(
                faults.iter().all(|fault| fault.field.starts_with("credentials.")),
                "{faults:?}"
            );
            assert_eq!(world.requests(), 0);
        }
    }
}

#[tokio::test]
async fn only_who_signs_in_by_oidc_has_a_token_to_be_renewed() {
    for auth in AUTHS {
        let mut world = World::new(0).await;
        world.sign_in_by(auth);
        let registered = registration(&world.integration(), &world.secret(), &world.connections).unwrap();
        assert_eq!(registered.is_some(), auth == Auth::Oidc);
        if let Some(registered) = registered {
            assert!(registered.sign_in.is_none());
            registered.tokens.token().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_token_that_was_revoked_is_renewed_once_and_asked_for_where_the_profile_says() {
    let mut world = World::new(3).await;
    world.sign_in_by(Auth::Oidc);
    let base_url = world.simulation.base_url().to_owned();
    let token_url = format!("{base_url}/rest/identity/token");
    world.settings["auth"] = json!({ "kind": "oidc", "tokenUrl": token_url, "scope": "register" });
    let adapter = world.adapter();
    pull_all(&*adapter, Kind::Member, From::Start).await;
    world.register().sign_in().revoke_access_tokens();
    pull_all(&*adapter, Kind::Member, From::Start).await;
    let asked = world.simulation.journal();
    let of = |path: &str| asked.iter().filter(|entry| entry.target.ends_with(path)).count();
    assert_eq!((of("/rest/identity/token"), of("openid-configuration")), (2, 0));
}

#[tokio::test]
async fn an_issuer_that_is_another_or_issues_elsewhere_gets_no_secret() {
    for (wrong, right) in [
        ("\"issuer\":\"https://other.example\"", true),
        ("\"token_endpoint\":\"https://elsewhere.example/token\"", false),
    ] {
        let mut world = World::new(1).await;
        world.sign_in_by(Auth::Oidc);
        let base_url = world.simulation.base_url();
        let document = match right {
            true => {
                json!({ "issuer": "https://other.example", "token_endpoint": format!("{base_url}/rest/identity/token") })
            }
            false => {
                json!({ "issuer": format!("{base_url}/rest/identity"), "token_endpoint": "https://elsewhere.example/token" })
            }
        };
        let fault = tests::dataverse::faults::Fault::Status {
            status: 200,
            body: Some(document),
            retry_after: None,
        };
        world.inject(tests::dataverse::faults::FaultRule::always(fault).at("openid-configuration"));
        let error = world
            .adapter()
            .pull(Kind::Member, &From::Start)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{wrong}");
        assert_eq!(world.register().sign_in().calls().len(), 0, "{wrong}");
    }
}
