//! Whole runs, engine and adapter together: what becomes of records when the other side is not as it should be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::{Value, json};
use shared::adapter::Adapter;
use shared::clock::Clock;
use shared::flow::work::{Connect, Worker, slice};
use shared::flow::{Attempt, Ports, reconcile, stop, trigger};
use shared::integration::{self, ConflictRule, Direction, Integration, Precondition, integration_key};
use shared::model::{Fields, Group, Kind, Record, RecordId, System};
use shared::publish::MemoryPublish;
use shared::queue::MemoryQueue;
use shared::records::{self, Wish};
use shared::store::{Content, Expect, MemoryStore, Store, Write};
use shared::sync::quarantine::{self, Quarantined};
use shared::sync::review::{self, Decision, Review};
use shared::sync::{Mode, Run, RunRequest, RunState, Totals, Trigger, read_run};
use tests::dataverse::Privilege;
use tests::dataverse::faults::{Fault, FaultRule};
use tests::dataverse::limits::Limit;
use uuid::Uuid;

use super::world::{SimulationClock, World};

/// An organization, its Dynamics 365, and the engine between them.
struct Pair {
    world: Arc<World>,
    worker: Worker,
    queue: Arc<MemoryQueue>,
}

/// Sets adapters up as functions do, each in a process of its own and with the settings that there are by then.
struct Connections(Arc<World>);

impl std::fmt::Debug for Connections {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connections")
    }
}

#[async_trait]
impl Connect for Connections {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        self.0.adapter_anew(integration)
    }
}

impl Pair {
    /// Connects a Dynamics 365 with some contacts.
    async fn new(contacts: usize) -> Self {
        Self::with(World::new(contacts).await, |_| {}).await
    }

