//! Webhooks are registered once, kept as they should be, and removed; and what they tell is about the books.

use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use http::StatusCode;
use serde_json::json;
use shared::adapter::{ErrorKind, Subscribed, Subscription, Told, Why};
use shared::adapters::webhooks;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::wire::{Answer, Handler, Transport};
use tests::xledger::token::{ApiToken, Scope};
use tests::xledger::webhook::{Webhook, WebhookState};
use tokio::net::TcpListener;

use crate::world::World;

const NAME: &str = "hlf.q83vEjRWeJCrze_-7dy6mA";
const URL: &str = "https://hooks.example.org/v1/webhooks/xledger/hlf.q83vEjRWeJCrze_-7dy6mA";
const OTHER: &str = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";

fn wanted(world: &World) -> Subscription {
    Subscription {
        name: NAME.to_owned(),
        url: URL.parse().unwrap(),
        header: None,
        secret: world.credentials["apiToken"].as_str().unwrap().into(),
    }
}

async fn subscribe(world: &World) -> Subscribed {
    world.adapter().subscribe(&wanted(world)).await.unwrap()
}

fn mended(what: &str) -> Subscribed {
    Subscribed::Mended(vec![what.to_owned()])
}

fn only(world: &World) -> Webhook {
    let mut webhooks = world.xledger().webhooks();
    assert_eq!(webhooks.len(), 1, "{webhooks:?}");
    webhooks.remove(0)
}

#[tokio::test]
async fn a_webhook_is_registered_once() {
    let world = World::new().await;
    assert_eq!(subscribe(&world).await, mended("missing"));
    let registered = only(&world);
    assert_eq!(
        (registered.url.as_str(), registered.state),
        (URL, WebhookState::Running)
    );
    assert!(!registered.description.contains(world.xledger().token()));
    for _ in 0..3 {
        assert_eq!(subscribe(&world).await, Subscribed::Running);
        assert_eq!(only(&world).db_id, registered.db_id);
    }
}

#[tokio::test]
async fn one_that_tells_no_more_is_made_anew() {
    for (state, expected) in [
        (WebhookState::Faulted, mended("it was FAULTED")),
        (WebhookState::Paused, mended("it was PAUSED")),
        (WebhookState::Recovering, Subscribed::Running),
    ] {
        let world = World::new().await;
        subscribe(&world).await;
        let before = only(&world).db_id;
        world.xledger().set_webhook_state(before, state);
        assert_eq!(subscribe(&world).await, expected);
        assert_eq!(only(&world).db_id == before, expected == Subscribed::Running);
        assert_eq!(subscribe(&world).await, Subscribed::Running);
    }
}

#[tokio::test]
async fn one_that_is_signed_by_a_token_that_was_replaced_is_made_anew() {
    let mut world = World::new().await;
    subscribe(&world).await;
    world.xledger().add_token(ApiToken::new(OTHER, "23001"));
    world.credentials = json!({ "apiToken": OTHER });
    assert_eq!(
        subscribe(&world).await,
        mended("it was made with another API token")
    );
    assert_eq!(subscribe(&world).await, Subscribed::Running);
    only(&world);
}

#[tokio::test]
async fn one_that_tells_another_address_is_made_anew_and_those_of_others_stay() {
    let world = World::new().await;
    let mut other = wanted(&world);
    other.name = "hlf.AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    world.adapter().subscribe(&other).await.unwrap();
    subscribe(&world).await;
    let mut moved = wanted(&world);
    moved.url = "https://hooks.example.org/elsewhere".parse().unwrap();
    let subscribed = world.adapter().subscribe(&moved).await.unwrap();
    assert_eq!(subscribed, mended("it told another address"));
    assert_eq!(world.xledger().webhooks().len(), 2);
    world.adapter().unsubscribe(NAME).await.unwrap();
    world.adapter().unsubscribe(NAME).await.unwrap();
    assert!(only(&world).description.starts_with(&other.name));
}

#[tokio::test]
async fn whatever_broke_off_the_next_call_goes_on() {
    for (holding, fault) in [
        ("addWebhooks", Fault::ResetBefore),
        ("addWebhooks", Fault::ResetAfter),
        ("removeWebhooks", Fault::ResetBefore),
        ("removeWebhooks", Fault::ResetAfter),
    ] {
        let world = World::new().await;
        subscribe(&world).await;
        world
            .xledger()
            .set_webhook_state(only(&world).db_id, WebhookState::Faulted);
        let told = format!("{holding} {fault:?}");
        world.simulation.inject(FaultRule::once(fault).holding(holding));
        let error = world.adapter().subscribe(&wanted(&world)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unknown, "{told}");
        subscribe(&world).await;
        assert_eq!(only(&world).state, WebhookState::Running, "{told}");
        assert_eq!(subscribe(&world).await, Subscribed::Running);
    }
}

