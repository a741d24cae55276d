//! Transcript loads.

use jiff::SignedDuration;
use tests::cornerstone::load::{Field, LoadKey, LoadReport, TranscriptLoad};
use tests::cornerstone::{Author, Registration, Status, TrainingType};
use uuid::Uuid;

use crate::client::Client;

const HEADER: &str = "Bruker,Kurs,Status,Registrert,Fullført,Frist,Resultat,Merknad,Arkivert,Nummer";

fn load(training_type: TrainingType, key: LoadKey) -> TranscriptLoad {
    let columns = [
        (Field::UserId, "Bruker"),
        (Field::LearningObjectId, "Kurs"),
        (Field::Status, "Status"),
        (Field::RegistrationDate, "Registrert"),
        (Field::CompletionDate, "Fullført"),
        (Field::DueDate, "Frist"),
        (Field::Score, "Resultat"),
        (Field::Comment, "Merknad"),
        (Field::Archived, "Arkivert"),
        (Field::RegistrationNumber, "Nummer"),
    ];
    TranscriptLoad::new(training_type, key, columns)
}

/// Loads rows of which the first cells are given, and the others empty.
fn run(client: &Client, load: &TranscriptLoad, rows: &[&str]) -> LoadReport {
    let columns = HEADER.split(',').count();
    let mut file = HEADER.to_owned();
    for row in rows {
        let given = row.split(',').count();
        file.push('\n');
        file.push_str(row);
        file.push_str(&",".repeat(columns - given));
    }
    client.portal().load_transcripts(load, file.as_bytes()).unwrap()
}

fn online(key: LoadKey) -> TranscriptLoad {
    load(TrainingType::OnlineClass, key)
}

fn line(client: &Client, object: Uuid) -> Registration {
    client.portal().registration("kari", object).unwrap()
}

fn why(report: &LoadReport) -> Vec<(usize, Field)> {
    report
        .errors
        .iter()
        .map(|error| (error.row, error.field))
        .collect()
}

#[tokio::test]
async fn a_row_is_a_registration_that_everybody_sees() {
    let client = Client::new().await;
    let object = client.course();
    let row = format!("kari,{object},Completed,2026-03-01,2026-03-02 12:30 +02:00,2026-04-01,80,Møtte,false");
    let report = run(&client, &online(LoadKey::Latest), &[&row]);
    assert_eq!(
        (
            report.created,
            report.updated,
            report.unchanged,
            report.errors.len()
        ),
        (1, 0, 0, 0)
    );
    let line = line(&client, object);
    assert_eq!(
        (line.status, line.score, line.comment.as_deref()),
        (Status::Completed, Some(80), Some("Møtte"))
    );
    for (at, expected) in [
        (line.registered_at, "2026-03-01T00:00:00Z"),
        (line.completed_at, "2026-03-02T10:30:00Z"),
        (line.due_at, "2026-04-01T23:59:00Z"),
    ] {
        assert_eq!(at.unwrap(), expected.parse().unwrap());
    }
    let details = client
        .transcript(&format!("details?externalId=kari&learningObjectId={object}"))
        .await;
    assert_eq!(
        details.json()["data"]["completedDate"],
        "2026-03-02T10:30:00+0000"
    );
    client.catch_up();
    assert_eq!(
        client.view("vw_rpt_transcript").await.rows()[0]["user_lo_score"],
        80
    );
    assert_eq!(client.portal().writes()[0].by, Author::Load);
}

#[tokio::test]
async fn a_file_that_is_loaded_twice_changes_nothing_the_second_time() {
    let client = Client::new().await;
    let object = client.course();
    let row = format!("kari,{object},Completed,2026-03-01");
    run(&client, &online(LoadKey::Latest), &[&row]);
    let writes = client.portal().writes().len();
    client.simulation.advance(SignedDuration::from_hours(24));
    let report = run(&client, &online(LoadKey::Latest), &[&row]);
    assert_eq!((report.unchanged, report.errors.len()), (1, 0));
    assert_eq!(client.portal().writes().len(), writes);
}

