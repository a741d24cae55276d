//! First sync, delta and push, with a system that can do everything and one that can do nothing.

use super::*;

const BOTH: [Ability; 2] = [Ability::Everything, Ability::Nothing];

#[tokio::test]
async fn who_is_gone_on_either_side_is_gone_on_the_other() {
    for ability in BOTH {
        let pair = Pair::new(ability, 30).await;
        pair.succeed().await;
        let members = pair.members().await;
        pair.world
            .register()
            .delete_as_human(Collection::Members, row_of(&members[0]));
        pair.delete(Kind::Member, &members[1].id).await;
        pair.succeed().await;
        assert_eq!(pair.members().await.len(), 28, "{ability:?}");
        pair.assert_equal().await;
        assert_eq!(pair.world.register().writes().deleted, 1, "{ability:?}");
    }
}

#[tokio::test]
async fn memberships_follow_their_members_by_the_ids_of_each_side() {
    for ability in BOTH {
        let pair = Pair::new(ability, 3).await;
        let id = pair.world.rows()[0]["id"].clone();
        let row = json!({ "number": "M-1", "memberId": id, "type": "Hovedmedlem", "from": "2026-01-01" });
        pair.world
            .register()
            .create_as_human(Collection::Memberships, &row);
        pair.succeed().await;
        let membership = pair.records(Kind::Membership).await.remove(0);
        let member = json!(membership.fields)["memberId"].as_str().unwrap().to_owned();
        let members = pair.members().await;
        let member = members.iter().find(|one| one.id.as_str() == member).unwrap();
        assert_eq!(row_of(member).to_string(), id.to_string());
        pair.put(Kind::Member, "900001", json!({ "lastName": "Ny" }))
            .await;
        pair.put(
            Kind::Membership,
            "M-2",
            json!({ "memberId": "900001", "type": "Støtte" }),
        )
        .await;
        pair.succeed().await;
        let there = pair.world.register().rows(Collection::Memberships);
        let new = there.iter().find(|row| row["number"] == "M-2").unwrap();
        let owner = pair
            .world
            .rows()
            .into_iter()
            .find(|row| row["number"] == "900001")
            .unwrap();
        assert_eq!(new["memberId"], owner["id"], "{ability:?}");
    }
}

#[tokio::test]
async fn a_member_that_the_system_has_already_is_compared_and_not_made_again() {
    for ability in BOTH {
        let pair = Pair::new(ability, 2).await;
        pair.succeed().await;
        pair.put(
            Kind::Member,
            "1700",
            json!({ "firstName": "Kari", "lastName": "Nordmann 700" }),
        )
        .await;
        pair.world.add(700);
        pair.succeed().await;
        pair.assert_equal().await;
        let named = pair
            .world
            .rows()
            .iter()
            .filter(|row| row["number"] == "1700")
            .count();
        assert_eq!(named, 1, "{ability:?}");
        assert_eq!(pair.world.register().writes().created, 0);
    }
}

#[tokio::test]
async fn a_row_that_is_refused_waits_in_quarantine_and_is_sent_once_it_is_mended() {
    let pair = Pair::new(Ability::Everything, 2).await;
    pair.succeed().await;
    pair.put(Kind::Member, "900001", json!({ "lastName": "x".repeat(60) }))
        .await;
    let run = pair.run(Mode::Delta).await;
    assert_eq!(run.state, RunState::Partial, "{run:?}");
    let waiting = pair.quarantine().await;
    assert!(waiting[0].message.contains("VALIDATION_FAILED"), "{waiting:?}");
    assert!(!waiting[0].message.contains("xxx"), "{waiting:?}");
    pair.put(Kind::Member, "900001", json!({ "lastName": "Ny" }))
        .await;
    pair.succeed().await;
    assert_eq!(pair.quarantine().await, []);
    pair.assert_equal().await;
}

#[tokio::test]
async fn an_emptied_register_empties_nobody_else() {
    for ability in BOTH {
        let pair = Pair::new(ability, 40).await;
        pair.succeed().await;
        for row in pair.world.rows() {
            pair.world
                .register()
                .delete_as_human(Collection::Members, row["id"].as_u64().unwrap());
        }
        pair.run(Mode::Delta).await;
        assert_eq!(pair.members().await.len(), 40, "{ability:?}");
    }
}