    async fn with(world: World, change: impl FnOnce(&mut Integration)) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SimulationClock(Arc::clone(&world.simulation)));
        let queue = Arc::new(MemoryQueue::new(Arc::clone(&clock)));
        let world = Arc::new(world);
        let worker = Worker {
            ports: Ports {
                store: Arc::new(MemoryStore::new()),
                queue: Arc::<MemoryQueue>::clone(&queue),
                clock,
            },
            publish: Arc::new(MemoryPublish::new()),
            connect: Arc::new(Connections(Arc::clone(&world))),
        };
        let pair = Self { world, worker, queue };
        let mut integration = pair.world.integration("hlf");
        change(&mut integration);
        pair.keep(&integration, Expect::Absent).await;
        pair
    }

    async fn keep(&self, integration: &Integration, expect: Expect) {
        let row = Write::put(integration_key(&integration.id), expect, Content::of(integration));
        self.store().write(vec![row]).await.unwrap();
    }

    /// Changes the settings, as somebody does who puts the integration anew.
    async fn reconfigure(&self, change: impl FnOnce(&mut Integration)) {
        let stored = integration::read(self.store(), &self.id())
            .await
            .unwrap()
            .unwrap();
        let mut integration = stored.integration;
        change(&mut integration);
        integration.mapping_version += 1;
        self.keep(&integration, Expect::Version(stored.version)).await;
    }

    fn store(&self) -> &dyn Store {
        &*self.worker.ports.store
    }

    fn id(&self) -> shared::model::IntegrationId {
        self.world.integration("hlf").id
    }

    fn request(&self, mode: Mode) -> RunRequest {
        RunRequest {
            integration: self.id(),
            mode,
            dry_run: false,
            trigger: Trigger::Api,
            requested_by: "tests".to_owned(),
        }
    }

    /// Starts a run, and works its first slice.
    async fn begin(&self) -> Run {
        let run = trigger(&self.worker.ports, self.request(Mode::Delta), Attempt::default())
            .await
            .unwrap();
        self.deliver().await;
        read_run(self.store(), &run.integration, &run.id).await.unwrap()
    }

    /// Works the slices that are on the queue.
    async fn deliver(&self) {
        while let Some(received) = self.queue.receive(System::Dynamics365) {
            let message = serde_json::from_str(&received.message.body).unwrap();
            drop(slice(&self.worker, &message).await);
            self.queue.ack(&received);
        }
    }

    /// Runs to the end, whatever it takes; a run that has not ended after a day is returned as it is.
    async fn run(&self, mode: Mode) -> Run {
        let run = trigger(&self.worker.ports, self.request(mode), Attempt::default())
            .await
            .unwrap();
        self.finish(&run).await
    }

    async fn finish(&self, run: &Run) -> Run {
        for _ in 0..100 {
            self.deliver().await;
            let run = read_run(self.store(), &run.integration, &run.id).await.unwrap();
            if run.finished_at.is_some() {
                return run;
            }
            self.world.simulation.advance(SignedDuration::from_mins(15));
            reconcile::sweep(&self.worker.ports, &self.worker.publish)
                .await
                .unwrap();
        }
        read_run(self.store(), &run.integration, &run.id).await.unwrap()
    }

    async fn sync(&self) -> Run {
        self.run(Mode::Delta).await
    }

    async fn records(&self, kind: Kind) -> Vec<Record> {
        let organization = self.id().organization;
        let page = records::list(self.store(), &organization, kind, None, 1_000)
            .await
            .unwrap();
        let records = page.records.into_iter().map(|stored| stored.record);
        records.filter(Record::is_live).collect()
    }

    async fn members(&self) -> Vec<Record> {
        self.records(Kind::Member).await
    }

    async fn put(&self, kind: Kind, id: &str, fields: Value) {
        let wish = Wish {
            id: id.parse().unwrap(),
            fields: Fields::from_json(kind, fields.as_object().unwrap()).unwrap(),
        };
        let organization = self.id().organization;
        records::put(&self.worker.ports, &organization, &wish, Precondition::None)
            .await
            .unwrap();
    }

    /// Changes one field of a record, and leaves the others.
    async fn edit(&self, record: &Record, field: &str, value: &str) {
        let mut fields = json!(record.fields);
        fields[field] = json!(value);
        self.put(record.fields.kind(), record.id.as_str(), fields).await;
    }

    async fn delete(&self, kind: Kind, id: &RecordId) {
        let organization = self.id().organization;
        records::delete(&self.worker.ports, &organization, kind, id, Precondition::None)
            .await
            .unwrap();
    }

    async fn quarantine(&self) -> Vec<Quarantined> {
        quarantine::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }

    async fn reviews(&self) -> Vec<Review> {
        review::list(self.store(), &self.id(), None, 1_000)
            .await
            .unwrap()
            .0
    }

    async fn decide(&self, review: &Review, decision: Decision) -> Option<Run> {
        let request = self.request(Mode::Approved);
        let now = self.worker.ports.now();
        let run = review::decide(self.store(), request, &review.id(), decision, None, now)
            .await
            .unwrap()?;
        self.world.simulation.advance(SignedDuration::from_mins(15));
        reconcile::sweep(&self.worker.ports, &self.worker.publish)
            .await
            .unwrap();
        Some(self.finish(&run).await)
    }

    /// Has humans delete some contacts.
    fn delete_there(&self, count: usize) {
        for row in self.contacts().iter().take(count) {
            let id = guid(row, "contactid");
            self.world.simulation.delete_as_human("contacts", id);
        }
    }

    fn contacts(&self) -> Vec<Value> {
        self.world.simulation.rows("contacts")
    }

    fn contact(&self, record: &Record) -> Value {
        let id = record.links[&System::Dynamics365].parse().unwrap();
        self.world.simulation.row("contacts", id).unwrap()
    }
}

fn said(record: &Record, field: &str) -> Value {
    json!(record.fields)[field].clone()
}

fn totals(run: &Run, kind: Kind) -> Totals {
    run.totals.get(&kind).copied().unwrap_or_default()
}

fn guid(row: &Value, column: &str) -> Uuid {
    row[column].as_str().unwrap().parse().unwrap()
}

// Deletions

#[tokio::test]
async fn a_listing_that_leaves_rows_out_deletes_none_of_them() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    for count in [10, 30, 99, 100] {
        let fault = FaultRule::always(Fault::DropRows { count });
        pair.world.inject(fault.at("/api/data/v9.2/contacts?"));
        let run = pair.run(Mode::Full).await;
        pair.world.simulation.clear_faults();
        assert_eq!(totals(&run, Kind::Member).removed, 0, "{count} left out");
        assert_eq!(pair.members().await.len(), 100, "{count} left out");
    }
}

