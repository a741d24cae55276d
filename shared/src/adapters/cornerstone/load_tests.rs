use proptest::prelude::*;

use super::*;
use crate::csv::Reader;

const COURSE: &str = "1c8c4d2e-0a5b-4c3d-9e8f-102938475610";
const TODAY: Date = jiff::civil::date(2026, 1, 31);

fn change(member: &str, mut fields: Json) -> Change {
    fields["memberId"] = member.into();
    fields["courseId"] = COURSE.into();
    let fields = Fields::from_json(KIND, fields.as_object().unwrap()).unwrap();
    Change {
        key: "1".parse().unwrap(),
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

fn file(load: &Load, headers: &BTreeMap<String, String>) -> String {
    let profile = profile(load.training_type, headers).unwrap();
    let (file, totals) = write(load, &profile, Vec::new()).unwrap();
    assert_eq!(totals.rows, load.rows.len() as u64);
    String::from_utf8(file).unwrap()
}

fn read_back(text: &str, training_type: &str) -> Vec<LoadRow> {
    let profile = profile(training_type, &BTreeMap::new()).unwrap();
    let mut reader = Reader::new(&profile, text.as_bytes()).unwrap();
    let mut rows = Vec::new();
    while let Some(row) = reader.read().unwrap() {
        rows.push(LoadRow::read(&row.unwrap()).unwrap());
    }
    reader.finish().unwrap();
    rows
}

#[test]
fn changes_become_a_file_for_each_type_of_training() {
    let whole = json!({
        "trainingType": "online_course", "status": "completed", "registeredOn": "2026-01-15", "dueOn": "2026-03-01",
        "completedOn": "2026-01-31", "score": "85", "registrationNumber": "2", "courseTitle": "Førstehjelp",
    });
    let changes = [
        change("100234", whole),
        course("100235", "instructor_led", "no_show"),
        course("100236", "online_course", "registered"),
    ];
    let (loads, refused) = loads(&changes, TODAY);
    assert!(refused.is_empty(), "{refused:?}");
    let [led, online] = loads.as_slice() else {
        panic!("{loads:?}")
    };
    let header =
        "User ID,LO ID,Status,Registration Number,Registration Date,Due Date,Completion Date,Score\r\n";
    let none = BTreeMap::new();
    assert_eq!(
        file(led, &none),
        format!("{header}100235,{COURSE},No Show,,,,,\r\n")
    );
    assert_eq!(
        file(online, &none),
        format!(
            "{header}100234,{COURSE},Completed,2,2026-01-15,2026-03-01,2026-01-31,85\r\n\
             100236,{COURSE},Registered,,,,,\r\n"
        )
    );
    let (id, fields) = read_back(&file(online, &none), "online_course")[0].enrollment("online_course");
    assert_eq!(&*id, format!("100234.{COURSE}"));
    let ChangeAction::Write { fields: sent, .. } = &changes[0].action else {
        panic!("it writes")
    };
    let title = 1 << KIND.position("courseTitle").unwrap();
    let mut sent = sent.clone();
    sent.take(&Fields::new(KIND), title);
    assert_eq!(fields, sent);
}

#[test]
fn names_of_columns_can_be_set_and_only_those_that_there_are() {
    let headers = BTreeMap::from([("userId".to_owned(), "BrukerID".to_owned())]);
    let (loads, _) = loads(&[course("1", "video", "completed")], TODAY);
    assert!(file(&loads[0], &headers).starts_with("BrukerID,LO ID,"));
    let wrong = BTreeMap::from([("user".to_owned(), "x".to_owned())]);
    assert_eq!(profile("video", &wrong).unwrap_err()[0].field, "headers.user");
    let twice = BTreeMap::from([("userId".to_owned(), "LO ID".to_owned())]);
    assert!(profile("video", &twice).is_err());
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
    let expected: Vec<(usize, &str)> = changes
        .iter()
        .enumerate()
        .filter_map(|(place, (_, field))| Some((place, (*field)?)))
        .collect();
    let sent: Vec<Change> = changes.into_iter().map(|(change, _)| change).collect();
    let (loads, refused) = loads(&sent, TODAY);
    let fields: Vec<(usize, &str)> = refused
        .iter()
        .filter_map(|(place, error)| Some((*place, error.field()?)))
        .collect();
    assert_eq!(fields, expected);
    assert_eq!(refused.len(), expected.len() + 1, "a removal has no field");
    assert_eq!(loads.iter().map(|load| load.rows.len()).sum::<usize>(), 2);
    assert!(!format!("{refused:?}").contains("canary"));
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(
        member in "[ -~åæøÅÆØ]{1,40}", status in 0..STATUSES.len(), number in proptest::option::of("[0-9]{1,5}"),
        day in proptest::option::of(0_i32..9_000), score in proptest::option::of("[0-9]{1,3}"),
    ) {
        let on = day.map(|day| jiff::civil::date(2000, 1, 1).saturating_add(jiff::Span::new().days(day)));
        let row = LoadRow {
            user: member.into(),
            course: COURSE.into(),
            status: STATUSES[status].0,
            registration_number: number.map(Into::into),
            registered_on: on,
            due_on: on,
            completed_on: on,
            score: score.map(Into::into),
        };
        let load = Load { training_type: "instructor_led", rows: vec![row] };
        prop_assert_eq!(read_back(&file(&load, &BTreeMap::new()), "instructor_led"), load.rows);
    }
}
