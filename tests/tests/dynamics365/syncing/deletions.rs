//! What is deleted, and what is not.

use super::*;

#[tokio::test]
async fn a_listing_that_leaves_rows_out_deletes_none_of_them() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    for count in [10, 30, 99, 100] {
        let fault = FaultRule::always(Fault::DropRows { count });
        pair.world.inject(fault.at("/api/data/v9.2/contacts?"));
        let run = pair.run(Mode::Full).await;
        pair.world.simulation.clear_faults();
        let Totals { absent, removed, .. } = totals(&run, Kind::Member);
        assert_eq!((absent, removed), (count as u64, 0), "{count} left out");
        assert_eq!(pair.members().await.len(), 100, "{count} left out");
    }
}

#[tokio::test]
async fn a_listing_that_is_broken_in_any_way_deletes_nothing() {
    let mut world = World::new(60).await;
    world.settings["pageSize"] = json!(20);
    let pair = Pair::with(world, |_| {}).await;
    pair.sync().await;
    for fault in [
        Fault::EmptyPage,
        Fault::NoLinks,
        Fault::TruncatedJson,
        Fault::TruncatedBody,
        Fault::ErrorInBody,
        Fault::Html,
        Fault::ResetAfter,
    ] {
        for page in 0..3 {
            let rule = FaultRule::once(fault.clone());
            pair.world.inject(rule.at("/api/data/v9.2/contacts?").after(page));
            let run = pair.run(Mode::Full).await;
            pair.world.simulation.clear_faults();
            assert_eq!(totals(&run, Kind::Member).removed, 0, "{fault:?} {page}");
            assert_eq!(pair.members().await.len(), 60, "{fault:?} {page}");
        }
    }
}

#[tokio::test]
async fn more_deletions_than_the_guard_allows_wait_until_a_human_approves_them() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    pair.delete_there(30);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial);
    assert_eq!(pair.members().await.len(), 100);
    let reviews = pair.reviews().await;
    let [review] = reviews.as_slice() else {
        panic!("{reviews:?}")
    };
    let run = pair.decide(review, Decision::Approve).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(pair.members().await.len(), 70);
    assert_eq!(pair.reviews().await, []);
}

#[tokio::test]
async fn rejected_deletions_leave_the_records_where_they_are() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    pair.delete_there(30);
    pair.sync().await;
    let reviews = pair.reviews().await;
    assert_eq!(pair.decide(&reviews[0], Decision::Reject).await, None);
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).removed, 0);
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn the_guard_counts_what_is_left_and_not_what_once_was() {
    let pair = Pair::new(400).await;
    pair.sync().await;
    pair.delete_there(300);
    pair.sync().await;
    let reviews = pair.reviews().await;
    pair.decide(&reviews[0], Decision::Approve).await;
    assert_eq!(pair.members().await.len(), 100);
    pair.delete_there(30);
    assert_eq!(pair.sync().await.state, RunState::Partial);
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn hundreds_of_approved_deletions_are_made_a_list_at_a_time() {
    let pair = Pair::new(1_300).await;
    pair.sync().await;
    pair.delete_there(1_200);
    pair.run(Mode::Full).await;
    let reviews = pair.reviews().await;
    let run = pair.decide(&reviews[0], Decision::Approve).await.unwrap();
    assert_eq!(totals(&run, Kind::Member).removed, 1_200);
}

#[tokio::test]
async fn a_member_that_was_deleted_here_stays_deleted_though_its_row_is_only_put_out_of_use() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let gone = pair.members().await.remove(0);
    pair.delete(Kind::Member, &gone.id).await;
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).pushed_removed, 1);
    assert_eq!(pair.contact(&gone)["statecode"], 1);
    pair.world.simulation.edit_as_human(
        "contacts",
        gone.links[&System::Dynamics365].parse().unwrap(),
        &json!({ "statecode": 0 }),
    );
    for mode in [Mode::Delta, Mode::Full, Mode::Delta] {
        assert_eq!(pair.run(mode).await.state, RunState::Succeeded);
        let members = pair.members().await;
        assert!(!members.iter().any(|member| member.id == gone.id), "{mode:?}");
    }
}

#[tokio::test]
async fn a_member_that_is_wanted_again_brings_its_row_back() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let gone = pair.members().await.remove(0);
    pair.delete(Kind::Member, &gone.id).await;
    pair.sync().await;
    pair.put(
        Kind::Member,
        gone.id.as_str(),
        json!({ "lastName": "Igjen", "active": true }),
    )
    .await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let row = pair.contact(&gone);
    assert_eq!(
        (&row["lastname"], &row["statecode"]),
        (&json!("Igjen"), &json!(0))
    );
    assert_eq!(pair.contacts().len(), 5);
}

#[tokio::test]
async fn a_row_that_is_hidden_is_no_row_that_is_gone() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    let fault = FaultRule::always(Fault::DropRows { count: 5 });
    pair.world.inject(fault.at("/api/data/v9.2/contacts?"));
    pair.world
        .inject(FaultRule::always(Fault::DeniedPart { index: 0 }).at("$batch"));
    let run = pair.run(Mode::Full).await;
    assert_ne!(run.state, RunState::Failed, "{run:?}");
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn a_merged_contact_goes_once_and_says_into_whom() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let members = pair.members().await;
    let [loser, master] = [0, 1].map(|at: usize| &members[at]);
    let row = |member: &Record| member.links[&System::Dynamics365].parse().unwrap();
    pair.world.simulation.merge_as_human(row(loser), row(master));
    let run = pair.run(Mode::Full).await;
    let Totals {
        deleted,
        absent,
        removed,
        ..
    } = totals(&run, Kind::Member);
    assert_eq!((deleted, absent, removed), (1, 0, 1));
    let organization = pair.id().organization;
    let key = records::record_key(&organization, Kind::Member, &loser.id);
    let row = pair.store().get(&[key]).await.unwrap().remove(0).unwrap();
    let gone = Record::from_row(Kind::Member, &row).unwrap();
    assert_eq!(gone.merged_into.as_ref(), Some(&master.id));
}

#[tokio::test]
async fn a_row_that_was_given_another_key_waits_and_its_record_stays_as_it_is() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let before = pair.members().await;
    let external = |member: &Record| member.links[&System::Dynamics365].to_string();
    let keyed = before
        .iter()
        .find(|member| external(member) != member.id.as_str())
        .unwrap();
    let row = external(keyed).parse().unwrap();
    let changes = json!({ "hlf_memberno": "987654", "lastname": "Annen" });
    pair.world.simulation.edit_as_human("contacts", row, &changes);
    assert_eq!(pair.sync().await.state, RunState::Partial);
    let waiting = pair.quarantine().await;
    assert_eq!((waiting.len(), waiting[0].field.as_str()), (1, "key"));
    assert_eq!(pair.members().await, before);
}
