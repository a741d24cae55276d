//! Rows that are made, changed and removed, and what becomes of answers that are lost.

use http::Method;
use serde_json::json;
use shared::adapter::{ErrorKind, Found, Target};
use shared::model::Kind;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::rest::Collection;

use crate::world::{World, edit, find_one, member, push_one, remove, target, write};

#[tokio::test]
async fn a_row_of_which_the_answer_says_nothing_is_not_made_twice() {
    let world = World::new(0).await;
    let accepted = Fault::StatusAfter {
        status: 202,
        body: None,
        retry_after: None,
    };
    world.inject(FaultRule::once(accepted).on(&Method::POST));
    let adapter = world.adapter();
    let change = member("100234", json!({ "lastName": "Nordmann" }));
    let lost = push_one(&*adapter, change.clone()).await.unwrap_err();
    assert_eq!(lost.kind(), ErrorKind::Unknown);
    let again = push_one(&*adapter, change).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Conflict);
    assert_eq!(world.register().writes().created, 1);
}

#[tokio::test]
async fn a_new_row_is_found_wherever_its_id_is_told() {
    for told in [
        json!({ "row": "" }),
        json!({ "id": "/id" }),
        json!({ "id": "location" }),
        json!({}),
    ] {
        let mut world = World::new(0).await;
        let silent = told.get("row").is_none() && told["id"] != "/id";
        world
            .register()
            .change_settings(|settings| settings.silent = silent);
        let create = &mut world.members()["write"]["create"];
        create.as_object_mut().unwrap().remove("row");
        for (name, value) in told.as_object().unwrap() {
            create[name] = value.clone();
        }
        let adapter = world.adapter();
        let pushed = push_one(&*adapter, member("100234", json!({ "lastName": "Ny" })))
            .await
            .unwrap();
        assert_eq!(*pushed.id, *world.rows()[0]["id"].to_string(), "{told}");
    }
}

#[tokio::test]
async fn a_row_that_changed_since_it_was_read_is_not_overwritten() {
    for (versions, if_match) in [(true, true), (false, false)] {
        let mut world = World::new(1).await;
        world
            .register()
            .change_settings(|settings| settings.versions = versions);
        if !if_match {
            for write in ["update", "remove"] {
                world.members()["write"][write]
                    .as_object_mut()
                    .unwrap()
                    .remove("ifMatch");
            }
        }
        let adapter = world.adapter();
        let row = world.rows().remove(0);
        let id = row["id"].as_u64().unwrap();
        let seen = Target {
            id: id.to_string().into(),
            etag: Some("1".into()),
            active: true,
            tellable: u64::MAX,
        };
        world
            .register()
            .edit_as_human(Collection::Members, id, &json!({ "name": { "first": "Der" } }));
        for change in [
            edit(seen.clone(), json!({ "firstName": "Her" })),
            remove(seen.clone()),
        ] {
            let error = push_one(&*adapter, change).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Conflict);
        }
        assert_eq!(world.rows()[0]["name"]["first"], "Der");
        let seen = Target {
            etag: Some("2".into()),
            ..seen
        };
        let pushed = push_one(&*adapter, edit(seen, json!({ "firstName": "Her" })))
            .await
            .unwrap();
        assert_eq!(pushed.etag.as_deref(), Some("3"));
        assert!(push_one(&*adapter, remove(target(&pushed))).await.unwrap().gone);
        assert_eq!(world.rows().len(), 0);
    }
}

#[tokio::test]
async fn put_sends_the_row_as_it_is_with_the_change_laid_over_it() {
    let mut world = World::new(1).await;
    world
        .register()
        .change_settings(|settings| settings.versions = false);
    world.members()["write"]["update"]["method"] = json!("PUT");
    let id = world.rows()[0]["id"].as_u64().unwrap();
    world.register().edit_as_human(
        Collection::Members,
        id,
        &json!({ "contact": { "mobile": "91234567" } }),
    );
    let adapter = world.adapter();
    let seen = Target {
        id: id.to_string().into(),
        etag: Some("2".into()),
        active: true,
        tellable: u64::MAX,
    };
    push_one(
        &*adapter,
        edit(seen, json!({ "email": "ny@example.org", "city": "Oslo" })),
    )
    .await
    .unwrap();
    let row = world.rows().remove(0);
    assert_eq!(
        row["contact"],
        json!({ "email": "ny@example.org", "mobile": "91234567" })
    );
    assert_eq!(
        (&row["address"]["city"], &row["name"]["first"]),
        (&json!("Oslo"), &json!("Kari"))
    );
}

