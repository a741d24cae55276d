use std::iter::once;

use serde_json::Value as Json;

use super::batch::{Operation, Unit};
use super::config_tests::{read, settings};
use super::plan::{Planner, Step};
use crate::adapter::{Change, ChangeAction, ErrorKind, Target};
use crate::model::{Fields, Kind};

const ID: &str = "1c8c4d2e-0000-0000-0000-000000000001";

/// What an operation asks for: method, condition, and body.
type Told = (String, Option<String>, Json);

fn plan(kind: Kind, change: &Change) -> Result<Vec<Told>, crate::adapter::Error> {
    let settings = read(&settings());
    let planner = Planner {
        table: settings.table(kind).unwrap(),
        tag: Some("sync"),
        root: "/api/data/v9.2/",
    };
    Ok(match planner.plan(change)? {
        Step::Settled(_) => Vec::new(),
        Step::Ask(plan) => match plan.unit {
            Unit::One(operation) => once(&operation).map(told).collect(),
            Unit::Together(operations) => operations.iter().map(told).collect(),
        },
    })
}

fn told(operation: &Operation) -> Told {
    let condition = operation
        .headers
        .iter()
        .find(|(name, _)| name.starts_with("If-"))
        .map(|(name, value)| match *name {
            "If-Match" => value.clone(),
            name => format!("{name}: {value}"),
        });
    let body = operation
        .body
        .as_deref()
        .map_or(Json::Null, |body| serde_json::from_str(body).unwrap());
    (
        format!("{} {}", operation.method, operation.path),
        condition,
        body,
    )
}

fn write(target: Option<Target>, fields: Json) -> Change {
    let fields = fields.as_object().unwrap();
    let changed = fields
        .keys()
        .fold(0, |bits, name| bits | 1 << Kind::Member.position(name).unwrap());
    let fields = Fields::from_json(Kind::Member, fields).unwrap();
    Change {
        key: "100234".parse().unwrap(),
        target,
        action: ChangeAction::Write { fields, changed },
    }
}

fn remove(target: Option<Target>) -> Change {
    Change {
        key: "100234".parse().unwrap(),
        target,
        action: ChangeAction::Remove,
    }
}

fn target(active: bool) -> Option<Target> {
    Some(Target {
        id: ID.into(),
        etag: Some("W/\"7\"".into()),
        active,
        tellable: u64::MAX,
    })
}

fn bodies(change: &Change) -> Vec<Json> {
    plan(Kind::Member, change)
        .unwrap()
        .into_iter()
        .map(|(_, _, body)| body)
        .collect()
}

#[test]
fn a_new_row_is_made_under_its_key_without_the_key_in_the_body() {
    let told = plan(
        Kind::Member,
        &write(
            None,
            serde_json::json!({ "firstName": "Kari", "gender": "female" }),
        ),
    )
    .unwrap();
    let path = "PATCH /api/data/v9.2/contacts(hlf_memberno='100234')?$select=contactid,statecode,hlf_memberno&tag=sync";
    assert_eq!(
        told,
        [(
            path.to_owned(),
            Some("If-None-Match: *".to_owned()),
            serde_json::json!({ "firstname": "Kari", "gendercode": 2 })
        )]
    );
}

#[test]
fn a_new_row_out_of_use_is_made_and_taken_out_together() {
    let change = write(None, serde_json::json!({ "firstName": "Kari", "active": false }));
    assert_eq!(
        bodies(&change),
        [
            serde_json::json!({ "firstname": "Kari" }),
            serde_json::json!({ "statecode": 1 })
        ]
    );
}

#[test]
fn a_known_row_is_changed_only_as_it_was_seen() {
    let told = plan(
        Kind::Member,
        &write(target(true), serde_json::json!({ "email": null })),
    )
    .unwrap();
    let [(path, condition, body)] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!(path.starts_with(&format!("PATCH /api/data/v9.2/contacts({ID})?")));
    assert_eq!(condition.as_deref(), Some("W/\"7\""));
    assert_eq!(*body, serde_json::json!({ "emailaddress1": null }));
}