#[tokio::test]
async fn a_listing_that_is_broken_in_any_way_deletes_nothing() {
    let mut world = World::new(60).await;
    world.settings["pageSize"] = json!(20);
    let pair = Pair::with(world, |_| {}).await;
    pair.sync().await;
    for fault in [
        Fault::EmptyPage,
        Fault::NoLinks,
        Fault::TruncatedJson,
        Fault::TruncatedBody,
        Fault::ErrorInBody,
        Fault::Html,
        Fault::ResetAfter,
    ] {
        for page in 0..3 {
            let rule = FaultRule::once(fault.clone());
            pair.world.inject(rule.at("/api/data/v9.2/contacts?").after(page));
            let run = pair.run(Mode::Full).await;
            pair.world.simulation.clear_faults();
            assert_eq!(totals(&run, Kind::Member).removed, 0, "{fault:?} {page}");
            assert_eq!(pair.members().await.len(), 60, "{fault:?} {page}");
        }
    }
}

#[tokio::test]
async fn more_deletions_than_the_guard_allows_wait_until_a_human_approves_them() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    pair.delete_there(30);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial);
    assert_eq!(pair.members().await.len(), 100);
    let reviews = pair.reviews().await;
    let [review] = reviews.as_slice() else {
        panic!("{reviews:?}")
    };
    let run = pair.decide(review, Decision::Approve).await.unwrap();
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(pair.members().await.len(), 70);
    assert_eq!(pair.reviews().await, []);
}

#[tokio::test]
async fn rejected_deletions_leave_the_records_where_they_are() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    pair.delete_there(30);
    pair.sync().await;
    let reviews = pair.reviews().await;
    assert_eq!(pair.decide(&reviews[0], Decision::Reject).await, None);
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).removed, 0);
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn the_guard_counts_what_is_left_and_not_what_once_was() {
    let pair = Pair::new(400).await;
    pair.sync().await;
    pair.delete_there(300);
    pair.sync().await;
    let reviews = pair.reviews().await;
    pair.decide(&reviews[0], Decision::Approve).await;
    assert_eq!(pair.members().await.len(), 100);
    pair.delete_there(30);
    assert_eq!(pair.sync().await.state, RunState::Partial);
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn hundreds_of_approved_deletions_are_made_a_list_at_a_time() {
    let pair = Pair::new(1_300).await;
    pair.sync().await;
    pair.delete_there(1_200);
    pair.run(Mode::Full).await;
    let reviews = pair.reviews().await;
    let run = pair.decide(&reviews[0], Decision::Approve).await.unwrap();
    assert_eq!(totals(&run, Kind::Member).removed, 1_200);
}

#[tokio::test]
async fn a_member_that_was_deleted_here_stays_deleted_though_its_row_is_only_put_out_of_use() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let gone = pair.members().await.remove(0);
    pair.delete(Kind::Member, &gone.id).await;
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).pushed_removed, 1);
    assert_eq!(pair.contact(&gone)["statecode"], 1);
    pair.world.simulation.edit_as_human(
        "contacts",
        gone.links[&System::Dynamics365].parse().unwrap(),
        &json!({ "statecode": 0 }),
    );
    for mode in [Mode::Delta, Mode::Full, Mode::Delta] {
        assert_eq!(pair.run(mode).await.state, RunState::Succeeded);
        let members = pair.members().await;
        assert!(!members.iter().any(|member| member.id == gone.id), "{mode:?}");
    }
}

#[tokio::test]
async fn a_member_that_is_wanted_again_brings_its_row_back() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let gone = pair.members().await.remove(0);
    pair.delete(Kind::Member, &gone.id).await;
    pair.sync().await;
    pair.put(
        Kind::Member,
        gone.id.as_str(),
        json!({ "lastName": "Igjen", "active": true }),
    )
    .await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let row = pair.contact(&gone);
    assert_eq!(
        (&row["lastname"], &row["statecode"]),
        (&json!("Igjen"), &json!(0))
    );
    assert_eq!(pair.contacts().len(), 5);
}

#[tokio::test]
async fn a_row_that_is_hidden_is_no_row_that_is_gone() {
    let pair = Pair::new(100).await;
    pair.sync().await;
    let fault = FaultRule::always(Fault::DropRows { count: 5 });
    pair.world.inject(fault.at("/api/data/v9.2/contacts?"));
    pair.world
        .inject(FaultRule::always(Fault::DeniedPart { index: 0 }).at("$batch"));
    let run = pair.run(Mode::Full).await;
    assert_ne!(run.state, RunState::Failed, "{run:?}");
    assert_eq!(pair.members().await.len(), 100);
}

