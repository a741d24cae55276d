//! Vouchers on their way into the import queue.

use serde_json::json;
use shared::export::Sent;
use tests::xledger::token::{ApiToken, Scope};

use crate::world::{World, told};

/// A token that only tests know.
const TOKEN: &str = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";

fn reason(sent: Sent) -> String {
    match sent {
        Sent::NotSent(reason) | Sent::Rejected(reason) => reason.into(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_line_of_a_voucher_is_in_the_queue_under_its_name() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["60.50", "40.50"]);
    world.sent(&voucher).await;
    let mut queue = world.xledger().queue();
    queue.sort_by(|one, other| one.ext_identifier.cmp(&other.ext_identifier));
    let seen: Vec<_> = queue
        .iter()
        .map(|line| {
            (
                line.ext_identifier.clone().unwrap(),
                line.amount.unwrap().to_string(),
            )
        })
        .collect();
    let name = |number| voucher.reference().line(number);
    assert_eq!(
        seen,
        [
            (name(1), "60.50".to_owned()),
            (name(2), "40.50".to_owned()),
            (name(3), "-101.00".to_owned())
        ]
    );
    for line in &queue {
        assert_eq!(line.tr_reg_number, Some(u32::from(voucher.number()).into()));
        assert_eq!(
            (line.entity.as_str(), &line.fields["postedDate"]),
            ("23001", &json!("2026-02-17"))
        );
        assert_eq!(line.references["transactionSource"], "GL");
        assert_eq!(line.references["currency"], "NOK");
    }
    let (first, last) = (&queue[0], &queue[2]);
    assert_eq!(
        ["account", "taxRule", "glObject1", "project"].map(|field| first.references[field].as_str()),
        ["7140", "0", "200", "P10"]
    );
    assert_eq!(
        (&first.fields["text"], &first.fields["invoiceDate"]),
        (&json!("travel 4711"), &json!("2026-02-14"))
    );
    assert_eq!(
        [&last.references["account"], &last.references["subledger"]],
        ["2910", "50012"]
    );
    let report = world.xledger().run_job();
    assert_eq!(
        (report.posted, report.refused),
        (1, 0),
        "{:?}",
        world.xledger().errors()
    );
}

#[tokio::test]
async fn the_largest_voucher_is_one_call() {
    let world = World::new().await;
    let voucher = world.voucher("4711", &["1.00"; 499]);
    let before = world.requests();
    world.sent(&voucher).await;
    assert_eq!(world.requests() - before, 1);
    assert_eq!(world.xledger().queue().len(), 500);
    assert_eq!(
        told(&world.found(&voucher).await),
        [("queued", "499.00".to_owned())]
    );
}

#[tokio::test]
async fn what_is_refused_and_not_kept_is_rejected_with_the_field_and_what_would_do() {
    let world = World::new().await;
    world.xledger().change(|settings| settings.atomic = true);
    let wrong = world.voucher_of(
        "4711",
        "2026-02-16T23:30:00Z",
        &[("travel", "50.00"), ("unknown", "51.00")],
    );
    let sent = world.ledger().send(&wrong).await;
    assert!(matches!(sent, Sent::Rejected(_)), "{sent:?}");
    let reason = reason(sent);
    assert!(
        reason.contains("field=account") && reason.contains("7140"),
        "{reason}"
    );
    assert!(world.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_claimant_whom_the_ledger_does_not_know_is_refused_before_any_line_is_kept() {
    let mut world = World::new().await;
    world.settings["booking"]["counterAccount"] = json!("9999");
    let sent = world.ledger().send(&world.voucher("4711", &["101.00"])).await;
    assert!(
        matches!(&sent, Sent::Rejected(_)),
        "the line of what is owed goes first: {sent:?}"
    );
    assert!(world.xledger().queue().is_empty());
}

#[tokio::test]
async fn what_is_refused_in_part_is_unknown() {
    let world = World::new().await;
    let wrong = world.voucher_of(
        "4711",
        "2026-02-16T23:30:00Z",
        &[("travel", "50.00"), ("unknown", "51.00")],
    );
    assert_eq!(world.ledger().send(&wrong).await, Sent::Unknown);
    assert_eq!(world.xledger().queue().len(), 2);
    assert_eq!(told(&world.found(&wrong).await), [("queued", "0.00".to_owned())]);
}

#[tokio::test]
async fn what_is_refused_and_cannot_be_looked_for_is_unknown() {
    let world = World::new().await;
    world.xledger().change(|settings| settings.atomic = true);
    let scoped = ApiToken::new(TOKEN, "23001").scoped(Scope::only(["GLImportItem"]), Scope::All);
    world.xledger().add_token(scoped);
    let mut world = world;
    world.credentials = json!({ "apiToken": TOKEN });
    let wrong = world.voucher_of("4711", "2026-02-16T23:30:00Z", &[("unknown", "101.00")]);
    assert_eq!(world.ledger().send(&wrong).await, Sent::Unknown);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_has_sent_nothing() {
    let mut world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    world.xledger().add_token(ApiToken::new(TOKEN, "23001"));
    world.xledger().change_token(TOKEN, |token| token.revoked = true);
    world.credentials = json!({ "apiToken": TOKEN });
    let reason_of_revoked = reason(world.ledger().send(&voucher).await);
    assert!(reason_of_revoked.contains("API token"), "{reason_of_revoked}");
    world.xledger().change_token(TOKEN, |token| {
        token.revoked = false;
        token.expires_at = Some(jiff::Timestamp::UNIX_EPOCH);
    });
    assert!(matches!(world.ledger().send(&voucher).await, Sent::NotSent(_)));
    assert!(world.ledger().find(voucher.reference()).await.is_err());
    assert!(world.xledger().queue().is_empty());
}

#[tokio::test]
async fn a_scope_that_is_missing_is_named_and_has_sent_nothing() {
    let mut world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    let scoped = ApiToken::new(TOKEN, "23001").scoped(Scope::All, Scope::only(["Webhook"]));
    world.xledger().add_token(scoped);
    world.credentials = json!({ "apiToken": TOKEN });
    let sent = world.ledger().send(&voucher).await;
    assert!(matches!(sent, Sent::NotSent(_)), "{sent:?}");
    assert!(reason(sent).contains("scope=GLImportItem"));
    assert!(world.xledger().queue().is_empty());
}

#[tokio::test]
async fn what_is_counted_is_what_was_asked() {
    let world = World::new().await;
    let books = world.books();
    let ledger = books.ledger(shared::export::Route::Graphql).unwrap();
    let voucher = world.voucher("4711", &["101.00"]);
    assert_eq!(ledger.send(&voucher).await, Sent::Accepted);
    ledger.find(voucher.reference()).await.unwrap();
    let usage = books.take_usage();
    assert_eq!(usage.requests, 4, "a write, the queue, the books, and the errors");
    assert!(usage.bytes_received > 100);
    assert_eq!(books.take_usage().requests, 0);
}
