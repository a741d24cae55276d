//! No token and no secret is in anything that is logged, answered, told or kept as it is.

use http::Method;
use serde_json::json;
use tests::dataverse::faults::Fault;

use crate::captured::{Captured, holds_none};
use crate::world::{BY_ID, INTEGRATION, World};

#[tokio::test]
async fn nothing_secret_is_logged_answered_or_kept_as_it_is() {
    let captured = Captured::begin();
    let world = World::new().await;
    let mut told = Vec::new();
    let mut secrets = vec![world.simulation.client_secret().to_owned(), "canary".to_owned()];
    told.push(world.connect("user", &world.credentials()).await);
    let back = world.visit(&world.start().await).await;
    // The address holds the code, which is good no more once it was used; it is in no answer and no log all the same.
    let (_, code) = back.split_once("code=").unwrap();
    secrets.push(code.split('&').next().unwrap().to_owned());
    told.push(world.get(&back).await);
    told.push(world.get(&back).await);
    for fault in [
        None,
        Some(Fault::Html),
        Some(Fault::TruncatedJson),
        Some(Fault::ErrorInBody),
        Some(Fault::Status {
            status: 400,
            body: Some(
                json!({ "error": "invalid_scope", "error_description": "canary", "access_token": "canary" }),
            ),
            retry_after: None,
        }),
        Some(Fault::ResetAfter),
    ] {
        secrets.extend(world.tokens().await);
        if let Some(fault) = fault {
            world.inject(fault);
        }
        told.push(world.refresh().await);
        world.simulation.advance(jiff::SignedDuration::from_hours(2));
    }
    told.push(world.refresh().await);
    told.push(world.sign_in().await);
    secrets.extend(world.tokens().await);
    let wrong = json!({ "clientId": world.simulation.client_id(), "clientSecret": "canary" });
    told.push(
        world
            .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&wrong))
            .await,
    );
    let secret = world
        .simulation
        .entra()
        .rotate_secret(world.simulation.client_id(), false);
    let right = json!({ "clientId": world.simulation.client_id(), "clientSecret": secret });
    secrets.push(secret);
    told.push(world.refresh().await);
    told.push(
        world
            .ask(Method::PUT, &format!("{BY_ID}/credentials"), Some(&right))
            .await,
    );
    told.push(world.get(INTEGRATION).await);
    secrets.extend(world.tokens().await);
    secrets.sort_unstable();
    secrets.dedup();
    assert!(secrets.len() >= 10, "enough was looked for: {}", secrets.len());
    let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
    let logged = captured.text();
    assert!(logged.contains("does not work any more"), "the log was captured");
    holds_none("logged", &logged, &secrets);
    holds_none("answered", &format!("{told:?}"), &secrets);
    holds_none("kept as it is", &world.rows().await, &secrets);
}