#[tokio::test]
async fn what_cannot_be_registered_is_said_before_anything_is_sent() {
    let world = World::new().await;
    for change in [
        |wanted: &mut Subscription| wanted.name = "it's".to_owned(),
        |wanted: &mut Subscription| wanted.secret = OTHER.into(),
        |wanted: &mut Subscription| wanted.header = Some("x-webhook-secret".to_owned()),
    ] {
        let mut wanted = wanted(&world);
        change(&mut wanted);
        let error = world.adapter().subscribe(&wanted).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(!format!("{error:?}").contains(OTHER));
    }
    assert_eq!(world.requests(), 0);
}

#[tokio::test]
async fn without_the_scope_it_says_which_one() {
    let mut world = World::new().await;
    let scoped = ApiToken::new(OTHER, "23001").scoped(Scope::All, Scope::only(["GLImportItem"]));
    world.xledger().add_token(scoped);
    world.credentials = json!({ "apiToken": OTHER });
    let error = world.adapter().subscribe(&wanted(&world)).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.fact("scope")),
        (ErrorKind::PermissionDenied, Some("Webhook"))
    );
}

/// Listens to what is told.
async fn listen() -> (String, Arc<Mutex<Vec<Vec<u8>>>>, Transport) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let heard: Arc<Mutex<Vec<Vec<u8>>>> = Arc::default();
    let ears = Arc::clone(&heard);
    let handler: Handler = Arc::new(move |request| {
        ears.lock().unwrap().push(request.body.to_vec());
        async move { Answer::empty(StatusCode::OK) }.boxed()
    });
    let transport = Transport::serve(socket, handler).unwrap();
    (format!("http://{}/hooks", transport.address()), heard, transport)
}

#[tokio::test]
async fn what_is_told_of_our_lines_is_about_the_books_and_of_others_is_not() {
    let world = World::new().await;
    let (url, heard, _transport) = listen().await;
    let mut wanted = wanted(&world);
    wanted.url = url.parse().unwrap();
    world.adapter().subscribe(&wanted).await.unwrap();
    let reader = webhooks(&world.integration(), world.connections.exceptions());
    let reader = reader.unwrap().unwrap();
    let read = async || {
        world.xledger().deliver_webhooks().await;
        let bodies: Vec<_> = heard.lock().unwrap().drain(..).collect();
        bodies
            .iter()
            .map(|body| reader.read(body).unwrap())
            .collect::<Vec<_>>()
    };
    world.sent(&world.voucher("4711", &["101.00"])).await;
    assert_eq!(read().await, [Told::Books, Told::Books], "one for each line");
    world.xledger().run_job();
    assert_eq!(read().await, [Told::Books, Told::Books]);
    let row = "ImpSystem;ImpSystemRef;Entity;voucherType;VoucherNo;FiscalYear;PeriodNo;VoucherDate;account;Account Ledger (Asset/BankAccount);posting1;Posting 2 (PRJ);XGL;SubledgerNo;SubledgerName;InvoiceDate;InvoiceNo;Xidentifier/KID;DueDate;BankAccount;PaymentTerms;text;TaxRule;Currency;Currency Amount;amount;UpdateSubledger;SubledgerGroup;CompanyNo;StreetAddressL1;StreetAddressL2;ZipCode;Place;State;Country;BillingStreetAddressL1;BillingStreetAddressL2;BillingZipCode;BillingPlace;BillingState;BillingCountry;Phone;Email;YourRef;Dummy1;Dummy2;Dummy3;Dummy4;Dummy5;EOL";
    let cells: Vec<_> = row
        .split(';')
        .map(|column| match column {
            "ImpSystem" => "GL02b",
            "ImpSystemRef" => "PAYROLL-1",
            "Entity" => "23001",
            "voucherType" => "GL",
            "VoucherNo" => "77",
            "FiscalYear" => "2026",
            "VoucherDate" => "20260217",
            "account" => "7140",
            "amount" => "1.00",
            "EOL" => "x",
            _ => "",
        })
        .collect();
    let file = format!("{row}\r\n{}\r\n", cells.join(";"));
    let layout = tests::xledger::file::Layout::Gl02b;
    let imported = world
        .xledger()
        .import_file(&layout, "payroll.csv", file.as_bytes());
    assert_eq!(imported, Ok(1));
    assert_eq!(read().await, [Told::Nothing(Why::NotMapped)]);
}