#[tokio::test]
async fn a_merged_contact_goes_once_and_says_into_whom() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let members = pair.members().await;
    let [loser, master] = [0, 1].map(|at: usize| &members[at]);
    let row = |member: &Record| member.links[&System::Dynamics365].parse().unwrap();
    pair.world.simulation.merge_as_human(row(loser), row(master));
    let run = pair.run(Mode::Full).await;
    let Totals {
        deleted,
        absent,
        removed,
        ..
    } = totals(&run, Kind::Member);
    assert_eq!((deleted, absent, removed), (1, 0, 1));
    let organization = pair.id().organization;
    let key = records::record_key(&organization, Kind::Member, &loser.id);
    let row = pair.store().get(&[key]).await.unwrap().remove(0).unwrap();
    let gone = Record::from_row(Kind::Member, &row).unwrap();
    assert_eq!(gone.merged_into.as_ref(), Some(&master.id));
}

#[tokio::test]
async fn a_row_that_was_given_another_key_waits_and_its_record_stays_as_it_is() {
    let pair = Pair::new(5).await;
    pair.sync().await;
    let before = pair.members().await;
    let external = |member: &Record| member.links[&System::Dynamics365].to_string();
    let keyed = before
        .iter()
        .find(|member| external(member) != member.id.as_str())
        .unwrap();
    let row = external(keyed).parse().unwrap();
    let changes = json!({ "hlf_memberno": "987654", "lastname": "Annen" });
    pair.world.simulation.edit_as_human("contacts", row, &changes);
    assert_eq!(pair.sync().await.state, RunState::Partial);
    let waiting = pair.quarantine().await;
    assert_eq!((waiting.len(), waiting[0].field.as_str()), (1, "key"));
    assert_eq!(pair.members().await, before);
}

// The field map

#[tokio::test]
async fn a_column_that_vanished_empties_no_field_and_is_read_again_once_it_is_back() {
    let pair = Pair::new(20).await;
    pair.sync().await;
    let before = pair.members().await;
    let fault = FaultRule::always(Fault::RemoveColumn {
        name: "emailaddress1".to_owned(),
    });
    pair.world.inject(fault.at("/api/data/v9.2/contacts"));
    for member in &before {
        let row = member.links[&System::Dynamics365].parse().unwrap();
        let changes = json!({ "address1_city": "Lillehammer", "emailaddress1": "ny@example.org" });
        pair.world.simulation.edit_as_human("contacts", row, &changes);
    }
    let run = pair.sync().await;
    assert!(
        run.warnings
            .iter()
            .any(|warning| warning.contains("emailaddress1")),
        "{run:?}"
    );
    for (member, was) in pair.members().await.iter().zip(&before) {
        assert_eq!(said(member, "city"), "Lillehammer");
        assert_eq!(said(member, "email"), said(was, "email"));
        assert_eq!(pair.contact(member)["emailaddress1"], "ny@example.org");
    }
    pair.world.simulation.clear_faults();
    pair.run(Mode::Full).await;
    for member in pair.members().await {
        assert_eq!(said(&member, "email"), "ny@example.org");
    }
}

#[tokio::test]
async fn a_field_that_is_mapped_later_is_taken_over_and_emptied_on_neither_side() {
    let mut world = World::new(10).await;
    let fields = world.settings["members"]["fields"].as_object_mut().unwrap();
    let mobile = fields.remove("mobilePhone").unwrap();
    let pair = Pair::with(world, |_| {}).await;
    pair.sync().await;
    let before = pair.contacts();
    assert!(
        pair.members()
            .await
            .iter()
            .all(|member| said(member, "mobilePhone").is_null())
    );
    pair.reconfigure(|integration| integration.settings["members"]["fields"]["mobilePhone"] = mobile)
        .await;
    let edited = pair.members().await.remove(0);
    pair.edit(&edited, "city", "Lillehammer").await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    for (row, was) in pair.contacts().iter().zip(&before) {
        assert_eq!(row["mobilephone"], was["mobilephone"]);
    }
    for member in pair.members().await {
        assert_eq!(said(&member, "mobilePhone"), pair.contact(&member)["mobilephone"]);
    }
    assert_eq!(pair.contact(&edited)["address1_city"], "Lillehammer");
}

