use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::config_tests::{read as profile, settings};
use super::map::{self, version};
use super::profile::Resource;
use crate::adapter::Item;
use crate::model::{Fields, Kind, Value};

fn resource(change: impl FnOnce(&mut Json)) -> Resource {
    let mut settings = settings();
    change(&mut settings["resources"]["members"]);
    profile(&settings).resource(Kind::Member).unwrap().clone()
}

fn with(field: &str, map: Json) -> Resource {
    resource(|members| members["fields"][field] = map)
}

fn row(place: &str, value: Json) -> Json {
    let mut row = json!({ "id": 7, "number": "100234", "name": { "first": "Kari", "last": "Ek" } });
    super::pointer::Pointer::parse(place)
        .unwrap()
        .put(&mut row, value);
    row
}

/// Reads one field of a row: what it holds, or what is wrong.
fn field(resource: &Resource, name: &str, row: &Json) -> Result<Json, String> {
    match map::row(resource, row).unwrap() {
        Item::Row(row) => Ok(serde_json::to_value(&row.fields).unwrap()[name].clone()),
        Item::Faulty { field, message, .. } => Err(format!("{field}: {message}")),
        Item::Deleted { .. } => panic!("it is there"),
    }
}

#[test]
fn dates_are_read_and_written_in_the_form_of_the_profile_and_no_other() {
    for (form, text) in [
        ("yyyy-MM-dd", "2026-02-01"),
        ("dateTime", "2026-02-01T00:00:00Z"),
        ("dd.MM.yyyy", "01.02.2026"),
        ("yyyyMMdd", "20260201"),
    ] {
        let resource = with("birthDate", json!({ "pointer": "/born", "format": form }));
        assert_eq!(
            field(&resource, "birthDate", &row("/born", json!(text))),
            Ok(json!("2026-02-01")),
            "{form}"
        );
        let map = resource
            .fields
            .iter()
            .find(|map| map.field.name == "birthDate")
            .unwrap();
        let date = Value::Date("2026-02-01".parse().unwrap());
        assert_eq!(map::write(map, Some(&date)), Ok(json!(text)), "{form}");
        for other in [
            "2026/02/01",
            "01/02/2026",
            "46000",
            "31.02.2026",
            "2026-13-01",
            "20261301",
            "soon",
            "æøåæøåæøå",
        ] {
            let wrong = field(&resource, "birthDate", &row("/born", json!(other))).unwrap_err();
            assert!(
                wrong.starts_with("birthDate") && !wrong.contains(other),
                "{form} {other}: {wrong}"
            );
        }
        assert!(
            field(&resource, "birthDate", &row("/born", json!(46_000))).is_err(),
            "{form}"
        );
    }
}

#[test]
fn words_are_the_profiles_in_one_direction_and_the_platforms_in_the_other() {
    let resource = with(
        "gender",
        json!({ "pointer": "/sex", "values": { "female": 2, "male": 1 } }),
    );
    assert_eq!(
        field(&resource, "gender", &row("/sex", json!(2))),
        Ok(json!("female"))
    );
    assert_eq!(
        field(&resource, "gender", &row("/sex", json!(null))),
        Ok(json!(null))
    );
    for unknown in [json!(3), json!("2"), json!("female"), json!(true)] {
        assert!(
            field(&resource, "gender", &row("/sex", unknown))
                .unwrap_err()
                .contains("values")
        );
    }
    let map = resource
        .fields
        .iter()
        .find(|map| map.field.name == "gender")
        .unwrap();
    assert_eq!(map::write(map, Some(&Value::Text("male".into()))), Ok(json!(1)));
    assert!(map::write(map, Some(&Value::Text("other".into()))).is_err());
    let flag = with(
        "doNotEmail",
        json!({ "pointer": "/mail", "values": { "true": "N", "false": "J" } }),
    );
    assert_eq!(
        field(&flag, "doNotEmail", &row("/mail", json!("N"))),
        Ok(json!(true))
    );
}

