//! An API that is gone for hours: changes go out as transcript loads, uploads come in, and nothing goes both ways.

use shared::csv::Profile;
use shared::objects::sha256;
use shared::transfer::{self, Announcement, File, FileDecision, FileState, FileVerdict};
use tests::cornerstone::Outage;
use tests::cornerstone::load::{Field, LoadKey, LoadReport, TranscriptLoad};

use super::*;
use crate::pair::Side as _;

const COLUMNS: [(Field, &str); 8] = [
    (Field::UserId, "User ID"),
    (Field::LearningObjectId, "LO ID"),
    (Field::Status, "Status"),
    (Field::RegistrationNumber, "Registration Number"),
    (Field::RegistrationDate, "Registration Date"),
    (Field::DueDate, "Due Date"),
    (Field::CompletionDate, "Completion Date"),
    (Field::Score, "Score"),
];

/// A user who is registered for a course, on both sides.
async fn registered() -> (Pair, Record) {
    let pair = Pair::new().await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.world.portal().enrol(&users[0], course, Status::Registered);
    pair.world.settle();
    pair.sync().await;
    pair.equal().await;
    let record = pair.enrollment(&users[0], course).await;
    (pair, record)
}

impl Pair {
    fn down(&self) {
        self.world.portal().set_outage(Outage::All);
    }

    fn up(&self) {
        self.world.portal().set_outage(Outage::None);
    }

    /// Begins a run, and lets it try for so long.
    async fn try_for(&self, minutes: i64) -> Run {
        let run = self.open(Mode::Delta).await;
        for _ in 0..minutes {
            self.deliver().await;
            self.wait(1).await;
        }
        self.now(&run).await
    }

    /// Returns the files that go out, the oldest first, once all that collect are closed.
    async fn files(&self) -> Vec<File> {
        self.wait(61).await;
        let (mut files, _) = transfer::list_files(self.store(), &self.id(), None, 100)
            .await
            .unwrap();
        files.retain(|file| file.announced.is_none());
        files.reverse();
        files
    }