#[tokio::test]
async fn what_was_changed_while_nothing_was_sent_is_sent_once_everything_is_compared() {
    let pair = Pair::with(World::new(10).await, |integration| {
        integration.direction = Direction::Pull
    })
    .await;
    pair.sync().await;
    let edited = pair.members().await.remove(0);
    pair.edit(&edited, "city", "Lillehammer").await;
    pair.sync().await;
    assert_ne!(pair.contact(&edited)["address1_city"], "Lillehammer");
    pair.reconfigure(|integration| integration.direction = Direction::Both)
        .await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    assert_eq!(pair.contact(&edited)["address1_city"], "Lillehammer");
}

// Sending

#[tokio::test]
async fn a_new_member_whose_key_a_row_has_already_is_compared_with_it_and_overwrites_nothing() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    pair.put(
        Kind::Member,
        "900001",
        json!({ "firstName": "Kari", "lastName": "Nordmann" }),
    )
    .await;
    let row =
        json!({ "hlf_memberno": "900001", "lastname": "Nordmann", "emailaddress1": "kari@example.org" });
    // Behind the reading, and before the sending.
    pair.world
        .inject(FaultRule::once(Fault::DropRows { count: 1 }).at("/api/data/v9.2/contacts?"));
    pair.world.simulation.create_as_human("contacts", &row);
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let members = pair.members().await;
    let kari = members
        .iter()
        .find(|member| member.id.as_str() == "900001")
        .unwrap();
    assert_eq!(said(kari, "email"), "kari@example.org");
    let there = pair.contact(kari);
    assert_eq!(there["emailaddress1"], "kari@example.org");
    assert_eq!(there["firstname"], said(kari, "firstName"));
    assert_eq!(pair.contacts().len(), 4);
}

#[tokio::test]
async fn a_membership_whose_member_is_gone_there_waits_and_is_not_forgotten() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    let member = pair.members().await.remove(0);
    let fields = json!({ "memberId": member.id.as_str(), "type": "Hovedmedlem", "status": "Aktiv", "from": "2026-01-01" });
    pair.put(Kind::Membership, "M-1", fields).await;
    let gone = member.links[&System::Dynamics365].parse().unwrap();
    pair.world
        .inject(FaultRule::once(Fault::DropRows { count: 9 }).at("deltatoken"));
    pair.world.simulation.delete_as_human("contacts", gone);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial, "{run:?}");
    let waiting = pair.quarantine().await;
    assert!(waiting.iter().any(|one| &*one.id == "M-1"), "{waiting:?}");
}

#[tokio::test]
async fn a_privilege_that_was_taken_away_ends_the_run_and_puts_nothing_into_quarantine() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    for number in 0..30 {
        pair.put(
            Kind::Member,
            &format!("9{number:05}"),
            json!({ "lastName": "Ny" }),
        )
        .await;
    }
    pair.world
        .simulation
        .revoke_privilege("contact", Privilege::Create);
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Failed);
    assert_eq!(run.failure.unwrap().code, "permission_denied");
    assert_eq!(pair.quarantine().await, []);
    pair.world
        .simulation
        .grant_privilege("contact", Privilege::Create);
    assert_eq!(totals(&pair.sync().await, Kind::Member).pushed_created, 30);
}

#[tokio::test]
async fn many_refused_changes_are_retried_and_leave_quarantine_once_they_succeed() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    let wide = "x".repeat(60);
    for number in 0..120 {
        let fields = json!({ "firstName": wide, "lastName": "Ny" });
        pair.put(Kind::Member, &format!("9{number:05}"), fields).await;
    }
    let run = pair.sync().await;
    assert_eq!(
        (run.state, totals(&run, Kind::Member).push_refused),
        (RunState::Partial, 120)
    );
    assert_eq!(pair.quarantine().await.len(), 120);
    let run = pair.run(Mode::Retry).await;
    assert_eq!(
        (run.state, totals(&run, Kind::Member).push_refused),
        (RunState::Partial, 120)
    );
    for number in 0..120 {
        pair.put(
            Kind::Member,
            &format!("9{number:05}"),
            json!({ "lastName": "Ny" }),
        )
        .await;
    }
    let run = pair.sync().await;
    assert_eq!(totals(&run, Kind::Member).pushed_created, 120, "{run:?}");
    assert_eq!(pair.quarantine().await, []);
}

