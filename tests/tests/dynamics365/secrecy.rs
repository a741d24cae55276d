//! Nothing secret and nothing personal is told to anyone who is not meant to know it.

use serde_json::json;
use shared::adapter::{From, Subscription};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::captured::{Captured, holds_none};
use crate::world::{World, member, push_one};

/// Does what an adapter does, and what it does when things go wrong; returns everything that came of it.
async fn everything(world: &World) -> String {
    let adapter = world.adapter();
    let change =
        |key: &str, name: &str| member(key, json!({ "lastName": name, "email": "canary@example.org" }));
    let mut told = vec![format!("{adapter:?}")];
    for change in [change("1", "canary"), change("2", &"canary".repeat(9))] {
        told.push(format!("{:?}", push_one(&*adapter, change).await));
    }
    for fault in [
        Fault::Html,
        Fault::ErrorInBody,
        Fault::TruncatedJson,
        Fault::ResetAfter,
        Fault::Unauthorized,
        Fault::NoLinks,
    ] {
        world.inject(FaultRule::always(fault).at("/contacts?"));
        told.push(format!("{:?}", adapter.pull(Kind::Member, &From::Start).await));
        world.simulation.clear_faults();
    }
    told.push(format!("{:?}", adapter.pull(Kind::Member, &From::Start).await));
    told.push(format!("{:?} {adapter:?}", adapter.probe().await));
    told.extend(subscriptions(world).await);
    told.join("\n")
}

/// Registers webhooks, also where the system refuses to and where it breaks off.
async fn subscriptions(world: &World) -> Vec<String> {
    let adapter = world.adapter();
    let wanted = |secret: &str| Subscription {
        name: "endpoint".to_owned(),
        url: "https://hooks.example.org/v1/webhooks/1".parse().unwrap(),
        header: Some("x-webhook-secret".to_owned()),
        secret: secret.into(),
    };
    let mut told = vec![format!("{:?}", wanted("canary-of-a-webhook"))];
    for secret in [
        "canary-of-a-webhook",
        "another-canary",
        "canary\n",
        &"canary".repeat(400),
    ] {
        for fault in [Fault::Html, Fault::ErrorInBody, Fault::ResetAfter] {
            world.inject(FaultRule::once(fault).at("/serviceendpoints").holding("canary"));
            told.push(format!("{:?}", adapter.subscribe(&wanted(secret)).await));
            world.simulation.clear_faults();
        }
        told.push(format!("{:?}", adapter.subscribe(&wanted(secret)).await));
    }
    told.push(format!("{:?}", adapter.unsubscribe("endpoint").await));
    told
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let captured = Captured::begin();
    let world = World::new(0).await;
    let shown = everything(&world).await;
    let logged = captured.text();
    assert!(logged.contains("call failed"), "the log was captured");
    let secrets = [world.simulation.client_secret(), "eyJ", "Bearer ", "canary"];
    for (place, text) in [("shown", shown), ("logged", logged)] {
        holds_none(place, &text, &secrets);
    }
}
