//! The system's limits, in every form in which it tells of them.

use jiff::SignedDuration;
use shared::export::Sent;
use tests::xledger::Limit;
use tests::xledger::faults::Misbehaviour;

use crate::world::World;

const LIMITS: [(Limit, i64); 3] = [(Limit::Burst, 5), (Limit::Concurrency, 1), (Limit::Credits, 1200)];

#[tokio::test]
async fn every_limit_leaves_a_voucher_unsent_and_the_system_alone_for_its_time() {
    for (limit, seconds) in LIMITS {
        let world = World::new().await;
        let voucher = world.voucher("4711", &["101.00"]);
        let misbehaviour = Misbehaviour::Limit {
            limit,
            resets_after_seconds: 1200,
        };
        world.misbehave(misbehaviour, "addGLImportItems");
        let sent = world.ledger().send(&voucher).await;
        assert!(matches!(sent, Sent::NotSent(_)), "{limit:?} {sent:?}");
        let asked = world.requests();
        // Another part of the process, with the same token.
        assert!(world.ledger().find(voucher.reference()).await.is_err());
        assert!(matches!(world.ledger().send(&voucher).await, Sent::NotSent(_)));
        assert_eq!(world.requests(), asked, "{limit:?}");
        world.simulation.advance(SignedDuration::from_secs(seconds + 1));
        world.sent(&voucher).await;
    }
}

#[tokio::test]
async fn a_look_that_meets_a_limit_says_so() {
    for (limit, _) in LIMITS {
        let world = World::new().await;
        let misbehaviour = Misbehaviour::Limit {
            limit,
            resets_after_seconds: 60,
        };
        world.misbehave(misbehaviour, "journalEntries");
        let voucher = world.voucher("4711", &["101.00"]);
        let error = world.ledger().find(voucher.reference()).await.unwrap_err();
        assert!(error.to_string().contains("left alone"), "{error}");
    }
}

#[tokio::test]
async fn a_limit_of_one_token_is_none_of_another() {
    let mut world = World::new().await;
    let voucher = world.voucher("4711", &["101.00"]);
    let misbehaviour = Misbehaviour::Limit {
        limit: Limit::Burst,
        resets_after_seconds: 0,
    };
    world.misbehave(misbehaviour, "addGLImportItems");
    assert!(matches!(world.ledger().send(&voucher).await, Sent::NotSent(_)));
    let other = "YW5vdGhlci10b2tlbi1vZi10aGUtdGVzdHM";
    world
        .xledger()
        .add_token(tests::xledger::token::ApiToken::new(other, "23001"));
    world.credentials = serde_json::json!({ "apiToken": other });
    world.sent(&voucher).await;
}

#[tokio::test]
async fn limits_that_the_system_really_sets_are_kept_to() {
    let world = World::new().await;
    world.xledger().change(|settings| settings.limits.burst = 3);
    let ledger = world.ledger();
    let mut sent = Vec::new();
    for id in ["1", "2", "3", "4", "5"] {
        sent.push(ledger.send(&world.voucher(id, &["10.00"])).await);
    }
    assert_eq!(sent.iter().filter(|sent| **sent == Sent::Accepted).count(), 3);
    assert!(
        sent.iter().skip(3).all(|sent| matches!(sent, Sent::NotSent(_))),
        "{sent:?}"
    );
    assert_eq!(world.xledger().queue().len(), 6);
}