    async fn only_file(&self) -> File {
        let files = self.files().await;
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    async fn decide(&self, file: &File, decision: FileDecision) {
        let verdict = FileVerdict {
            decision,
            reason: &"tried".parse().unwrap(),
            by: "tests",
            now: self.world.simulation.now(),
        };
        transfer::decide(self.store(), &self.id(), &file.id, &verdict)
            .await
            .unwrap();
        self.wait(1).await;
    }

    /// Imports a file as a human does, with the load that is set up for its type of training.
    async fn import(&self, file: &File, training_type: TrainingType) -> LoadReport {
        let now = self.world.simulation.now();
        let link = transfer::download(&*self.objects, file, now)
            .await
            .unwrap()
            .unwrap();
        let bytes = self.objects.follow(&link, now).unwrap();
        let load = TranscriptLoad::new(training_type, LoadKey::Latest, COLUMNS);
        self.world.portal().load_transcripts(&load, &bytes).unwrap()
    }

    /// Uploads what somebody exported from the portal.
    async fn upload(&self, text: &str) -> File {
        let column = |name: &str, header: &str| json!({ "name": name, "header": header, "type": "text" });
        let profile = json!({
            "dialect": { "audience": "people" },
            "columns": [column("memberId", "Bruker"), column("courseId", "Kurs"), column("status", "Status")],
        });
        let (now, bytes) = (self.world.simulation.now(), text.to_owned().into_bytes());
        let announcement = Announcement {
            purpose: &"course-enrollments".parse().unwrap(),
            profile: &shared::adapters::upload_profile(
                &self.world.integration(),
                &"course-enrollments".parse().unwrap(),
                Some(&profile),
            )
            .unwrap(),
            complete: false,
            bytes: bytes.len() as u64,
            sha256: &sha256(&bytes),
        };
        let (store, objects) = (self.store(), &*self.objects);
        let announced = transfer::announce(store, objects, &self.id(), &announcement, "tests", now).await;
        let (file, link) = announced.unwrap();
        let content_type = Profile::check(&profile).unwrap().content_type();
        assert!(objects.upload(&link, &content_type, bytes.into(), now));
        transfer::accept(store, objects, &self.id(), &file.id, "tests", now)
            .await
            .unwrap()
    }
}

#[tokio::test]
async fn one_failure_or_ten_minutes_of_them_put_nothing_into_a_file() {
    let (pair, record) = registered().await;
    pair.edit(&record, "status", "in_progress").await;
    pair.down();
    let run = pair.try_for(10).await;
    assert!(run.finished_at.is_none(), "{run:?}");
    assert!(pair.files().await.is_empty());
    pair.up();
    let run = pair.finish(&run).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    pair.equal().await;
}

#[tokio::test]
async fn what_changes_while_the_api_is_gone_goes_out_by_a_load_and_not_once_more_when_it_is_back() {
    let (pair, record) = registered().await;
    let online = pair.world.course().id;
    let session = pair.session();
    let member = said(&record, "memberId").as_str().unwrap().to_owned();
    pair.down();
    pair.edit(&record, "status", "completed").await;
    let new = json!({ "status": "registered", "trainingType": "online_course" });
    pair.enrol_here(&member, online, &new).await;
    let led = json!({ "status": "waitlisted", "trainingType": "instructor_led" });
    pair.enrol_here(&member, session, &led).await;
    let run = pair.try_for(60).await;
    assert_eq!(totals(&run).handed_over, 3, "{run:?}");
    let mut files = pair.files().await;
    files.sort_by(|one, other| one.purpose.cmp(&other.purpose));
    let shown: Vec<_> = files
        .iter()
        .map(|file| (file.purpose.as_str(), file.state, file.rows))
        .collect();
    let ready = FileState::Ready;
    assert_eq!(
        shown,
        [
            ("transcripts:instructor_led", ready, 1),
            ("transcripts:online_course", ready, 2)
        ]
    );
    assert!(files.iter().all(|file| file.sha256.is_some()));
    // The API is back before anybody has imported anything.
    pair.up();
    let run = pair.finish(&run).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    for mode in [Mode::Delta, Mode::Full, Mode::Retry] {
        pair.run(mode).await;
    }
    assert_eq!(pair.world.portal().api_writes(), 0, "the files have it all");
    assert_eq!(pair.files().await.len(), 2);
    let report = pair.import(&files[0], TrainingType::Session).await;
    assert_eq!((report.created, report.errors.len()), (1, 0), "{report:?}");
    let report = pair.import(&files[1], TrainingType::OnlineClass).await;
    assert_eq!(
        (report.created, report.updated, report.errors.len()),
        (1, 1, 0),
        "{report:?}"
    );
    for file in &files {
        pair.decide(file, FileDecision::Imported).await;
    }
    pair.world.settle();
    for mode in [Mode::Delta, Mode::Full] {
        let run = pair.run(mode).await;
        assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    }
    pair.equal().await;
    assert_eq!(pair.world.portal().api_writes(), 0);
    assert_eq!(pair.world.portal().registrations().len(), 3);
    assert_eq!(pair.files().await.len(), 2);
}

#[tokio::test]
async fn a_later_change_waits_until_somebody_says_what_became_of_the_file() {
    let (pair, record) = registered().await;
    pair.down();
    pair.edit(&record, "status", "completed").await;
    let run = pair.try_for(60).await;
    let file = pair.only_file().await;
    pair.up();
    pair.finish(&run).await;
    // The API alone can carry it.
    pair.edit(&record, "status", "in_progress").await;
    let run = pair.sync().await;
    assert_eq!(
        (run.state, totals(&run).waiting),
        (RunState::Partial, 1),
        "{run:?}"
    );
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains(file.id.as_str())),
        "{run:?}"
    );
    assert_eq!(pair.world.portal().api_writes(), 0);
    pair.decide(&file, FileDecision::Discarded).await;
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    pair.equal().await;
    assert_eq!(pair.files().await.len(), 1, "the API has told it");
}

