//! What is sent, and what becomes of what is refused.

use super::*;

#[tokio::test]
async fn a_new_member_whose_key_a_row_has_already_is_compared_with_it_and_overwrites_nothing() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    pair.put(
        Kind::Member,
        "900001",
        json!({ "firstName": "Kari", "lastName": "Nordmann" }),
    )
    .await;
    let row =
        json!({ "hlf_memberno": "900001", "lastname": "Nordmann", "emailaddress1": "kari@example.org" });
    // Behind the reading, and before the sending.
    pair.world
        .inject(FaultRule::once(Fault::DropRows { count: 1 }).at("/api/data/v9.2/contacts?"));
    pair.world.simulation.create_as_human("contacts", &row);
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let members = pair.members().await;
    let kari = members
        .iter()
        .find(|member| member.id.as_str() == "900001")
        .unwrap();
    assert_eq!(said(kari, "email"), "kari@example.org");
    let there = pair.contact(kari);
    assert_eq!(there["emailaddress1"], "kari@example.org");
    assert_eq!(there["firstname"], said(kari, "firstName"));
    assert_eq!(pair.contacts().len(), 4);
}

#[tokio::test]
async fn a_membership_whose_member_is_gone_there_waits_and_is_not_forgotten() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    let member = pair.members().await.remove(0);
    let fields = json!({ "memberId": member.id.as_str(), "type": "Hovedmedlem", "status": "Aktiv", "from": "2026-01-01" });
    pair.put(Kind::Membership, "M-1", fields).await;
    let gone = member.links[&System::Dynamics365].parse().unwrap();
    pair.world
        .inject(FaultRule::once(Fault::DropRows { count: 9 }).at("deltatoken"));
    pair.world.simulation.delete_as_human("contacts", gone);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial, "{run:?}");
    let waiting = pair.quarantine().await;
    assert!(waiting.iter().any(|one| &*one.id == "M-1"), "{waiting:?}");
}

#[tokio::test]
async fn a_privilege_that_was_taken_away_ends_the_run_and_puts_nothing_into_quarantine() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    for number in 0..30 {
        pair.put(
            Kind::Member,
            &format!("9{number:05}"),
            json!({ "lastName": "Ny" }),
        )
        .await;
    }
    pair.world
        .simulation
        .revoke_privilege("contact", Privilege::Create);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.failure.unwrap().code, "permission_denied");
    assert_eq!(pair.quarantine().await, []);
    pair.world
        .simulation
        .grant_privilege("contact", Privilege::Create);
    assert_eq!(totals(&pair.sync().await, Kind::Member).pushed_created, 30);
}

#[tokio::test]
async fn many_refused_changes_are_retried_and_leave_quarantine_once_they_succeed() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    let wide = "x".repeat(60);
    for number in 0..120 {
        let fields = json!({ "firstName": wide, "lastName": "Ny" });
        pair.put(Kind::Member, &format!("9{number:05}"), fields).await;
    }
    let run = pair.sync().await;
    assert_eq!(
        (run.state, totals(&run, Kind::Member).push_refused),
        (RunState::Partial, 120)
    );
    assert_eq!(pair.quarantine().await.len(), 120);
    let run = pair.run(Mode::Retry).await;
    assert_eq!(
        (run.state, totals(&run, Kind::Member).push_refused),
        (RunState::Partial, 120)
    );
    for number in 0..120 {
        pair.put(
            Kind::Member,
            &format!("9{number:05}"),
            json!({ "lastName": "Ny" }),
        )
        .await;
    }
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).pushed_created, 120, "{run:?}");
    assert_eq!(pair.quarantine().await, []);
}

#[tokio::test]
async fn a_repeated_row_that_is_refused_is_put_into_quarantine_once() {
    let pair = Pair::new(20).await;
    pair.world
        .inject(FaultRule::once(Fault::RepeatRows { count: 10 }).at("/api/data/v9.2/contacts"));
    for row in pair.contacts() {
        let id = guid(&row, "contactid");
        pair.world
            .simulation
            .edit_as_human("contacts", id, &json!({ "lastname": null }));
    }
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial, "{run:?}");
    let waiting = pair.quarantine().await;
    let members = waiting.iter().filter(|one| one.kind == Kind::Member);
    assert_eq!(members.count(), 20);
}

#[tokio::test]
async fn two_conflicts_of_one_record_are_both_for_a_human_to_decide() {
    let pair = Pair::with(World::new(3).await, |integration| {
        let review = |group: &Group| (*group, ConflictRule::Review);
        integration.conflict_rules = Kind::Member.groups().iter().map(review).collect();
    })
    .await;
    pair.sync().await;
    let member = pair.members().await.remove(0);
    let row = member.links[&System::Dynamics365].parse().unwrap();
    for (ours, theirs) in [("lastName", "lastname"), ("city", "address1_city")] {
        let member = pair.members().await.remove(0);
        pair.edit(&member, ours, "Her").await;
        pair.world
            .simulation
            .edit_as_human("contacts", row, &json!({ theirs: "Der" }));
        pair.sync().await;
    }
    let reviews = pair.reviews().await;
    let [review] = reviews.as_slice() else {
        panic!("{reviews:?}")
    };
    pair.decide(review, Decision::External).await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let member = pair.members().await.remove(0);
    assert_eq!(
        (said(&member, "lastName"), said(&member, "city")),
        (json!("Der"), json!("Der"))
    );
    assert_eq!(pair.reviews().await, []);
}
