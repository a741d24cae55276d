//! Changes, alone and in batches.

use serde_json::json;
use shared::adapter::{ErrorKind, Found, Item, Target};
use shared::model::Kind;
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};

use crate::asking::{made, seen};
use crate::world::{World, find_one, id, member, push_one, remove, target, write};

#[tokio::test]
async fn a_human_who_is_faster_by_a_moment_wins() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let pushed = push_one(&*adapter, member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap();
    world.inject(FaultRule::once(Fault::HumanEdit { changes: None }).at(&pushed.id));
    let change = write(
        Kind::Member,
        "1",
        Some(target(&pushed)),
        json!({ "city": "Bergen" }),
    );
    assert_eq!(
        push_one(&*adapter, change).await.unwrap_err().kind(),
        ErrorKind::Conflict
    );
}

#[tokio::test]
async fn only_what_changed_is_written() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let pushed = push_one(
        &*adapter,
        member("1", json!({ "lastName": "Berg", "city": "Oslo" })),
    )
    .await
    .unwrap();
    world
        .simulation
        .edit_as_human("contacts", id(&pushed), &json!({ "telephone1": "22334455" }));
    let Found::Here(Item::Row(row)) = find_one(&*adapter, &pushed.id).await else {
        panic!()
    };
    let change = write(Kind::Member, "1", Some(seen(&row)), json!({ "city": null }));
    push_one(&*adapter, change).await.unwrap();
    let stored = world.simulation.row("contacts", id(&pushed)).unwrap();
    assert_eq!(
        (&stored["telephone1"], &stored["address1_city"]),
        (&json!("22334455"), &json!(null))
    );
}

#[tokio::test]
async fn a_row_that_was_deleted_there_is_not_made_again() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let pushed = push_one(&*adapter, member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap();
    world.simulation.delete_as_human("contacts", id(&pushed));
    for etag in [pushed.etag.clone(), None] {
        let gone = Target {
            etag,
            ..target(&pushed)
        };
        let change = write(Kind::Member, "1", Some(gone), json!({ "city": "Bergen" }));
        assert_eq!(
            push_one(&*adapter, change).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
    assert_eq!(world.simulation.row_count("contacts"), 0);
}

#[tokio::test]
async fn a_row_goes_out_of_use_and_comes_back_with_its_fields() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let first = push_one(&*adapter, member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap();
    let out = push_one(&*adapter, remove("1", target(&first))).await.unwrap();
    assert!(!out.active);
    let stays = write(Kind::Member, "1", Some(target(&out)), json!({ "city": "Oslo" }));
    let stays = push_one(&*adapter, stays).await.unwrap();
    assert!(!stays.active);
    let back = write(
        Kind::Member,
        "1",
        Some(target(&stays)),
        json!({ "firstName": "Kari", "active": true }),
    );
    let back = push_one(&*adapter, back).await.unwrap();
    assert!(back.active);
    let stored = world.simulation.row("contacts", id(&first)).unwrap();
    assert_eq!(
        (&stored["address1_city"], &stored["firstname"]),
        (&json!("Oslo"), &json!("Kari"))
    );
    let again = push_one(
        &*adapter,
        write(
            Kind::Member,
            "1",
            Some(target(&back)),
            json!({ "city": "Bodø", "active": false }),
        ),
    );
    assert!(!again.await.unwrap().active);
}

#[tokio::test]
async fn state_and_fields_are_written_together_or_not_at_all() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let pushed = push_one(
        &*adapter,
        member("1", json!({ "lastName": "Berg", "city": "Oslo" })),
    )
    .await
    .unwrap();
    let change = write(
        Kind::Member,
        "1",
        Some(target(&pushed)),
        json!({ "lastName": "x".repeat(60), "active": false }),
    );
    let error = push_one(&*adapter, change).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let stored = world.simulation.row("contacts", id(&pushed)).unwrap();
    assert_eq!(
        (&stored["lastname"], &stored["statecode"]),
        (&json!("Berg"), &json!(0))
    );
}

#[tokio::test]
async fn a_new_record_never_overwrites_a_row_that_has_its_key_and_names_it() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let row = json!({ "hlf_memberno": "1", "lastname": "Berg", "emailaddress1": "berg@example.org" });
    let there = world.simulation.create_as_human("contacts", &row);
    let change = member("1", json!({ "lastName": "Berge" }));
    let error = push_one(&*adapter, change.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.fact("row"), Some(there.to_string().as_str()));
    world
        .simulation
        .edit_as_human("contacts", there, &json!({ "statecode": 1 }));
    let error = push_one(&*adapter, change).await.unwrap_err();
    assert_eq!(error.fact("row"), Some(there.to_string().as_str()));
    let stored = world.simulation.row("contacts", there).unwrap();
    assert_eq!(
        (
            &stored["lastname"],
            &stored["emailaddress1"],
            &stored["statecode"]
        ),
        (&json!("Berg"), &json!("berg@example.org"), &json!(1))
    );
}