#[tokio::test]
async fn what_was_in_a_discarded_file_goes_to_the_api_once_it_is_back() {
    let (pair, record) = registered().await;
    pair.down();
    pair.edit(&record, "status", "completed").await;
    let run = pair.try_for(60).await;
    let file = pair.only_file().await;
    pair.up();
    pair.finish(&run).await;
    pair.decide(&file, FileDecision::Discarded).await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    pair.equal().await;
    pair.world.settle();
    pair.run(Mode::Full).await;
    assert_eq!(pair.world.portal().api_writes(), 1);
}

#[tokio::test]
async fn what_the_portal_did_not_take_of_an_imported_file_goes_to_the_api() {
    let (pair, record) = registered().await;
    pair.down();
    pair.edit(&record, "status", "completed").await;
    let run = pair.try_for(60).await;
    let file = pair.only_file().await;
    pair.up();
    pair.finish(&run).await;
    // Somebody says so, and it is not so.
    pair.decide(&file, FileDecision::Imported).await;
    pair.world.settle();
    pair.run(Mode::Full).await;
    pair.equal().await;
    assert_eq!(pair.files().await.len(), 1);
}

#[tokio::test]
async fn a_change_that_no_load_carries_waits_for_the_api() {
    let (pair, record) = registered().await;
    pair.down();
    pair.edit(&record, "status", "in_progress").await;
    let run = pair.try_for(60).await;
    assert!(totals(&run).waiting > 0, "{run:?}");
    assert!(
        run.warnings.iter().any(|warning| warning.contains("status")),
        "{run:?}"
    );
    assert!(pair.files().await.is_empty());
    pair.up();
    let run = pair.finish(&run).await;
    assert_eq!(totals(&run).push_refused, 0, "{run:?}");
    pair.sync().await;
    pair.equal().await;
}

#[tokio::test]
async fn only_writing_is_down_and_the_changes_of_a_run_that_has_read_go_out_by_file() {
    let (pair, record) = registered().await;
    pair.world
        .portal()
        .set_outage(Outage::of(tests::cornerstone::Resource::Transcripts));
    pair.edit(&record, "status", "completed").await;
    let run = pair.try_for(60).await;
    assert_eq!(
        (run.state, totals(&run).handed_over),
        (RunState::Succeeded, 1),
        "{run:?}"
    );
    assert_eq!(pair.only_file().await.rows, 1);
}

#[tokio::test]
async fn an_upload_is_taken_while_the_api_is_gone_and_put_aside_when_it_is_back() {
    let (pair, record) = registered().await;
    let (member, course) = (said(&record, "memberId"), said(&record, "courseId"));
    let (member, course) = (member.as_str().unwrap(), course.as_str().unwrap());
    pair.world
        .portal()
        .advance(member, course.parse().unwrap(), Status::Completed);
    pair.down();
    let head = "\u{feff}Bruker;Kurs;Status\r\n";
    let file = pair
        .upload(&format!("{head}{member};{course};Completed\r\n"))
        .await;
    assert_eq!(file.state, FileState::Accepted, "{file:?}");
    let run = pair.try_for(60).await;
    let now = pair.enrollment(member, course.parse().unwrap()).await;
    assert_eq!(said(&now, "status"), "completed");
    assert!(run.finished_at.is_none(), "the API is waited for");
    pair.up();
    pair.world.settle();
    let late = pair
        .upload(&format!("{head}{member};{course};Registered\r\n"))
        .await;
    let run = pair.finish(&run).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    pair.equal().await;
    let [file, late] = [file, late].map(|file| file.id);
    let file = transfer::read_file(pair.store(), &pair.id(), &file)
        .await
        .unwrap();
    assert_eq!(file.state, FileState::Done);
    let late = transfer::read_file(pair.store(), &pair.id(), &late)
        .await
        .unwrap();
    assert_eq!(late.state, FileState::Discarded);
    assert_eq!(late.decided.unwrap().by.as_ref(), "cornerstone");
}