#[test]
fn a_row_without_a_version_is_changed_and_never_made() {
    let bare = Some(Target {
        id: ID.into(),
        etag: None,
        active: true,
        tellable: u64::MAX,
    });
    let told = plan(
        Kind::Member,
        &write(bare, serde_json::json!({ "email": "a@example.org" })),
    )
    .unwrap();
    assert_eq!(told[0].1.as_deref(), Some("*"));
}

#[test]
fn a_row_that_is_not_in_use_is_brought_back_before_it_is_changed() {
    let stays = write(target(false), serde_json::json!({ "city": "Oslo" }));
    let [back, city, out] = bodies(&stays).try_into().unwrap();
    assert_eq!(
        (
            back["statecode"].as_i64(),
            city["address1_city"].as_str(),
            out["statecode"].as_i64()
        ),
        (Some(0), Some("Oslo"), Some(1))
    );
    let returns = write(
        target(false),
        serde_json::json!({ "city": "Oslo", "active": true }),
    );
    assert_eq!(bodies(&returns).len(), 2);
    let only = write(target(false), serde_json::json!({ "active": true }));
    assert_eq!(bodies(&only), [serde_json::json!({ "statecode": 0 })]);
}

#[test]
fn a_row_is_taken_out_of_use_after_it_is_changed() {
    let change = write(
        target(true),
        serde_json::json!({ "city": "Oslo", "active": false }),
    );
    assert_eq!(
        bodies(&change),
        [
            serde_json::json!({ "address1_city": "Oslo" }),
            serde_json::json!({ "statecode": 1 })
        ]
    );
    let told = plan(Kind::Member, &change).unwrap();
    assert_eq!(told[0].1.as_deref(), Some("W/\"7\""));
    assert_eq!(told[1].1.as_deref(), Some("*"));
}

#[test]
fn what_is_so_already_sends_nothing() {
    assert!(bodies(&write(target(true), serde_json::json!({ "active": true }))).is_empty());
    assert!(bodies(&write(target(true), serde_json::json!({}))).is_empty());
    assert!(bodies(&remove(target(false))).is_empty());
}

#[test]
fn removal_is_what_configuration_says() {
    assert_eq!(
        bodies(&remove(target(true))),
        [serde_json::json!({ "statecode": 1 })]
    );
    let told = plan(Kind::Membership, &remove(target(true))).unwrap();
    assert_eq!(
        told[0].0,
        format!("DELETE /api/data/v9.2/hlf_memberships({ID})?tag=sync")
    );
    assert_eq!(told[0].1.as_deref(), Some("W/\"7\""));
    assert_eq!(
        plan(Kind::Member, &remove(None)).unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[test]
fn a_lookup_is_bound_and_a_word_is_written_as_its_number() {
    let fields = serde_json::json!({ "memberId": ID, "status": "Aktiv", "from": "2026-01-31" });
    let fields = Fields::from_json(Kind::Membership, fields.as_object().unwrap()).unwrap();
    let mut change = remove(None);
    change.action = ChangeAction::Write {
        fields: fields.clone(),
        changed: 0b1101,
    };
    let [(_, _, body)] = plan(Kind::Membership, &change).unwrap().try_into().unwrap();
    assert_eq!(
        body,
        serde_json::json!({
            "hlf_Contact@odata.bind": format!("contacts({ID})"), "hlf_status": 1, "hlf_from": "2026-01-31",
        })
    );
}

#[test]
fn a_word_without_a_number_is_refused_by_its_field() {
    let fields = serde_json::json!({ "status": "canary" });
    let fields = Fields::from_json(Kind::Membership, fields.as_object().unwrap()).unwrap();
    let mut change = remove(None);
    change.action = ChangeAction::Write {
        fields,
        changed: 0b100,
    };
    let error = plan(Kind::Membership, &change).unwrap_err();
    assert_eq!(
        (error.kind(), error.field()),
        (ErrorKind::Rejected, Some("status"))
    );
    assert!(!format!("{error:?}").contains("canary"));
}