#[tokio::test]
async fn a_new_record_that_is_not_in_use_is_made_so() {
    let world = World::new(0).await;
    let change = member("2", json!({ "lastName": "Moen", "active": false }));
    assert!(!push_one(&*world.adapter(), change).await.unwrap().active);
}

#[tokio::test]
async fn without_an_alternate_key_rows_are_changed_and_never_made() {
    let mut world = World::new(0).await;
    world.settings["members"]
        .as_object_mut()
        .unwrap()
        .remove("alternateKey");
    let error = push_one(&*world.adapter(), member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(world.simulation.row_count("contacts"), 0);
}

#[tokio::test]
async fn parts_of_an_answer_that_are_missing_are_unknown_and_the_others_are_not() {
    let world = World::new(0).await;
    world.inject(FaultRule::once(Fault::MissingPart { index: 2 }).at("$batch"));
    let changes: Vec<_> = (0..3)
        .map(|at| member(&at.to_string(), json!({ "lastName": "Berg" })))
        .collect();
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes[0].is_ok() && outcomes[1].is_ok());
    assert_eq!(outcomes[2].as_ref().unwrap_err().kind(), ErrorKind::Unknown);
    assert_eq!(world.simulation.row_count("contacts"), 3);
}

#[tokio::test]
async fn a_part_that_is_missing_in_the_middle_does_not_shift_the_others() {
    let world = World::new(0).await;
    world.inject(FaultRule::once(Fault::MissingPart { index: 0 }).at("$batch"));
    let changes: Vec<_> = (0..3)
        .map(|at| member(&format!("k{at}"), json!({ "lastName": "Berg" })))
        .collect();
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().kind(), ErrorKind::Unknown);
    for (outcome, key) in outcomes.iter().zip(["k0", "k1", "k2"]).skip(1) {
        let row = world
            .simulation
            .row("contacts", id(&made(outcome.as_ref().unwrap().clone())))
            .unwrap();
        assert_eq!(row["hlf_memberno"], key);
    }
}

#[tokio::test]
async fn parts_in_another_order_are_told_apart_by_the_row_that_they_show() {
    let world = World::new(0).await;
    world.inject(FaultRule::once(Fault::MisorderedParts).at("$batch"));
    let mut changes: Vec<_> = (0..4)
        .map(|at| member(&format!("k{at}"), json!({ "lastName": "Berg" })))
        .collect();
    changes.push(member("bad", json!({ "lastName": "x".repeat(51) })));
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    for (at, outcome) in outcomes.iter().take(4).enumerate() {
        let row = world
            .simulation
            .row("contacts", id(&made(outcome.as_ref().unwrap().clone())))
            .unwrap();
        assert_eq!(row["hlf_memberno"], format!("k{at}"));
    }
    assert_eq!(
        outcomes[4].as_ref().unwrap_err().kind(),
        ErrorKind::Unknown,
        "a refusal shows no row"
    );
}