#[tokio::test]
async fn what_the_api_assigned_a_load_completes() {
    let client = Client::new().await;
    let object = client.course();
    client.assign(object).await;
    let before = line(&client, object);
    let report = run(
        &client,
        &online(LoadKey::Latest),
        &[&format!("kari,{object},Completed")],
    );
    assert_eq!(report.updated, 1);
    let after = line(&client, object);
    assert_eq!((after.number, after.registered_at), (1, before.registered_at));
    assert!(after.completed_at.is_some());
}

#[tokio::test]
async fn good_rows_are_kept_and_bad_ones_told_of() {
    let client = Client::new().await;
    let object = client.course();
    let video = client
        .portal()
        .add_learning_object("Film", TrainingType::Video)
        .id;
    let future = "2999-01-01";
    let report = run(
        &client,
        &online(LoadKey::Latest),
        &[
            &format!("nobody,{object},Registered"),
            &format!("kari,{},Registered", Uuid::new_v4()),
            &format!("kari,{video},Registered"),
            &format!("kari,{object},Withdrawn"),
            &format!("kari,{object},Unheard of"),
            &format!("kari,{object},Registered,{future}"),
            &format!("kari,{object},Registered,01.03.2026"),
            &format!("kari,{object},Registered,,,,101"),
            &format!("kari,{object},Registered,,,,,,maybe"),
            &format!(",{object},Registered"),
            &format!("kari,{object},Registered"),
        ],
    );
    let expected = [
        (1, Field::UserId),
        (2, Field::LearningObjectId),
        (3, Field::LearningObjectId),
        (4, Field::Status),
        (5, Field::Status),
        (6, Field::RegistrationDate),
        (7, Field::RegistrationDate),
        (8, Field::Score),
        (9, Field::Archived),
        (10, Field::UserId),
    ];
    assert_eq!(why(&report), expected);
    assert_eq!((report.created, client.portal().registrations().len()), (1, 1));
}

#[tokio::test]
async fn each_type_of_training_takes_its_statuses() {
    let all = [
        "Requested",
        "Approved",
        "Registered",
        "In Progress",
        "Completed",
        "Exempt",
        "Withdrawn",
        "Cancelled",
        "Waitlisted",
        "Incomplete",
        "No Show",
    ];
    for (training_type, taken) in [
        (TrainingType::OnlineClass, "Registered Completed Exempt"),
        (TrainingType::Curriculum, "Registered Completed Exempt"),
        (TrainingType::OnlineContent, "Registered Completed"),
        (TrainingType::ExternalTraining, "Registered Completed Withdrawn"),
        (
            TrainingType::Session,
            "Requested Approved Registered Completed Exempt Withdrawn Cancelled Waitlisted Incomplete No Show",
        ),
    ] {
        let client = Client::new().await;
        client.course();
        let object = client.portal().add_learning_object("Noe", training_type);
        let rows = all.map(|status| format!("kari,{},{status}", object.reference));
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let report = run(&client, &load(training_type, LoadKey::Latest), &rows);
        let refused: Vec<usize> = report.errors.iter().map(|error| error.row - 1).collect();
        let left: Vec<&str> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| !refused.contains(at))
            .map(|(_, status)| *status)
            .collect();
        assert_eq!(left.join(" "), taken, "{training_type:?}");
    }
}

#[tokio::test]
async fn a_number_updates_that_registration_and_never_makes_one() {
    let client = Client::new().await;
    let object = client.course();
    client.portal().enrol("kari", object, Status::Registered);
    client.portal().enrol("kari", object, Status::Registered);
    let key = LoadKey::RegistrationNumber;
    let rows = [
        format!("kari,{object},Completed,,,,,,,1"),
        format!("kari,{object},Completed,,,,,,,3"),
    ];
    let report = run(&client, &online(key), &[&rows[0], &rows[1]]);
    assert_eq!(
        (report.updated, why(&report)),
        (1, vec![(2, Field::RegistrationNumber)])
    );
    let statuses: Vec<Status> = client
        .portal()
        .registrations()
        .iter()
        .map(|line| line.status)
        .collect();
    assert_eq!(statuses, [Status::Completed, Status::Registered]);
}

