use serde_json::json;

use super::config_tests::{read, settings};
use super::rows::Rows;
use super::wire::{self, Misread, Page};
use crate::adapter::{ExternalRecord, Item};
use crate::model::{Kind, Value};

const ID: &str = "1c8c4d2e-0000-0000-0000-000000000001";
const ME: &str = "75c2dd85-0000-0000-0000-000000000002";

fn contact() -> serde_json::Value {
    json!({
        "@odata.etag": "W/\"915244\"", "contactid": ID, "firstname": "K\u{e5}re \"K\"", "lastname": "Nordmann", "middlename": null,
        "birthdate": "1980-02-29", "gendercode": 2, "emailaddress1": "", "telephone1": null, "mobilephone": null,
        "address1_line1": null, "address1_line2": null, "address1_postalcode": "0150", "address1_city": "Oslo",
        "address1_country": null, "statecode": 0, "modifiedon": "2026-01-31T12:00:00Z", "_modifiedby_value": ME,
        "merged": false, "_masterid_value": null, "hlf_memberno": "100234",
        "address1_composite": { "nested": [1, 2.5, { "deep": null }] },
    })
}

fn page(rows: &[serde_json::Value]) -> Result<(Page, u64), Misread> {
    let settings = read(&settings());
    let table = settings.table(Kind::Member).unwrap();
    let mut reader = Rows::new(table, Some(ME));
    let body = json!({ "@odata.context": "x", "value": rows, "@odata.nextLink": "https://x/" }).to_string();
    wire::page(body.as_bytes(), &mut reader).map(|page| (page, reader.lacking))
}

fn items(rows: &[serde_json::Value]) -> Vec<Item> {
    page(rows).unwrap().0.items.unwrap()
}

fn record(row: serde_json::Value) -> ExternalRecord {
    match items(&[row]).pop() {
        Some(Item::Row(record)) => record,
        other => panic!("{other:?}"),
    }
}

fn fault(row: serde_json::Value) -> (String, String) {
    match items(&[row]).pop() {
        Some(Item::Faulty { field, message, .. }) => (field, message),
        other => panic!("{other:?}"),
    }
}

fn with(name: &str, value: serde_json::Value) -> serde_json::Value {
    let mut row = contact();
    row[name] = value;
    row
}

#[test]
fn a_row_is_read_in_the_platform_s_words() {
    let record = record(contact());
    assert_eq!(&*record.id, ID);
    assert_eq!(record.key.as_deref(), Some("100234"));
    assert_eq!(record.etag.as_deref(), Some("W/\"915244\""));
    assert_eq!(record.modified_at, Some("2026-01-31T12:00:00Z".parse().unwrap()));
    assert!(record.ours && record.active);
    let text = |name: &str| record.fields.get(name).cloned();
    assert_eq!(text("firstName"), Some(Value::Text("K\u{e5}re \"K\"".into())));
    assert_eq!(text("gender"), Some(Value::Text("female".into())));
    assert_eq!(
        text("birthDate"),
        Some(Value::Date("1980-02-29".parse().unwrap()))
    );
    assert_eq!(text("email"), None);
    assert_eq!(text("active"), Some(Value::Bool(true)));
}

#[test]
fn rows_whose_columns_come_in_another_order_are_read_alike() {
    let mut turned = serde_json::Map::new();
    for (name, value) in contact().as_object().unwrap().iter().rev() {
        turned.insert(name.clone(), value.clone());
    }
    let all = items(&[contact(), turned.into(), contact()]);
    let fields = all.iter().map(|item| match item {
        Item::Row(record) => record.fields.clone(),
        other => panic!("{other:?}"),
    });
    let fields: Vec<_> = fields.collect();
    assert!(fields.iter().all(|each| *each == fields[0]));
}

#[test]
fn a_deleted_row_and_a_merged_one_are_told_as_gone() {
    let context = "https://hlf.crm4.dynamics.com/api/data/v9.2/$metadata#contacts/$deletedEntity";
    let deleted = json!({ "@odata.context": context, "id": ID.to_uppercase(), "reason": "deleted" });
    let mut merged = with("merged", json!(true));
    merged["_masterid_value"] = json!(ME);
    let all = items(&[deleted, merged]);
    assert!(matches!(&all[0], Item::Deleted { id, merged_into: None } if **id == *ID));
    assert!(matches!(&all[1], Item::Deleted { id, merged_into: Some(into) } if **id == *ID && **into == *ME));
}

#[test]
fn a_row_that_does_not_fit_is_faulty_and_names_its_field_but_no_value() {
    for (name, value, field) in [
        ("lastname", json!(null), "lastName"),
        ("lastname", json!(""), "lastName"),
        ("firstname", json!(424_242), "firstName"),
        ("firstname", json!("canary".repeat(20)), "firstName"),
        ("firstname", json!("canary\u{0}"), "firstName"),
        ("birthdate", json!("canary"), "birthDate"),
        ("birthdate", json!("2026-01-31T23:00:00Z"), "birthDate"),
        ("gendercode", json!(424_242), "gender"),
        ("gendercode", json!("canary"), "gender"),
        ("statecode", json!(7), "active"),
        ("address1_city", json!(["canary"]), "city"),
    ] {
        let (at, message) = fault(with(name, value));
        assert_eq!(at, field);
        assert!(
            !message.contains("canary") && !message.contains("424242"),
            "{message}"
        );
    }
}

#[test]
fn a_column_that_has_vanished_is_a_warning_unless_it_is_required() {
    let mut row = contact();
    row.as_object_mut().unwrap().remove("emailaddress1");
    let (page, lacking) = page(&[row.clone()]).unwrap();
    assert!(matches!(page.items.unwrap()[0], Item::Row(_)));
    assert_eq!(lacking.count_ones(), 1);
    row.as_object_mut().unwrap().remove("lastname");
    assert_eq!(fault(row).0, "lastName");
}

#[test]
fn a_row_without_an_id_makes_the_page_worthless() {
    assert_eq!(
        page(&[with("contactid", json!(null))]).unwrap_err(),
        Misread::Shape
    );
    assert_eq!(page(&[json!({})]).unwrap_err(), Misread::Shape);
}

#[test]
fn what_is_not_one_whole_page_is_not_read() {
    let settings = read(&settings());
    let read = |text: &str| {
        let mut rows = Rows::new(settings.table(Kind::Member).unwrap(), None);
        wire::page(text.as_bytes(), &mut rows).map(|page| page.items.map(|items| items.len()))
    };
    assert_eq!(read(r#"{"value":[]}"#), Ok(Some(0)));
    assert_eq!(read("\u{feff}{\"value\":[]}"), Ok(Some(0)));
    assert_eq!(read("{}"), Ok(None));
    assert_eq!(read(r#"{"value":[{"contactid":"#), Err(Misread::CutShort));
    assert_eq!(read(r#"{"value":[],}"#), Err(Misread::NotJson));
    assert_eq!(read(r#"{"value":[]}{}"#), Err(Misread::NotJson));
    assert_eq!(read("<html>"), Err(Misread::NotJson));
    assert_eq!(read(r#"{"value":{}}"#), Err(Misread::Shape));
    assert_eq!(
        read(&format!("{{\"x\":{}", "[".repeat(100_000))),
        Err(Misread::CutShort)
    );
}