#[tokio::test]
async fn a_boundary_that_needs_quotes_is_read() {
    let world = World::new(0).await;
    world.inject(FaultRule::once(Fault::OddBoundary).at("$batch"));
    assert!(
        push_one(&*world.adapter(), member("1", json!({ "lastName": "Berg" })))
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_answer_that_breaks_off_tells_of_the_changes_that_it_reached() {
    let world = World::new(0).await;
    world.inject(FaultRule::once(Fault::TruncatedBody).at("$batch"));
    let changes: Vec<_> = (0..200)
        .map(|at| member(&format!("k{at}"), json!({ "lastName": "Berg" })))
        .collect();
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    let known = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert!((1..200).contains(&known), "{known}");
    let unknown = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(
        unknown
            .into_iter()
            .all(|error| error.kind() == ErrorKind::Unknown)
    );
    for (at, outcome) in outcomes.iter().enumerate() {
        if let Ok(pushed) = outcome {
            let row = world
                .simulation
                .row("contacts", id(&made(pushed.clone())))
                .unwrap();
            assert_eq!(row["hlf_memberno"], format!("k{at}"));
        }
    }
}

#[tokio::test]
async fn a_thousand_and_one_changes_are_split() {
    let world = World::new(0).await;
    let changes: Vec<_> = (0..1001)
        .map(|at| member(&format!("k{at}"), json!({ "lastName": "Berg" })))
        .collect();
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes.iter().all(Result::is_ok));
    assert_eq!(world.count("batch"), 2);
    assert_eq!(world.simulation.row_count("contacts"), 1001);
}

#[tokio::test]
async fn a_privilege_that_was_taken_away_is_named() {
    let world = World::new(0).await;
    world.simulation.revoke_privilege("contact", Privilege::Create);
    let error = push_one(&*world.adapter(), member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(error.fact("privilege"), Some("prvCreatecontact"));
}

#[tokio::test]
async fn a_part_that_the_system_could_not_do_is_unknown() {
    let world = World::new(0).await;
    let fault = Fault::Status {
        status: 503,
        body: None,
        retry_after: None,
    };
    world.inject(FaultRule::once(fault).at("hlf_memberno='2'"));
    let changes = [
        member("1", json!({ "lastName": "Berg" })),
        member("2", json!({ "lastName": "Berg" })),
    ];
    let outcomes = world.adapter().push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1].as_ref().unwrap_err().kind(), ErrorKind::Unknown);
}

#[tokio::test]
async fn our_own_writes_are_marked_with_the_tag_and_the_row_s_last_author() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let pushed = push_one(&*adapter, member("1", json!({ "lastName": "Berg" })))
        .await
        .unwrap();
    assert!(
        world
            .simulation
            .journal()
            .iter()
            .any(|entry| entry.in_batch && entry.target.contains("tag=member-sync"))
    );
    let Found::Here(Item::Row(row)) = find_one(&*adapter, &pushed.id).await else {
        panic!()
    };
    assert!(row.ours);
    world
        .simulation
        .edit_as_human("contacts", id(&pushed), &json!({ "telephone1": "22334455" }));
    let Found::Here(Item::Row(row)) = find_one(&*adapter, &pushed.id).await else {
        panic!()
    };
    assert!(!row.ours);
}

#[tokio::test]
async fn every_kind_of_value_is_told_as_it_was_written() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let fields = json!({
        "firstName": "Åse", "lastName": "O'Brien \"Ø\"", "birthDate": "1980-02-29", "gender": "female",
        "email": "aase@example.org", "doNotEmail": true, "certificationValidTo": "2027-01-31",
    });
    let pushed = push_one(&*adapter, member("100234", fields.clone()))
        .await
        .unwrap();
    let Found::Here(Item::Row(row)) = find_one(&*adapter, &pushed.id).await else {
        panic!("it is there")
    };
    let mut read = serde_json::to_value(&row.fields).unwrap();
    assert_eq!(read.as_object_mut().unwrap().remove("active"), Some(json!(true)));
    assert_eq!(read, fields);
    assert_eq!(
        (row.key.as_deref(), &row.etag),
        (Some("100234"), &target(&pushed).etag)
    );
}

#[tokio::test]
async fn a_value_that_is_refused_is_named_and_leaves_the_others_of_its_batch_as_they_are() {
    let world = World::new(0).await;
    let adapter = world.adapter();
    let long = "x".repeat(51);
    let changes = [
        member("1", json!({ "lastName": "First" })),
        member("2", json!({ "lastName": long })),
        member("3", json!({ "lastName": "Third" })),
    ];
    let outcomes = adapter.push(Kind::Member, &changes).await.unwrap();
    assert!(outcomes[0].is_ok() && outcomes[2].is_ok());
    let error = outcomes[1].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert_eq!(error.field(), Some("lastName"));
    assert_eq!(world.simulation.row_count("contacts"), 2);
}
