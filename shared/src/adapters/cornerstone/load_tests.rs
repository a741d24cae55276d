use proptest::prelude::*;

use super::*;
use crate::csv::{Reader, Writer};

const COURSE: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";
const TODAY: Date = jiff::civil::date(2026, 1, 31);

fn change(member: &str, mut fields: Json) -> Change {
    fields["memberId"] = member.into();
    fields["courseId"] = COURSE.into();
    let fields = Fields::from_json(KIND, fields.as_object().unwrap()).unwrap();
    Change {
        key: format!("{member}.{COURSE}").parse().unwrap(),
        target: None,
        action: ChangeAction::Write {
            fields,
            changed: u64::MAX,
        },
    }
}

fn course(member: &str, training_type: &str, status: &str) -> Change {
    change(member, json!({ "trainingType": training_type, "status": status }))
}

/// Renders the rows of one load, as the files that go out are.
fn file(training_type: &str, rows: &[Json], headers: &BTreeMap<String, String>) -> String {
    let profile = profile(training_type, headers).unwrap();
    let mut writer = Writer::new(&profile, Vec::new()).unwrap();
    for row in rows {
        let columns = profile.columns().iter();
        let cells: Vec<_> = columns
            .map(|column| column.cell(&row[column.name()]).unwrap())
            .collect();
        writer.write(&cells).unwrap();
    }
    String::from_utf8(writer.finish().unwrap().0).unwrap()
}

#[test]
fn a_change_is_a_row_of_the_load_for_its_type_of_training() {
    let whole = json!({
        "trainingType": "online_course", "status": "completed", "registeredOn": "2026-01-15", "dueOn": "2026-03-01",
        "completedOn": "2026-01-31", "score": "85", "registrationNumber": "2", "courseTitle": "Førstehjelp",
    });
    let changes = [
        change("100234", whole),
        course("100235", "instructor_led", "no_show"),
        course("100236", "online_course", "registered"),
    ];
    let rows = changes.map(|change| row(&change, u64::MAX, TODAY).unwrap());
    let [(online, first), (led, second), (_, third)] = rows;
    assert_eq!((online, led), ("online_course", "instructor_led"));
    let header =
        "User ID,LO ID,Status,Registration Number,Registration Date,Due Date,Completion Date,Score\r\n";
    let none = BTreeMap::new();
    assert_eq!(
        file(led, &[second], &none),
        format!("{header}100235,{COURSE},No Show,,,,,\r\n")
    );
    assert_eq!(
        file(online, &[first, third], &none),
        format!(
            "{header}100234,{COURSE},Completed,2,2026-01-15,2026-03-01,2026-01-31,85\r\n\
             100236,{COURSE},Registered,,,,,\r\n"
        )
    );
}

#[test]
fn names_of_columns_can_be_set_and_only_those_that_there_are() {
    let headers = BTreeMap::from([("userId".to_owned(), "BrukerID".to_owned())]);
    let (video, one) = row(&course("1", "video", "completed"), u64::MAX, TODAY).unwrap();
    assert!(file(video, &[one], &headers).starts_with("BrukerID,LO ID,"));
    assert!(faults(&headers).is_empty());
    let wrong = BTreeMap::from([("user".to_owned(), "x".to_owned())]);
    assert_eq!(faults(&wrong)[0].field, "user");
    let twice = BTreeMap::from([("learningObjectId".to_owned(), "User ID".to_owned())]);
    assert_eq!(faults(&twice)[0].field, "learningObjectId");
}

#[test]
fn what_no_load_takes_is_refused_by_itself_with_its_field() {
    let mut removed = course("1", "video", "completed");
    removed.action = ChangeAction::Remove;
    let mut elsewhere = course("1", "video", "completed");
    let ChangeAction::Write { fields, .. } = &mut elsewhere.action else {
        panic!("it writes")
    };
    fields.set(
        KIND.position("courseId").unwrap(),
        Some(Value::Text("canary".into())),
    );
    let changes = [
        (course("1", "online_course", "exempt"), None),
        (course("1", "online_course", "withdrawn"), Some("status")),
        (course("1", "instructor_led", "in_progress"), Some("status")),
        (course("1", "instructor_led", "waitlisted"), None),
        (course("1", "curriculum", "exempt"), Some("status")),
        (
            change("1", json!({ "status": "completed" })),
            Some("trainingType"),
        ),
        (
            change(
                "1",
                json!({ "trainingType": "video", "registeredOn": "2026-02-01" }),
            ),
            Some("registeredOn"),
        ),
        (elsewhere, Some("courseId")),
        (removed, None),
    ];
    for (place, (change, field)) in changes.into_iter().enumerate() {
        let end = row(&change, u64::MAX, TODAY);
        let removal = matches!(change.action, ChangeAction::Remove);
        assert_eq!(end.is_err(), field.is_some() || removal, "{place}");
        let refused = end.err();
        assert_eq!(refused.as_ref().and_then(Error::field), field, "{place}");
        assert!(!format!("{refused:?}").contains("canary"));
    }
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(
        member in "[A-Za-z0-9_.-]{1,40}", number in proptest::option::of("[0-9]{1,5}"),
        day in proptest::option::of(0_i32..9_000), score in proptest::option::of("[0-9]{1,3}"),
    ) {
        let on = day.map(|day| jiff::civil::date(2000, 1, 1).saturating_add(jiff::Span::new().days(day)));
        let sent = json!({
            "trainingType": "instructor_led", "status": "waitlisted", "registrationNumber": number, "dueOn": on, "score": score,
        });
        let (training_type, row) = row(&change(&member, sent), u64::MAX, TODAY).unwrap();
        let text = file(training_type, std::slice::from_ref(&row), &BTreeMap::new());
        let profile = profile(training_type, &BTreeMap::new()).unwrap();
        let mut reader = Reader::new(&profile, text.as_bytes()).unwrap();
        let read = reader.read().unwrap().unwrap().unwrap();
        for column in profile.columns() {
            prop_assert_eq!(&read.get(column.name()).unwrap().to_json(), &row[column.name()]);
        }
    }
}