#[tokio::test]
async fn a_repeated_row_that_is_refused_is_put_into_quarantine_once() {
    let pair = Pair::new(20).await;
    pair.world
        .inject(FaultRule::once(Fault::RepeatRows { count: 10 }).at("/api/data/v9.2/contacts"));
    for row in pair.contacts() {
        let id = guid(&row, "contactid");
        pair.world
            .simulation
            .edit_as_human("contacts", id, &json!({ "lastname": null }));
    }
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Partial, "{run:?}");
    let waiting = pair.quarantine().await;
    let members = waiting.iter().filter(|one| one.kind == Kind::Member);
    assert_eq!(members.count(), 20);
}

// What cannot be reached

#[tokio::test]
async fn a_run_whose_credentials_cannot_be_read_waits_wherever_it_is() {
    let pair = Pair::new(3).await;
    pair.sync().await;
    pair.put(Kind::Member, "900001", json!({ "lastName": "Ny" }))
        .await;
    // The first slice comes as far as the sending; the next ones have no credentials.
    let down = Fault::Status {
        status: 503,
        body: None,
        retry_after: None,
    };
    pair.world.inject(FaultRule::once(down).at("$batch"));
    pair.world.simulation.advance(SignedDuration::from_mins(1));
    let run = pair.begin().await;
    assert_eq!(run.state, RunState::Waiting);
    pair.world.unreadable.store(3, Ordering::SeqCst);
    let run = pair.finish(&run).await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(totals(&run, Kind::Member).pushed_created, 1);
}

#[tokio::test]
async fn a_system_that_wants_to_be_left_alone_is_left_alone_by_the_next_run_too() {
    let pair = Pair::new(3).await;
    let limited = Fault::TooManyRequests {
        limit: Limit::Requests,
        retry_after: Some("1800".to_owned()),
    };
    pair.world
        .inject(FaultRule::once(limited).at("/api/data/v9.2/contacts"));
    let first = pair.begin().await;
    assert_eq!(first.state, RunState::Waiting);
    stop(&pair.worker.ports, &pair.id(), &first.id).await.unwrap();
    pair.deliver().await;
    let asked = pair.world.requests();
    let second = pair.begin().await;
    assert_eq!(
        (second.state, second.resume_at),
        (RunState::Waiting, first.resume_at)
    );
    assert_eq!(pair.world.requests(), asked);
    assert_eq!(pair.finish(&second).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_delta_link_that_expires_between_two_pages_has_everything_read_anew() {
    let mut world = World::new(40).await;
    world.settings["pageSize"] = json!(10);
    let pair = Pair::with(world, |_| {}).await;
    let expired = json!({ "error": { "code": "0x80044352", "message": "Version stamp has expired." } });
    let fault = FaultRule::once(Fault::Status {
        status: 400,
        body: Some(expired),
        retry_after: None,
    });
    pair.world.inject(fault.at("/api/data/v9.2/contacts").after(2));
    let run = pair.sync().await;
    assert_eq!(run.state, RunState::Succeeded, "{run:?}");
    assert_eq!(pair.members().await.len(), 40);
}

#[tokio::test]
async fn two_conflicts_of_one_record_are_both_for_a_human_to_decide() {
    let pair = Pair::with(World::new(3).await, |integration| {
        let review = |group: &Group| (*group, ConflictRule::Review);
        integration.conflict_rules = Kind::Member.groups().iter().map(review).collect();
    })
    .await;
    pair.sync().await;
    let member = pair.members().await.remove(0);
    let row = member.links[&System::Dynamics365].parse().unwrap();
    for (ours, theirs) in [("lastName", "lastname"), ("city", "address1_city")] {
        let member = pair.members().await.remove(0);
        pair.edit(&member, ours, "Her").await;
        pair.world
            .simulation
            .edit_as_human("contacts", row, &json!({ theirs: "Der" }));
        pair.sync().await;
    }
    let reviews = pair.reviews().await;
    let [review] = reviews.as_slice() else {
        panic!("{reviews:?}")
    };
    pair.decide(review, Decision::External).await;
    assert_eq!(pair.sync().await.state, RunState::Succeeded);
    let member = pair.members().await.remove(0);
    assert_eq!(
        (said(&member, "lastName"), said(&member, "city")),
        (json!("Der"), json!("Der"))
    );
    assert_eq!(pair.reviews().await, []);
}
