//! Columns that vanish, and a field map that changes.

use super::*;

#[tokio::test]
async fn a_column_that_vanished_empties_no_field_and_is_read_again_once_it_is_back() {
    let pair = Pair::new(20).await;
    pair.sync().await;
    let before = pair.members().await;
    let fault = FaultRule::always(Fault::RemoveColumn {
        name: "emailaddress1".to_owned(),
    });
    pair.world.inject(fault.at("/api/data/v9.2/contacts"));
    for member in &before {
        let row = member.links[&System::Dynamics365].parse().unwrap();
        let changes = json!({ "address1_city": "Lillehammer", "emailaddress1": "ny@example.org" });
        pair.world.simulation.edit_as_human("contacts", row, &changes);
    }
    let run = pair.sync().await;
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains("emailaddress1")),
        "{run:?}"
    );
    for (member, was) in pair.members().await.iter().zip(&before) {
        assert_eq!(said(member, "city"), "Lillehammer");
        assert_eq!(said(member, "email"), said(was, "email"));
        assert_eq!(pair.contact(member)["emailaddress1"], "ny@example.org");
    }
    pair.world.simulation.clear_faults();
    pair.run(Mode::Full).await;
    for member in pair.members().await {
        assert_eq!(said(&member, "email"), "ny@example.org");
    }
}

#[tokio::test]
async fn a_field_that_is_mapped_later_is_taken_over_and_emptied_on_neither_side() {
    let mut world = World::new(10).await;
    let fields = world.settings["members"]["fields"].as_object_mut().unwrap();
    let mobile = fields.remove("mobilePhone").unwrap();
    let pair = Pair::with(world, |_| {}).await;
    pair.sync().await;
    let before = pair.contacts();
    assert!(
        pair.members()
            .await
            .iter()
            .all(|member| said(member, "mobilePhone").is_null())
    );
    pair.reconfigure(|integration| integration.settings["members"]["fields"]["mobilePhone"] = mobile)
        .await;
    let edited = pair.members().await.remove(0);
    pair.edit(&edited, "city", "Lillehammer").await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    for (row, was) in pair.contacts().iter().zip(&before) {
        assert_eq!(row["mobilephone"], was["mobilephone"]);
    }
    for member in pair.members().await {
        assert_eq!(said(&member, "mobilePhone"), pair.contact(&member)["mobilephone"]);
    }
    assert_eq!(pair.contact(&edited)["address1_city"], "Lillehammer");
}

#[tokio::test]
async fn what_was_changed_while_nothing_was_sent_is_sent_once_everything_is_compared() {
    let pair = Pair::with(World::new(10).await, |integration| {
        integration.direction = Direction::Pull
    })
    .await;
    pair.sync().await;
    let edited = pair.members().await.remove(0);
    pair.edit(&edited, "city", "Lillehammer").await;
    pair.sync().await;
    assert_ne!(pair.contact(&edited)["address1_city"], "Lillehammer");
    pair.reconfigure(|integration| integration.direction = Direction::Both)
        .await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    assert_eq!(pair.contact(&edited)["address1_city"], "Lillehammer");
}
