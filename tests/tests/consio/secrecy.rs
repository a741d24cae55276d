//! Nothing secret and nothing personal is told to anyone who is not meant to know it.

use serde_json::json;
use shared::adapter::From;
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::rest::Auth;

use crate::captured::{Captured, holds_none};
use crate::world::{World, edit, find_one, member, push_one, target};

/// Does what an adapter does, and what it does when things go wrong; returns everything that came of it.
async fn everything(world: &World) -> String {
    let adapter = world.adapter();
    let mut told = vec![format!("{adapter:?} {:?}", world.connections)];
    let fields = |name: &str| json!({ "lastName": name, "email": "canary@example.org" });
    let pushed = push_one(&*adapter, member("1", fields("canary"))).await;
    told.push(format!("{pushed:?}"));
    told.push(format!(
        "{:?}",
        push_one(&*adapter, member("2", fields(&"canary".repeat(9)))).await
    ));
    if let Ok(pushed) = &pushed {
        told.push(format!(
            "{:?}",
            push_one(&*adapter, edit(target(pushed), fields("canary two"))).await
        ));
        told.push(format!("{:?}", find_one(&*adapter, &pushed.id).await));
    }
    for fault in [
        Fault::Html,
        Fault::ErrorInBody,
        Fault::TruncatedJson,
        Fault::ResetAfter,
        Fault::Status {
            status: 400,
            body: Some(json!({ "error": { "code": "canary of a sentence", "message": "canary" } })),
            retry_after: None,
        },
    ] {
        world.inject(FaultRule::always(fault).at("/rest/v1/"));
        told.push(format!("{:?}", adapter.pull(Kind::Member, &From::Start).await));
        told.push(format!(
            "{:?}",
            push_one(&*adapter, member("3", fields("canary"))).await
        ));
        world.simulation.clear_faults();
    }
    told.push(format!(
        "{:?} {:?}",
        adapter.pull(Kind::Member, &From::Start).await,
        adapter.probe().await
    ));
    told.join("\n")
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let captured = Captured::begin();
    let mut told = Vec::new();
    for auth in [Auth::ApiKey, Auth::Bearer, Auth::Basic, Auth::Oidc] {
        let mut world = World::new(0).await;
        world.sign_in_by(auth);
        told.push(everything(&world).await);
        world.credentials = json!({ "apiKey": "canary\n", "token": "canary", "password": "canary\u{7}" });
        told.push(format!("{:?}", world.try_adapter(&world.connections).err()));
    }
    let (shown, logged) = (told.join("\n"), captured.text());
    assert!(logged.contains("call failed"), "the log was captured");
    let world = World::new(0).await;
    let secrets = [
        world.register().secret(),
        &world.register().client().client_secret,
        "reg_",
        "Bearer ",
        "Basic ",
        "canary",
    ];
    for (place, text) in [("shown", shown), ("logged", logged)] {
        holds_none(place, &text, &secrets);
    }
}
