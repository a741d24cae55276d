//! Which way is found to work, and that nothing which passes leads to another.

use serde_json::json;
use shared::adapter::ErrorKind;
use shared::export::{Dedup, Route, Sent};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::Limit;
use tests::xledger::faults::Misbehaviour;
use tests::xledger::token::{ApiToken, Scope};

use crate::world::World;

const TOKEN: &str = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";

async fn route(world: &World) -> Result<Route, ErrorKind> {
    world.books().route().await.map_err(|error| error.kind())
}

/// Negotiates with a file allowed and not.
async fn both(world: &mut World) -> [Result<Route, ErrorKind>; 2] {
    let mut routes = [Ok(Route::Soap); 2];
    for (at, csv) in [true, false].into_iter().enumerate() {
        world.settings["csv"] = json!(csv);
        routes[at] = route(world).await;
    }
    routes
}

fn status(status: u16) -> Fault {
    Fault::Status {
        status,
        body: None,
        retry_after: None,
    }
}

#[tokio::test]
async fn graphql_is_the_way_where_it_works() {
    let mut world = World::new().await;
    assert_eq!(both(&mut world).await, [Ok(Route::Graphql); 2]);
    world.settings["protocol"] = json!("graphql");
    assert_eq!(route(&world).await, Ok(Route::Graphql));
}

#[tokio::test]
async fn what_may_pass_is_an_error_and_never_another_way() {
    let own = |misbehaviour| Fault::Xledger { misbehaviour };
    let limit = |limit| {
        own(Misbehaviour::Limit {
            limit,
            resets_after_seconds: 60,
        })
    };
    for fault in [
        limit(Limit::Burst),
        limit(Limit::Concurrency),
        limit(Limit::Credits),
        own(Misbehaviour::TimedOut),
        own(Misbehaviour::Maintenance),
        status(500),
        status(502),
        status(503),
        status(504),
        status(429),
        Fault::ResetBefore,
        Fault::ResetAfter,
        Fault::Html,
        Fault::TruncatedJson,
    ] {
        for holding in ["__typename", "glImportItems"] {
            let mut world = World::new().await;
            world.settings["csv"] = json!(true);
            world
                .simulation
                .inject(FaultRule::always(fault.clone()).holding(holding));
            let found = route(&world).await;
            assert!(found.is_err(), "{holding} {fault:?}: {found:?}");
        }
    }
    let mut nowhere = World::new().await.moved("http://127.0.0.1:9");
    assert_eq!(both(&mut nowhere).await, [Err(ErrorKind::Unavailable); 2]);
}

#[tokio::test]
async fn what_only_a_human_mends_leads_to_a_file_where_that_is_allowed() {
    for (fault, kind) in [
        (
            Fault::Xledger {
                misbehaviour: Misbehaviour::BadToken,
            },
            ErrorKind::Unauthenticated,
        ),
        (status(401), ErrorKind::Unauthenticated),
        (status(403), ErrorKind::PermissionDenied),
        (status(404), ErrorKind::NotFound),
    ] {
        let mut world = World::new().await;
        world.simulation.inject(FaultRule::always(fault).at("/graphql"));
        assert_eq!(both(&mut world).await, [Ok(Route::Csv), Err(kind)]);
        world.settings["protocol"] = json!("graphql");
        assert_eq!(both(&mut world).await, [Err(kind); 2], "no other way was wanted");
    }
    let mut world = World::new().await;
    let scoped = ApiToken::new(TOKEN, "23001").scoped(Scope::only(["Account"]), Scope::All);
    world.xledger().add_token(scoped);
    world.credentials = json!({ "apiToken": TOKEN });
    assert_eq!(
        both(&mut world).await,
        [Ok(Route::Csv), Err(ErrorKind::PermissionDenied)]
    );
}

#[tokio::test]
async fn soap_is_the_way_where_graphql_is_shut_for_good() {
    let mut world = World::with_soap().await;
    assert_eq!(both(&mut world).await, [Ok(Route::Graphql); 2]);
    let bad_token = || Fault::Xledger {
        misbehaviour: Misbehaviour::BadToken,
    };
    world
        .simulation
        .inject(FaultRule::always(bad_token()).at("/graphql"));
    assert_eq!(both(&mut world).await, [Ok(Route::Soap); 2]);
    for passing in [status(503), Fault::ResetAfter] {
        let rule = FaultRule::always(passing).at("Authentication.asmx");
        world.simulation.inject(rule);
        assert!(both(&mut world).await.iter().all(Result::is_err));
        world.simulation.clear_faults();
        world
            .simulation
            .inject(FaultRule::always(bad_token()).at("/graphql"));
    }
    world.credentials["soap"]["password"] = json!("wrong");
    let shut = ErrorKind::Unauthenticated;
    assert_eq!(both(&mut world).await, [Ok(Route::Csv), Err(shut)]);
    // What may pass leads to SOAP as little as to a file.
    world.simulation.clear_faults();
    world
        .simulation
        .inject(FaultRule::always(status(503)).at("/graphql"));
    assert!(both(&mut world).await.iter().all(Result::is_err));
}

#[tokio::test]
async fn a_voucher_goes_by_soap_where_that_is_the_way() {
    let mut world = World::with_soap().await;
    world.settings["protocol"] = json!("soap");
    let books = world.books();
    assert_eq!(books.route().await.unwrap(), Route::Soap);
    let ledger = books.ledger(Route::Soap).unwrap();
    assert_eq!((ledger.route(), ledger.dedup()), (Route::Soap, Dedup::None));
    let mut vouchers = world.settings.clone();
    vouchers["booking"]["defaults"] = json!({ "vatCode": "none" });
    vouchers["booking"]["subledger"] = json!(false);
    vouchers["booking"]["vatCodes"] = json!({});
    vouchers["booking"]["defaults"] = json!({});
    vouchers["booking"]["expenseTypes"] = json!({ "travel": { "account": "7140" } });
    world.settings = vouchers;
    let voucher = world.voucher("4711", &["101.00"]);
    let sent = ledger.send(&voucher).await;
    assert_eq!(sent, Sent::Accepted);
    assert_eq!(world.xledger().queue().len(), 2);
    assert!(books.take_usage().requests >= 2, "its requests are counted too");
    assert!(ledger.find(voucher.reference()).await.is_err());
}

#[tokio::test]
async fn a_file_needs_no_token_and_asks_nobody() {
    let mut world = World::new().await;
    world.settings["protocol"] = json!("csv");
    world.credentials = json!({});
    assert_eq!(route(&world).await, Ok(Route::Csv));
    assert_eq!(world.requests(), 0);
    let books = world.books();
    for route in [Route::Graphql, Route::Csv] {
        assert_eq!(books.ledger(route).unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn a_way_that_the_integration_is_not_set_up_for_is_said_to_be() {
    let mut world = World::new().await;
    assert_eq!(
        world.books().ledger(Route::Soap).unwrap_err().kind(),
        ErrorKind::Unsupported
    );
    world.settings["routeHours"] = json!(2);
    world.settings["monthlyRequests"] = json!(null);
    world.settings["automatic"] = json!(true);
    let books = world.books();
    assert_eq!(books.route_holds().as_secs(), 7200);
    assert_eq!((books.monthly_requests(), books.automatic()), (None, true));
}