#[tokio::test]
async fn values_are_written_as_the_profile_says() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let fields = json!({
        "firstName": "Åse", "lastName": "O'Brien \"Ø\"", "birthDate": "1980-02-29", "gender": "male",
        "doNotEmail": true, "active": false, "city": "Tromsø",
    });
    let pushed = push_one(&*adapter, member("100234", fields.clone()))
        .await
        .unwrap();
    assert!(!pushed.active);
    let row = world.rows().remove(0);
    assert_eq!(
        (
            &row["born"],
            &row["sex"],
            &row["noEmail"],
            &row["status"],
            &row["number"]
        ),
        (
            &json!("29.02.1980"),
            &json!("M"),
            &json!(true),
            &json!("P"),
            &json!("100234")
        )
    );
    let Found::Here(shared::adapter::Item::Row(found)) = find_one(&*adapter, &pushed.id).await.unwrap()
    else {
        panic!("it is there")
    };
    let mut read = serde_json::to_value(&found.fields).unwrap();
    for (name, value) in fields.as_object().unwrap() {
        assert_eq!(read.as_object_mut().unwrap().remove(name).as_ref(), Some(value));
    }
    assert_eq!(
        (found.key.as_deref(), found.etag.as_ref()),
        (Some("100234"), pushed.etag.as_ref())
    );
}

#[tokio::test]
async fn after_a_change_that_was_not_answered_no_other_is_sent() {
    let world = World::new(0).await;
    world.inject(FaultRule::always(Fault::ResetAfter).on(&Method::POST));
    let changes: Vec<_> = (1..=5)
        .map(|number| member(&number.to_string(), json!({ "lastName": "Ny" })))
        .collect();
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    let kinds: Vec<_> = outcomes
        .iter()
        .map(|outcome| outcome.as_ref().unwrap_err().kind())
        .collect();
    assert_eq!(kinds[0], ErrorKind::Unknown);
    assert!(kinds[1..].iter().all(|kind| *kind == ErrorKind::Unavailable));
    assert_eq!(world.register().writes().created, 1);
}

#[tokio::test]
async fn a_membership_refers_to_its_member_by_the_systems_number() {
    let world = World::new(1).await;
    let id = world.rows()[0]["id"].to_string();
    let adapter = world.adapter();
    for (member, expected) in [
        (id.as_str(), None),
        ("999", Some(ErrorKind::Rejected)),
        ("x7", Some(ErrorKind::Rejected)),
    ] {
        let fields = json!({ "memberId": member, "type": "Hovedmedlem" });
        let change = write(Kind::Membership, &format!("M-{member}"), None, fields);
        let outcome = adapter.push(Kind::Membership, &[change]).await.unwrap().remove(0);
        assert_eq!(outcome.as_ref().err().map(shared::adapter::Error::kind), expected);
    }
    let row = world.register().rows(Collection::Memberships).remove(0);
    assert_eq!(row["memberId"].to_string(), id);
}

#[tokio::test]
async fn a_lookup_that_answers_with_somebody_else_makes_nobody() {
    let mut world = World::new(3).await;
    world.members()["lookup"]["query"] = json!({ "size": "2" });
    world.members()["lookup"]["path"] = json!("/rest/v1/members/{key}");
    world.members()["lookup"].as_object_mut().unwrap().remove("list");
    let id = world.rows()[0]["id"].to_string();
    let error = push_one(&*world.adapter(), member(&id, json!({ "lastName": "Ny" })))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert_eq!(world.register().writes().created, 0);
}

#[tokio::test]
async fn what_the_profile_does_not_write_is_not_written() {
    let mut world = World::new(1).await;
    world.members()["write"].as_object_mut().unwrap().remove("remove");
    let adapter = world.adapter();
    let there = Target {
        id: world.rows()[0]["id"].to_string().into(),
        etag: Some("1".into()),
        active: true,
        tellable: u64::MAX,
    };
    let kept = push_one(&*adapter, remove(there.clone())).await.unwrap();
    assert!(kept.active && !kept.gone);
    world.members()["write"].as_object_mut().unwrap().remove("update");
    let adapter = world.adapter();
    let error = push_one(&*adapter, edit(there, json!({ "city": "Oslo" })))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    world.members().as_object_mut().unwrap().remove("write");
    let capability = world.adapter().capability();
    assert!(!capability.of(Kind::Member).unwrap().pushes && capability.of(Kind::Membership).unwrap().pushes);
}

#[tokio::test]
async fn a_removal_may_be_a_change_and_is_done_once() {
    let mut world = World::new(1).await;
    world
        .register()
        .change_settings(|settings| settings.versions = false);
    world.members()["write"]["remove"] =
        json!({ "method": "PATCH", "path": "/rest/v1/members/{id}", "body": { "status": "P" } });
    let adapter = world.adapter();
    let there = Target {
        id: world.rows()[0]["id"].to_string().into(),
        etag: Some("1".into()),
        active: true,
        tellable: u64::MAX,
    };
    let pushed = push_one(&*adapter, remove(there)).await.unwrap();
    assert!(!pushed.active && !pushed.gone);
    push_one(&*adapter, remove(target(&pushed))).await.unwrap();
    assert_eq!(world.rows()[0]["status"], "P");
    assert_eq!(world.register().writes().updated, 1);
}
