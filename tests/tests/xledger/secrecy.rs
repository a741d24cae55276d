//! Nothing secret and nothing personal is told to anyone who is not meant to know it.

use serde_json::json;
use shared::adapter::Subscription;
use shared::export::{Needs, Route};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::faults::Misbehaviour;
use tests::xledger::token::ApiToken;

use crate::captured::{Captured, holds_none};
use crate::world::World;

/// The token, which says "canary" to whoever decodes it, too.
const TOKEN: &str = "Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5";

/// Answers with an error that repeats what was sent, as careless systems do.
fn careless(code: Option<&str>) -> Fault {
    Fault::Xledger {
        misbehaviour: Misbehaviour::Error {
            message: format!("canary {TOKEN} travel canary 50012"),
            code: code.map(str::to_owned),
            extensions: Some(json!({
                "code": TOKEN, "resetAt": "canary",
                "exampleValidInputs": [{ "code": "50012", "text": "canary" }],
            })),
        },
    }
}

/// Does what books and an adapter do, and what they do when things go wrong; returns everything that came of it.
async fn everything(world: &World) -> String {
    let (books, adapter) = (world.books(), world.adapter());
    let ledger = books.ledger(Route::Graphql).unwrap();
    let voucher = world.voucher("canary-4711", &["101.00"]);
    let mut told = vec![format!("{books:?} {adapter:?} {ledger:?} {voucher:?}")];
    let needs = Needs {
        accounts: ["7140"].map(Box::from).into(),
        subledgers: ["50012"].map(Box::from).into(),
    };
    for fault in [
        Fault::Html,
        Fault::ErrorInBody,
        Fault::TruncatedJson,
        Fault::ResetAfter,
        careless(None),
        careless(Some("canary")),
        careless(Some("INVALID_VALUE")),
        careless(Some("BAD_REQUEST.INSUFFICIENT_CREDITS")),
        careless(Some("ARGUMENTS_OF_CORRECT_TYPE")),
    ] {
        world.simulation.inject(FaultRule::always(fault).at("/graphql"));
        told.push(format!("{:?}", ledger.send(&voucher).await));
        told.push(format!("{:?}", ledger.find(voucher.reference()).await));
        told.push(format!("{:?}", books.route().await));
        told.push(format!("{:?}", books.facts(Route::Graphql, &needs).await));
        told.push(format!("{:?}", adapter.probe().await));
        let wanted = Subscription {
            name: "endpoint".to_owned(),
            url: "https://hooks.example.org/v1/webhooks/1".parse().unwrap(),
            header: None,
            secret: TOKEN.into(),
        };
        told.push(format!("{wanted:?} {:?}", adapter.subscribe(&wanted).await));
        world.simulation.clear_faults();
        world.simulation.advance(jiff::SignedDuration::from_hours(1));
    }
    told.push(format!("{:?}", ledger.send(&voucher).await));
    told.push(format!("{:?}", ledger.find(voucher.reference()).await));
    told.join("\n")
}

#[tokio::test]
async fn nothing_secret_is_logged_or_shown() {
    let captured = Captured::begin();
    let mut world = World::new().await;
    world.xledger().add_token(ApiToken::new(TOKEN, "23001"));
    world.credentials = json!({ "apiToken": TOKEN });
    let shown = everything(&world).await;
    let logged = captured.text();
    assert!(
        logged.contains("nobody knows what became of a voucher"),
        "the log was captured"
    );
    for (place, text) in [("shown", shown), ("logged", logged)] {
        holds_none(place, &text, &[TOKEN, "canary", "50012", "token Y2"]);
    }
}