#[tokio::test]
async fn another_registration_date_is_another_registration_where_the_training_recurs() {
    let client = Client::new().await;
    let object = client.course();
    let rows =
        ["2026-03-01", "2026-03-01", "2026-04-01"].map(|date| format!("kari,{object},Completed,{date}"));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let key = LoadKey::RegistrationDate;
    let report = run(&client, &online(key), &rows);
    assert_eq!(
        (report.created, report.unchanged, why(&report)),
        (1, 1, vec![(3, Field::RegistrationDate)])
    );
    client
        .portal()
        .change_learning_object(object, |object| object.recurs = true);
    assert_eq!(run(&client, &online(key), &rows).created, 1);
    assert_eq!(client.portal().registrations().len(), 2);
}

#[tokio::test]
async fn a_file_that_is_wrong_as_a_whole_changes_nothing() {
    let client = Client::new().await;
    let object = client.course();
    let row = format!("kari,{object},Registered");
    let columns = [
        (Field::UserId, "a"),
        (Field::LearningObjectId, "b"),
        (Field::Status, "c"),
    ];
    let plain = TranscriptLoad::new(TrainingType::OnlineClass, LoadKey::Latest, columns);
    let short = TranscriptLoad::new(TrainingType::OnlineClass, LoadKey::Latest, [(Field::UserId, "a")]);
    let unnumbered = TranscriptLoad {
        key: LoadKey::RegistrationNumber,
        ..plain.clone()
    };
    let wide = |columns: usize| {
        (3..columns).fold("a,b,c".to_owned(), |header, column| format!("{header},x{column}"))
    };
    let file = |header: &str, rows: &str| format!("{header}\n{rows}").into_bytes();
    let latin = [b"a,b,c\n".as_slice(), b"k\xe5re,x,y"].concat();
    for (load, file) in [
        (&plain, file("a,b,d", &row)),
        (&short, file("a,b,c", &row)),
        (&unnumbered, file("a,b,c", &row)),
        (&plain, file(&wide(151), "")),
        (
            &TranscriptLoad {
                manual: true,
                ..plain.clone()
            },
            file(&wide(301), ""),
        ),
        (&plain, file("a,b,c", &format!("{row}\nkari,short"))),
        (&plain, file("a,b,c", &"k,l,m\n".repeat(1_000_001))),
        (&plain, latin),
    ] {
        let refused = client.portal().load_transcripts(load, &file).unwrap_err();
        assert!(!refused.is_empty());
        assert!(client.portal().registrations().is_empty(), "{refused}");
    }
    for (load, columns) in [
        (&plain, 150),
        (
            &TranscriptLoad {
                manual: true,
                ..plain.clone()
            },
            300,
        ),
    ] {
        let header = wide(columns);
        client
            .portal()
            .load_transcripts(load, &file(&header, ""))
            .unwrap();
    }
}

#[tokio::test]
async fn a_norwegian_file_is_read_as_it_is_configured() {
    let client = Client::new().await;
    let object = client.course();
    let columns = [
        (Field::UserId, "Bruker"),
        (Field::LearningObjectId, "Kurs"),
        (Field::Status, "Status"),
        (Field::CompletionDate, "Dato"),
    ];
    let mut load = TranscriptLoad::new(TrainingType::OnlineClass, LoadKey::Latest, columns);
    load.delimiter = b';';
    load.date_format = "%d.%m.%Y".to_owned();
    let file = format!("\u{feff}Bruker;Kurs;Status;Dato\r\nkari;{object};Completed;17.02.2026\r\n");
    let report = client.portal().load_transcripts(&load, file.as_bytes()).unwrap();
    assert_eq!((report.created, report.errors), (1, vec![]));
    assert_eq!(
        line(&client, object).completed_at,
        Some("2026-02-17T00:00:00Z".parse().unwrap())
    );
}
