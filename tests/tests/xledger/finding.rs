//! What stands under a reference: in the queue, in the books, refused, in part, twice.

use std::time::Duration;

use jiff::SignedDuration;
use serde_json::json;
use shared::export::Standing;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::xledger::faults::Misbehaviour;

use crate::world::{World, told};

fn once(standing: &'static str, total: &str) -> Vec<(&'static str, String)> {
    vec![(standing, total.to_owned())]
}

#[tokio::test]
async fn a_voucher_is_queued_and_then_posted() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["60.50", "40.50"]);
    assert!(world.found(&voucher).await.is_empty());
    world.sent(&voucher).await;
    let queued = world.found(&voucher).await;
    assert_eq!(told(&queued), once("queued", "101.00"));
    assert_eq!(
        (&queued[0].reference, queued[0].total),
        (voucher.reference(), voucher.owed())
    );
    world.xledger().run_job();
    assert_eq!(told(&world.found(&voucher).await), once("posted", "101.00"));
}

#[tokio::test]
async fn a_voucher_by_which_the_claimant_owes_is_found_as_such() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["-101.00"]);
    world.sent(&voucher).await;
    assert_eq!(world.found(&voucher).await[0].total, voucher.owed());
    world.xledger().run_job();
    assert_eq!(world.found(&voucher).await[0].total, voucher.owed());
}

#[tokio::test]
async fn what_the_job_refuses_is_rejected_with_words_that_are_nobodys() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    let name = voucher.reference().line(1);
    world
        .xledger()
        .reject(&name, Some("The account 7140 is locked for canary Berg."));
    world.xledger().run_job();
    let found = world.found(&voucher).await;
    assert_eq!(told(&found), once("rejected", "101.00"));
    let Standing::Rejected(reason) = &found[0].standing else {
        panic!()
    };
    assert!(
        reason.contains("line 1") && reason.contains("account locked"),
        "{reason}"
    );
    assert!(!reason.contains("canary") && !reason.contains("Berg"), "{reason}");
}

#[tokio::test]
async fn a_closed_period_is_told() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    world.xledger().close_period("23001", 2026, 2, true);
    world.xledger().run_job();
    let Standing::Rejected(reason) = world.found(&voucher).await[0].standing.clone() else {
        panic!()
    };
    assert!(reason.contains("period closed"), "{reason}");
}

#[tokio::test]
async fn what_was_sent_twice_is_not_found_as_once() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    world.sent(&voucher).await;
    assert_eq!(told(&world.found(&voucher).await), once("queued", "202.00"));
    world.xledger().run_job();
    assert_eq!(told(&world.found(&voucher).await), once("posted", "202.00"));
    world.sent(&voucher).await;
    assert_eq!(world.found(&voucher).await.len(), 2);
}

#[tokio::test]
async fn another_voucher_is_not_found_under_it() {
    let world = World::new().await;
    let (voucher, other) = (
        world.voucher("4711", &["101.00"]),
        world.voucher("4712", &["50.00"]),
    );
    world.sent(&other).await;
    assert!(world.found(&voucher).await.is_empty());
    world.sent(&voucher).await;
    assert_eq!(told(&world.found(&voucher).await), once("queued", "101.00"));
}

#[tokio::test]
async fn what_the_job_posts_between_two_questions_is_found_once() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    let slow = Fault::Delay { milliseconds: 600 };
    world
        .simulation
        .inject(FaultRule::once(slow).holding("journalEntries"));
    let job = async {
        tokio::time::sleep(Duration::from_millis(250)).await;
        world.xledger().run_job();
    };
    let (found, ()) = tokio::join!(world.found(&voucher), job);
    assert_eq!(told(&found), once("posted", "101.00"));
}

#[tokio::test]
async fn what_cannot_be_seen_yet_is_seen_later() {
    let world = World::new().await;
    world
        .xledger()
        .change(|settings| settings.read_back_lag = SignedDuration::from_secs(20));
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    assert!(world.found(&voucher).await.is_empty());
    world.simulation.advance(SignedDuration::from_secs(21));
    assert_eq!(told(&world.found(&voucher).await), once("queued", "101.00"));
}

#[tokio::test]
async fn a_voucher_is_whole_whatever_pages_it_is_read_in() {
    let mut world = World::new().await;
    let voucher = world.voucher("4711", &["10.00"; 9]);
    world.sent(&voucher).await;
    for size in [1, 2, 3, 9, 10, 11] {
        world.settings["pageSize"] = json!(size);
        assert_eq!(
            told(&world.found(&voucher).await),
            once("queued", "90.00"),
            "{size}"
        );
    }
    world.xledger().run_job();
    world.settings["pageSize"] = json!(4);
    assert_eq!(told(&world.found(&voucher).await), once("posted", "90.00"));
}

#[tokio::test]
async fn a_page_that_is_too_large_is_asked_for_in_smaller_ones() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["10.00"; 9]);
    world.sent(&voucher).await;
    world.xledger().change(|settings| settings.largest_page = 130);
    let before = world.requests();
    assert_eq!(told(&world.found(&voucher).await), once("queued", "90.00"));
    assert_eq!(
        world.requests() - before,
        3 * 4,
        "1000, 500, 250 and 125 rows, of three listings"
    );
    world.xledger().change(|settings| settings.largest_page = 0);
    assert!(world.ledger().find(voucher.reference()).await.is_err());
}

#[tokio::test]
async fn where_lines_cannot_be_picked_out_by_name_they_are_by_number() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.sent(&voucher).await;
    let refused = |holding: &str| {
        let misbehaviour = Misbehaviour::Error {
            message: "Argument 'filter' has invalid value.".to_owned(),
            code: None,
            extensions: Some(json!({ "code": "ARGUMENTS_OF_CORRECT_TYPE" })),
        };
        let rule = FaultRule::always(Fault::Xledger { misbehaviour });
        world.simulation.inject(rule.holding(holding));
    };
    refused("rows:glImportItems(first:$first,after:$after,filter:{extIdentifier_in");
    refused("transactionDbId_in");
    assert_eq!(told(&world.found(&voucher).await), once("queued", "101.00"));
    world
        .xledger()
        .reject(&voucher.reference().line(1), Some("locked"));
    world.xledger().run_job();
    assert_eq!(told(&world.found(&voucher).await), once("rejected", "101.00"));
}

#[tokio::test]
async fn what_nobody_can_say_is_never_taken_for_nothing() {
    for holding in ["rows:glImportItems", "journalEntries"] {
        for fault in [
            Fault::ResetAfter,
            Fault::Html,
            Fault::TruncatedJson,
            Fault::ErrorInBody,
            Fault::Status {
                status: 503,
                body: None,
                retry_after: None,
            },
        ] {
            let world = World::new().await;
            let voucher = world.voucher("4711", &["101.00"]);
            let told = format!("{holding} {fault:?}");
            world.simulation.inject(FaultRule::once(fault).holding(holding));
            assert!(world.ledger().find(voucher.reference()).await.is_err(), "{told}");
        }
    }
    let mut world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.settings["extIdentifierFilter"] = json!("nonsuch");
    assert!(world.ledger().find(voucher.reference()).await.is_err());
}
