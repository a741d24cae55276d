//! The system's limits, in every form in which it tells of them.

use serde_json::json;
use shared::adapter::{ErrorKind, From};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;

use crate::world::{World, member};

async fn waits(limit: Limit, retry_after: Option<&str>) -> i64 {
    let world = World::new(1).await;
    let retry_after = retry_after.map(str::to_owned);
    world.always(Fault::TooManyRequests { limit, retry_after });
    let error = world
        .adapter()
        .pull(Kind::Member, &From::Start)
        .await
        .unwrap_err();
    let ErrorKind::RateLimited { until } = error.kind() else {
        panic!("{error:?}")
    };
    until.duration_since(world.simulation.now()).as_secs_f64().round() as i64
}

#[tokio::test]
async fn retry_after_is_heeded_within_reason_whatever_the_limit() {
    for (text, expected) in [
        (Some("7"), 7),
        (Some("1.5"), 2),
        (Some("0"), 1),
        (Some("-5"), 30),
        (Some("1000000000"), 3600),
        (Some("soon"), 30),
        (Some("Thu, 01 Jan 1970 00:00:00 GMT"), 1),
        (None, 30),
    ] {
        for limit in [Limit::Requests, Limit::ExecutionTime, Limit::Concurrent] {
            assert_eq!(waits(limit, text).await, expected, "{limit:?} {text:?}");
        }
    }
}

#[tokio::test]
async fn a_part_of_a_batch_that_meets_a_limit_stops_what_comes_later() {
    let world = World::new(0).await;
    let fault = Fault::TooManyRequests {
        limit: Limit::ExecutionTime,
        retry_after: Some("60".to_owned()),
    };
    world.inject(FaultRule::once(fault).at("hlf_memberno='2'"));
    let changes = [
        member("1", json!({ "lastName": "Berg" })),
        member("2", json!({ "lastName": "Berg" })),
    ];
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes[0].is_ok());
    assert!(matches!(
        outcomes[1].as_ref().unwrap_err().kind(),
        ErrorKind::RateLimited { .. }
    ));
    let sent = world.requests();
    let error = world
        .adapter()
        .pull(Kind::Member, &From::Start)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    assert_eq!(world.requests(), sent);
}

#[tokio::test]
async fn a_limit_of_one_application_is_none_of_another() {
    let mut world = World::new(1).await;
    let fault = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: None,
    };
    world.inject(FaultRule::once(fault).at("/contacts?"));
    assert!(world.adapter().pull(Kind::Member, &From::Start).await.is_err());
    let other = world.simulation.unprivileged();
    world.credentials = json!({ "clientId": other.client_id, "clientSecret": other.client_secret });
    world.secret_version = "2".to_owned();
    let error = world
        .adapter_of("nhf")
        .pull(Kind::Member, &From::Start)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
}

#[tokio::test]
async fn a_batch_that_meets_a_limit_has_done_nothing() {
    let world = World::new(0).await;
    let fault = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: None,
    };
    world.inject(FaultRule::once(fault).at("$batch"));
    let error = world
        .adapter()
        .push(Kind::Member, &[member("1", json!({ "lastName": "Berg" }))])
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::RateLimited { .. }));
    assert_eq!(world.simulation.row_count("contacts"), 0);
}