#[tokio::test]
async fn a_row_of_an_upload_that_names_nobody_holds_up_no_run_when_the_api_is_back() {
    let (pair, _) = registered().await;
    pair.down();
    pair.upload("\u{feff}Bruker;Kurs;Status\r\n100001;somewhere;Completed\r\n")
        .await;
    let run = pair.try_for(60).await;
    assert_eq!(pair.quarantine().await.len(), 1);
    pair.up();
    pair.finish(&run).await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    assert!(pair.quarantine().await.is_empty());
    pair.equal().await;
}

#[tokio::test]
async fn what_is_taken_back_while_its_file_waits_is_taken_back_there_too() {
    let (pair, record) = registered().await;
    pair.down();
    pair.edit(&record, "status", "completed").await;
    let run = pair.try_for(60).await;
    let file = pair.only_file().await;
    pair.up();
    pair.finish(&run).await;
    pair.edit(&record, "dueOn", "2027-01-31").await;
    pair.edit(&record, "status", "registered").await;
    pair.run(Mode::Full).await;
    assert_eq!(pair.world.portal().api_writes(), 0);
    pair.decide(&file, FileDecision::Discarded).await;
    pair.sync().await;
    pair.equal().await;
    let now = pair
        .enrollment(
            said(&record, "memberId").as_str().unwrap(),
            said(&record, "courseId").as_str().unwrap().parse().unwrap(),
        )
        .await;
    assert_eq!(said(&now, "status"), "registered");
}

#[tokio::test]
async fn files_alone_need_no_api_and_no_credentials() {
    let mut world = World::new().await;
    world.settings["files"] = json!({ "when": "always", "headers": { "userId": "Brukernavn" } });
    let pair = Pair::with(world, |_| {}).await;
    pair.down();
    let (users, course) = (pair.people(2).await, pair.world.course().id);
    let head = "\u{feff}Bruker;Kurs;Status\r\n";
    let row = |user: &str, status: &str| format!("{user};{course};{status}\r\n");
    let uploaded = pair
        .upload(&format!("{head}{}", row(&users[0], "In Progress")))
        .await;
    let new = json!({ "status": "registered", "trainingType": "online_course" });
    pair.enrol_here(&users[1], course, &new).await;
    let run = pair.sync().await;
    assert_eq!(
        (run.state, totals(&run).created),
        (RunState::Succeeded, 1),
        "{run:?}"
    );
    assert_eq!(
        (totals(&run).handed_over, pair.world.requests()),
        (1, 0),
        "{run:?}"
    );
    let taken = transfer::read_file(pair.store(), &pair.id(), &uploaded.id)
        .await
        .unwrap();
    assert_eq!(taken.state, FileState::Done);
    let file = pair.only_file().await;
    let now = pair.world.simulation.now();
    let link = transfer::download(&*pair.objects, &file, now)
        .await
        .unwrap()
        .unwrap();
    let text = String::from_utf8(pair.objects.follow(&link, now).unwrap().to_vec()).unwrap();
    assert!(text.starts_with("Brukernavn,LO ID,Status"), "{text}");
    assert_eq!(text.lines().count(), 2);
    assert!(!file.name.unwrap().contains(&users[1]));
    pair.run(Mode::Full).await;
    assert_eq!(pair.files().await.len(), 1);
}

#[tokio::test]
async fn never_means_that_changes_wait_for_the_api_however_long() {
    let mut world = World::new().await;
    world.settings["files"] = json!({ "when": "never" });
    let pair = Pair::with(world, |_| {}).await;
    let (users, course) = (pair.people(1).await, pair.world.course().id);
    pair.sync().await;
    pair.down();
    let new = json!({ "status": "registered", "trainingType": "online_course" });
    pair.enrol_here(&users[0], course, &new).await;
    pair.try_for(90).await;
    assert!(pair.files().await.is_empty());
}