#[test]
fn text_may_be_a_number_but_nothing_that_lost_digits() {
    let resource = with("city", json!("/zip"));
    assert_eq!(
        field(&resource, "city", &row("/zip", json!(150))),
        Ok(json!("150"))
    );
    assert_eq!(
        field(&resource, "city", &row("/zip", json!("0150"))),
        Ok(json!("0150"))
    );
    assert_eq!(field(&resource, "city", &row("/zip", json!(""))), Ok(json!(null)));
    let huge: Json = serde_json::from_str("123456789012345678901234567890").unwrap();
    for bad in [
        huge,
        json!({}),
        json!([]),
        json!(true),
        json!("x".repeat(81)),
        json!("a\u{0}"),
    ] {
        assert!(
            field(&resource, "city", &row("/zip", bad.clone())).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn names_of_any_script_survive_byte_for_byte() {
    for name in ["Åse Bjørk-Ødegård", "O'Brien", "李小龍", "👩‍👩‍👧", "e\u{301}", " "] {
        assert_eq!(
            field(&resource(|_| {}), "firstName", &row("/name/first", json!(name))),
            Ok(json!(name))
        );
    }
}

#[test]
fn a_row_without_an_id_is_no_row_and_one_that_is_deleted_is_known_by_it() {
    let resource = resource(|_| {});
    for id in [
        json!(null),
        json!(""),
        json!(1.5),
        json!({}),
        json!("x".repeat(201)),
        json!("a\nb"),
    ] {
        assert!(map::row(&resource, &row("/id", id.clone())).is_err(), "{id}");
    }
    let Item::Deleted { id, .. } = map::row(&resource, &json!({ "id": "a-7", "deleted": true })).unwrap()
    else {
        panic!("it is deleted")
    };
    assert_eq!(&*id, "a-7");
}

#[test]
fn a_row_that_lacks_what_is_required_says_where_it_should_stand() {
    let wrong = field(&resource(|_| {}), "lastName", &row("/name/last", json!(null))).unwrap_err();
    assert!(
        wrong.starts_with("lastName") && wrong.contains("/name/last"),
        "{wrong}"
    );
}

#[test]
fn a_row_is_in_use_unless_it_says_otherwise() {
    for (status, active) in [(json!("A"), true), (json!("P"), false), (json!(null), true)] {
        let Item::Row(read) = map::row(&resource(|_| {}), &row("/status", status)).unwrap() else {
            panic!("it is a row")
        };
        assert_eq!(read.active, active);
    }
}

#[test]
fn a_time_without_an_offset_is_not_guessed() {
    for (text, known) in [
        (json!("2026-02-01T10:00:00+01:00"), true),
        (json!(1_769_936_400), true),
        (json!("2026-02-01T10:00:00"), false),
        (json!("0001-01-01T00:00:00"), false),
        (json!(null), false),
    ] {
        let Item::Row(read) = map::row(&resource(|_| {}), &row("/updatedAt", text.clone())).unwrap() else {
            panic!("it is a row")
        };
        assert_eq!(read.modified_at.is_some(), known, "{text}");
    }
}

#[test]
fn the_version_by_content_is_of_what_is_mapped_and_of_nothing_else() {
    let resource = resource(|members| members["read"]["version"] = json!("content"));
    let before = version(&resource, &row("/city", json!("Oslo")));
    assert_eq!(version(&resource, &row("/visits", json!(3))), before);
    assert_ne!(version(&resource, &row("/name/first", json!("Ola"))), before);
    assert_eq!(version(&resource, &row("/born", json!(null))), before);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(first in "\\PC{1,20}", zip in "[0-9]{4}", female: bool, days in 0_i32..30_000) {
        let resource = resource(|_| {});
        let date = jiff::civil::date(1950, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
        let json = json!({
            "firstName": first, "lastName": "Ek", "birthDate": date.to_string(), "postalCode": zip,
            "gender": if female { "female" } else { "male" }, "doNotEmail": female, "active": !female,
        });
        let fields = Fields::from_json(Kind::Member, json.as_object().unwrap()).unwrap();
        let mut body = json!({ "id": 7 });
        for map in &resource.fields {
            map.pointer.put(&mut body, map::write(map, fields.at(map.position)).unwrap());
        }
        let Item::Row(read) = map::row(&resource, &body).unwrap() else { panic!("it is a row") };
        prop_assert_eq!(serde_json::to_value(&read.fields).unwrap(), json);
    }
}
