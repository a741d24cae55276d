use serde_json::{Value as Json, json};

use super::config::Settings;
use super::config_tests::{read, settings};
use super::details;
use super::key::Key;
use super::names::Names;
use super::rows::Rows;
use super::wire::Row;
use crate::adapter::{ErrorKind, ExternalRecord, Item};

const COURSE: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";

fn row(user: u32, number: u32, status: Json) -> Json {
    json!({
        "transc_user_id": user, "transc_object_id": COURSE.to_uppercase(), "reg_num": number, "is_latest_reg_num": 1,
        "is_removed": false, "user_lo_last_modified_dt": "2026-01-31T12:00:00.123Z", "user_lo_status_id": status,
        "user_lo_reg_dt": "2026-01-15T08:00:00Z", "user_lo_start_dt": null, "user_lo_min_due_date": "0001-01-01T00:00:00Z",
        "user_lo_comp_dt": null, "user_lo_score": 85, "archived": 0,
    })
}

fn rows(settings: &Settings, rows: Vec<Json>) -> Rows {
    let objects = rows.into_iter().map(|row| row.as_object().unwrap().clone());
    Rows::read(objects.collect::<Vec<Row>>(), &settings.columns)
}

fn items(page: Vec<Json>) -> Vec<Item> {
    let settings = read(&settings());
    let names = Names::known([("7", "100234")], [(COURSE, "Førstehjelp", "Online Class")]);
    let rows = rows(&settings, page);
    let words = settings.vocabulary();
    let items = rows.registrations.iter();
    items
        .map(|one| one.item(&settings.columns, &words, &names))
        .collect()
}

