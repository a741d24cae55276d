//! The control API of the simulated register, as other programs use it.

#![expect(
    clippy::disallowed_methods,
    reason = "talks to the simulation with a client of its own"
)]

use http::Method;
use serde_json::{Value, json};

use crate::world::World;

async fn ask(world: &World, method: Method, path: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/_simulator/rest/{path}", world.simulation.base_url());
    let request = reqwest::Client::new().request(method, url).body(body.to_string());
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or_default())
}

#[tokio::test]
async fn rows_are_made_changed_and_deleted_from_outside() {
    let world = World::new(0).await;
    let row = json!({ "name": { "last": "Nordmann" } });
    let (status, made) = ask(&world, Method::POST, "rows/members", row).await;
    assert_eq!(status, 200);
    let place = format!("rows/members/{}", made["id"]);
    assert_eq!(
        ask(&world, Method::POST, &place, json!({ "born": "31.01.1980" }))
            .await
            .0,
        204
    );
    let (_, rows) = ask(&world, Method::GET, "rows/members", json!(null)).await;
    assert_eq!(
        (&rows[0]["born"], &rows[0]["revision"]),
        (&json!("31.01.1980"), &json!("2"))
    );
    assert_eq!(ask(&world, Method::DELETE, &place, json!(null)).await.0, 204);
    assert_eq!(ask(&world, Method::DELETE, &place, json!(null)).await.0, 404);
    assert_eq!(
        ask(&world, Method::POST, "rows/members", json!({ "shoe": 42 }))
            .await
            .0,
        400
    );
    let (_, writes) = ask(&world, Method::GET, "writes", json!(null)).await;
    assert_eq!(writes["created"], 0);
}

#[tokio::test]
async fn the_register_is_made_to_behave_in_another_way() {
    let world = World::new(0).await;
    let settings = json!({
        "auth": "basic", "paging": "nextLink", "pageCap": 7, "quirk": "circles",
        "limit": { "requests": 3, "seconds": 60, "told": "body" },
    });
    assert_eq!(ask(&world, Method::POST, "settings", settings).await.0, 204);
    assert_eq!(
        ask(&world, Method::POST, "settings", json!({ "colour": "red" }))
            .await
            .0,
        400
    );
    assert_eq!(ask(&world, Method::GET, "settings", json!(null)).await.0, 404);
}
