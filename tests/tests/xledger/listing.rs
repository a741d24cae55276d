//! What is known of the books before anything is sent, and what stands in them under our references.

use std::collections::BTreeMap;

use jiff::civil::date;
use serde_json::json;
use shared::adapter::ErrorKind;
use shared::export::{AccountState, Entries, LedgerFacts, Needs, Route};
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::token::{ApiToken, Scope};

use crate::world::{World, told};

const TOKEN: &str = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";

fn needs() -> Needs {
    Needs {
        accounts: ["7140", "2910", "6800", "9999"].map(Box::from).into(),
        subledgers: ["50012", "99999"].map(Box::from).into(),
    }
}

async fn facts(world: &World) -> LedgerFacts {
    world.books().facts(Route::Graphql, &needs()).await.unwrap()
}

#[tokio::test]
async fn accounts_are_open_locked_or_not_there_and_claimants_known_or_not() {
    let world = World::new().await;
    world.xledger().lock("Account", "6800", true);
    let facts = facts(&world).await;
    let accounts = facts.accounts.unwrap();
    assert_eq!(
        accounts,
        BTreeMap::from([
            ("2910".into(), AccountState::Open),
            ("6800".into(), AccountState::Locked),
            ("7140".into(), AccountState::Open),
        ])
    );
    assert_eq!(facts.subledgers.unwrap(), ["50012"].map(Box::from).into());
    assert_eq!(facts.open_periods, None, "there is no asking for them");
}

#[tokio::test]
async fn what_the_token_may_not_read_is_left_out() {
    let mut world = World::new().await;
    let scoped = ApiToken::new(TOKEN, "23001").scoped(Scope::only(["Account"]), Scope::All);
    world.xledger().add_token(scoped);
    world.credentials = json!({ "apiToken": TOKEN });
    let known = facts(&world).await;
    assert!(known.accounts.is_some() && known.subledgers.is_none());
    world
        .xledger()
        .change_token(TOKEN, |token| token.read = Scope::only([]));
    let known = facts(&world).await;
    assert_eq!(known, LedgerFacts::default());
}

#[tokio::test]
async fn what_cannot_be_asked_now_is_an_error() {
    let world = World::new().await;
    world
        .simulation
        .inject(FaultRule::once(Fault::ResetAfter).holding("accounts"));
    let error = world.books().facts(Route::Graphql, &needs()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
}

#[tokio::test]
async fn by_another_way_nothing_is_asked() {
    let world = World::new().await;
    for route in [Route::Soap, Route::Csv] {
        assert_eq!(
            world.books().facts(route, &needs()).await.unwrap(),
            LedgerFacts::default()
        );
    }
    assert_eq!(world.requests(), 0);
}

/// Lists everything, with the number of calls that it took.
async fn everything(world: &World) -> (Entries, usize) {
    let (books, since) = (world.books(), date(2026, 1, 1));
    let (mut all, mut after, mut calls) = (Entries::default(), None::<String>, 0);
    loop {
        let Entries { entries, next } = books.entries(since, after.as_deref()).await.unwrap();
        all.entries.extend(entries);
        (after, calls) = (next, calls + 1);
        if after.is_none() {
            return (all, calls);
        }
    }
}

#[tokio::test]
async fn all_that_stands_under_our_references_is_listed_once_and_whole() {
    let mut world = World::new().await;
    world.settings["pageSize"] = json!(3);
    let today: jiff::Timestamp = "2026-07-15T12:00:00Z".parse().unwrap();
    world
        .simulation
        .advance(today.duration_since(world.simulation.now()));
    let mut posted = Vec::new();
    for month in 1..=7 {
        for day in [1, 14, 28] {
            let approved = format!("2026-{month:02}-{day:02}T10:00:00Z");
            let id = format!("{month}-{day}");
            let voucher = world.voucher_of(&id, &approved, &[("travel", "60.00"), ("travel", "41.00")]);
            world.sent(&voucher).await;
            posted.push(voucher.reference().clone());
        }
    }
    world.xledger().run_job();
    let refused = world.voucher("refused", &["7.00"]);
    world.sent(&refused).await;
    world
        .xledger()
        .reject(&refused.reference().line(1), Some("locked"));
    world.xledger().run_job();
    let queued = world.voucher("queued", &["5.00"]);
    world.sent(&queued).await;
    let (all, calls) = everything(&world).await;
    assert!(calls >= 6, "{calls}");
    let (waiting, booked): (Vec<_>, Vec<_>) = all
        .entries
        .into_iter()
        .partition(|entry| [refused.reference(), queued.reference()].contains(&&entry.reference));
    let mut found: Vec<_> = booked.iter().map(|entry| entry.reference.clone()).collect();
    found.sort_unstable();
    posted.sort_unstable();
    assert_eq!(found, posted);
    assert!(
        told(&booked)
            .iter()
            .all(|told| *told == ("posted", "101.00".to_owned()))
    );
    let mut waiting = told(&waiting);
    waiting.sort_unstable();
    assert_eq!(
        waiting,
        [("queued", "5.00".to_owned()), ("rejected", "7.00".to_owned())]
    );
}

#[tokio::test]
async fn what_is_not_ours_or_is_older_is_not_listed() {
    let world = World::new().await;
    let old = world.voucher_of("old", "2025-12-30T10:00:00Z", &[("travel", "9.00")]);
    world.sent(&old).await;
    let (all, _) = everything(&world).await;
    assert!(all.entries.is_empty());
    world.xledger().run_job();
    assert!(everything(&world).await.0.entries.is_empty());
}

#[tokio::test]
async fn a_place_that_is_none_and_books_that_cannot_be_read_are_errors() {
    let mut world = World::new().await;
    let since = date(2026, 1, 1);
    let error = world.books().entries(since, Some("x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    world.settings["protocol"] = json!("csv");
    world.credentials = json!({});
    let error = world.books().entries(since, None).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}