fn only(mut items: Vec<Item>) -> ExternalRecord {
    assert_eq!(items.len(), 1, "{items:?}");
    match items.remove(0) {
        Item::Row(row) => row,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_row_says_who_is_enrolled_in_what_and_how_far_they_are() {
    let record = only(items(vec![row(7, 1, json!(8))]));
    assert_eq!(&*record.id, format!("100234.{COURSE}"));
    assert_eq!(
        serde_json::to_value(&record.fields).unwrap(),
        json!({
            "memberId": "100234", "courseId": COURSE, "courseTitle": "Førstehjelp", "trainingType": "online_course",
            "status": "in_progress", "registeredOn": "2026-01-15", "score": "85", "registrationNumber": "1", "active": true,
        })
    );
    assert_eq!(record.told.count_ones(), 12);
    assert!(record.active && record.key.is_none() && !record.ours);
    assert_eq!(
        record.modified_at.unwrap().to_string(),
        "2026-01-31T12:00:00.123Z"
    );
}

#[test]
fn of_several_registrations_the_last_one_is_the_enrolment_in_whatever_order_they_come() {
    let mut history = row(7, 1, json!(16));
    history["is_latest_reg_num"] = json!(0);
    let last = row(7, 3, json!(4));
    let unmarked = |number| {
        let mut row = row(7, number, json!(16));
        row.as_object_mut().unwrap().remove("is_latest_reg_num");
        row
    };
    for page in [
        vec![history.clone(), last.clone()],
        vec![last.clone(), history],
        vec![last.clone(), unmarked(2), last.clone()],
        vec![unmarked(2), last.clone(), unmarked(1)],
    ] {
        let record = only(items(page));
        assert_eq!(
            serde_json::to_value(&record.fields).unwrap()["registrationNumber"],
            "3"
        );
    }
}

#[test]
fn what_cannot_be_read_waits_with_its_field_and_what_was_removed_is_deleted() {
    let mut removed = row(7, 1, json!(99));
    removed["is_removed"] = json!(1);
    assert!(
        matches!(&items(vec![removed])[0], Item::Deleted { id, .. } if **id == *format!("100234.{COURSE}"))
    );
    let faulty = |row: Json| match items(vec![row]).remove(0) {
        Item::Faulty { id, field, message } => (id, field, message),
        other => panic!("{other:?}"),
    };
    let (id, field, _) = faulty(row(8, 1, json!(4)));
    assert_eq!((&*id, field.as_str()), (&*format!("#8.{COURSE}"), "memberId"));
    let (id, field, message) = faulty(row(7, 1, json!(99)));
    assert_eq!((&*id, field.as_str()), (&*format!("100234.{COURSE}"), "status"));
    assert!(
        message.contains("course-enrollments.statuses") && !message.contains("99"),
        "{message}"
    );
    let mut odd = row(7, 1, json!(4));
    odd["user_lo_reg_dt"] = json!("canary");
    let (_, field, message) = faulty(odd);
    assert_eq!(field, "registeredOn");
    assert!(!message.contains("canary"));
    let mut archived = row(7, 1, json!(4));
    archived["archived"] = json!(true);
    assert!(!only(items(vec![archived])).active);
}

#[test]
fn columns_that_vanish_and_rows_without_a_name_are_told_of() {
    let settings = read(&settings());
    let mut lacking = row(7, 1, json!(4));
    lacking.as_object_mut().unwrap().remove("user_lo_score");
    let nameless = json!({ "transc_user_id": null, "transc_object_id": COURSE });
    let rows = rows(&settings, vec![lacking.clone(), nameless]);
    assert_eq!(rows.registrations.len(), 1);
    assert!(rows.warnings[0].contains("user_lo_score"), "{:?}", rows.warnings);
    assert!(rows.warnings[1].starts_with("1 rows"), "{:?}", rows.warnings);
    let score = crate::model::Kind::CourseEnrollment.position("score").unwrap();
    assert_eq!(only(items(vec![lacking])).told >> score & 1, 0);
}

fn look(data: &Json) -> crate::adapter::Result<Option<Item>> {
    let settings = read(&settings());
    let key = Key::new("100234", COURSE).unwrap();
    details::read(&key, data, &settings.columns, &settings.vocabulary())
}

#[test]
fn details_are_understood_however_they_are_spelt() {
    let older = json!({
        "LoId": COURSE, "Title": "Førstehjelp", "Status": "In Progress / Past Due", "LoType": "Online Class",
        "RegistrationDate": "2026-01-15T08:00:00+0000", "DueDate": "", "Score": "85",
    });
    let newer = json!({
        "learningObjectId": COURSE.to_uppercase(), "learningTitle": "Førstehjelp", "status": "InProgress",
        "trainingType": "OnlineClass", "registrationDate": "2026-01-15T08:00:00Z", "dueDate": null, "score": 85,
        "registrationNumber": 1, "isArchived": false,
    });
    let view = only(items(vec![row(7, 1, json!(8))]));
    for data in [
        json!({ "Transcripts": [older.clone()] }),
        json!([older.clone()]),
        older,
        newer,
    ] {
        let Some(Item::Row(record)) = look(&data).unwrap() else {
            panic!("{data}")
        };
        for (position, _, value) in record.fields.iter() {
            if record.told >> position & 1 == 1 {
                assert_eq!(value, view.fields.at(position), "{position}");
            }
        }
        let (one, other) = (record.etag.unwrap(), view.etag.clone().unwrap());
        if record.told.count_ones() == 9 {
            assert!(super::map::is_same_version(&one, &other));
        }
    }
}

#[test]
fn details_of_something_else_are_never_taken_for_those_that_were_asked_for() {
    let other = json!({ "learningObjectId": "2c8c4d2e-0a5b-4c3d-9e8f-102938475610", "status": "Completed" });
    for odd in [other, json!(null), json!("canary"), json!([1])] {
        let error = look(&odd).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{odd}");
        assert!(!format!("{error:?}").contains("canary"));
    }
    assert!(look(&json!([])).unwrap().is_none());
    let removed = json!({ "status": "Completed", "isRemoved": true });
    assert!(matches!(look(&removed), Ok(Some(Item::Deleted { .. }))));
    let last = json!([
        { "status": "Registered", "registrationNumber": 2 }, { "status": "Completed", "registrationNumber": 1 },
    ]);
    let Some(Item::Row(record)) = look(&last).unwrap() else {
        panic!("{last}")
    };
    assert_eq!(
        serde_json::to_value(&record.fields).unwrap()["status"],
        "registered"
    );
}
