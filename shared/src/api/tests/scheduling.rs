//! Schedules: what is asked for, what fires, and what becomes of fires that nobody called for.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::breaking::Side;
use super::world::{INTEGRATION, World, integration};
use crate::adapter::{Adapter, ErrorKind, Unusable};
use crate::flow::Ports;
use crate::flow::reconcile::{self, Mended};
use crate::flow::schedule::{Ticked, tick};
use crate::flow::watch::Registrar;
use crate::flow::work::{Connect, Worker, slice};
use crate::http::Exceptions;
use crate::integration::Integration;
use crate::keys::MemoryKeys;
use crate::model::System;
use crate::objects::MemoryObjects;
use crate::publish::{MemoryPublish, Publish};
use crate::schedule::{self, Schedule};
use crate::scheduler::{MemoryScheduler, Order, Scheduler, SchedulerError};
use crate::sync::SliceMessage;

const SCHEDULE: &str = "/v1/organizations/hlf/integrations/dynamics365/schedule";

/// Connects to a system that refuses everything for good.
#[derive(Debug)]
struct Refusing;

#[async_trait]
impl Connect for Refusing {
    async fn connect(&self, integration: &Integration) -> Arc<dyn Adapter> {
        let system = integration.id.system;
        Arc::new(Unusable::new(
            system,
            ErrorKind::Rejected,
            "the settings are refused",
        ))
    }
}

fn hourly() -> Value {
    json!({ "expression": "rate(1 hour)", "zone": "Europe/Oslo", "spread": false })
}

impl World {
    async fn scheduled(wish: &Value) -> Self {
        let world = Self::connected().await;
        let answer = world.put(SCHEDULE, wish).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        world
    }

    async fn schedule(&self) -> Option<Schedule> {
        let stored = schedule::read(&*self.ports.store, &integration()).await.unwrap();
        stored.map(|stored| stored.schedule)
    }

    async fn generation(&self) -> Uuid {
        self.schedule().await.unwrap().generation
    }

    async fn tick(&self, scheduled: Option<Timestamp>) -> Ticked {
        tick(&self.ports, &integration(), self.generation().await, scheduled)
            .await
            .unwrap()
    }

    /// Does what `reconcile` does each minute, for some minutes.
    pub(super) async fn minutes(&self, minutes: u64) {
        for _ in 0..minutes {
            self.clock.advance(Duration::from_secs(60));
            self.reconcile().await;
        }
    }

    pub(super) async fn reconcile(&self) -> Mended {
        self.reconcile_with(Arc::clone(&self.scheduler) as Arc<dyn Scheduler>)
            .await
    }

    async fn reconcile_with(&self, scheduler: Arc<dyn Scheduler>) -> Mended {
        let publish: Arc<dyn Publish> = Arc::new(MemoryPublish::new());
        reconcile::sweep(&self.ports, &publish, &scheduler, &MemoryObjects::new())
            .await
            .unwrap()
    }

    pub(super) async fn reconcile_on(&self, bus: Arc<MemoryPublish>) -> Mended {
        let (publish, scheduler): (Arc<dyn Publish>, Arc<dyn Scheduler>) =
            (bus, Arc::<MemoryScheduler>::clone(&self.scheduler));
        reconcile::sweep(&self.ports, &publish, &scheduler, &MemoryObjects::new())
            .await
            .unwrap()
    }

    /// Works whatever is queued; each run fails for good.
    async fn work(&self) {
        let worker = Worker {
            ports: self.ports.clone(),
            publish: Arc::new(MemoryPublish::new()),
            connect: Arc::new(Refusing),
            exceptions: Exceptions::none(),
            registrar: Registrar {
                keys: Arc::new(MemoryKeys::new()),
                api_url: "https://api.example".parse().unwrap(),
            },
        };
        while let Some(received) = self.queue.receive(System::Dynamics365) {
            let message: SliceMessage = serde_json::from_str(&received.message.body).unwrap();
            slice(&worker, &message).await.unwrap();
            self.queue.ack(&received);
        }
    }

    /// Ends the active run.
    async fn end_run(&self) {
        let standing = crate::sync::runs_standing(&*self.ports.store, &integration())
            .await
            .unwrap();
        let run = standing.active.expect("a run is active");
        crate::sync::abandon(&*self.ports.store, &run, self.ports.now())
            .await
            .unwrap();
    }

    pub(super) async fn runs(&self) -> usize {
        let runs = self.get(&format!("{INTEGRATION}/runs")).await.json();
        runs["items"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_schedule_is_shown_with_its_next_fires_and_told_to_the_scheduler() {
    let wish = json!({ "expression": "cron(30 2 * * ? *)", "zone": "Europe/Oslo", "spread": false });
    let world = World::scheduled(&wish).await;
    let shown = world.get(SCHEDULE).await.json();
    assert_eq!(shown["integrationId"], "hlf:dynamics365");
    assert_eq!(shown["nextFires"].as_array().unwrap().len(), 5);
    assert_eq!(
        shown["nextFires"][0],
        json!({ "at": "2026-02-01T01:30:00Z", "local": "Sun 2026-02-01 02:30 CET", "note": null })
    );
    assert!(shown["reading"].as_str().unwrap().contains("02:30"));
    let orders = world.scheduler.orders();
    let order = orders.values().next().unwrap();
    assert_eq!(
        (orders.len(), &*order.expression, &*order.zone),
        (1, "cron(30 2 * * ? *)", "Europe/Oslo")
    );
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["nextRunAt"], "2026-02-01T01:30:00Z");
    for _ in 0..2 {
        assert_eq!(world.delete(SCHEDULE).await.status, 204);
        assert_eq!(world.get(SCHEDULE).await.code(), "unknown_schedule");
        assert!(world.scheduler.orders().is_empty());
    }
}

#[tokio::test]
async fn a_preview_saves_nothing_and_a_fault_is_named() {
    let world = World::connected().await;
    let preview = format!("{SCHEDULE}?preview=true");
    let shown = world.put(&preview, &hourly()).await;
    assert_eq!(
        (shown.status.as_u16(), &shown.json()["saved"]),
        (200, &json!(false))
    );
    assert_eq!(world.get(SCHEDULE).await.code(), "unknown_schedule");
    for (wish, field) in [
        (json!({ "expression": "nonsense", "zone": "UTC" }), "expression"),
        (json!({ "expression": "rate(1 hour)", "zone": "Oslo" }), "zone"),
        (
            json!({ "expression": "at(2026-01-31T10:00:00)", "zone": "UTC" }),
            "expression",
        ),
        (
            json!({ "expression": "rate(1 hour)", "zone": "UTC", "overlap": "both" }),
            "overlap",
        ),
        (
            json!({ "expression": "rate(1 hour)", "zone": "UTC", "cron": "x" }),
            "cron",
        ),
    ] {
        for path in [&preview, SCHEDULE] {
            let answer = world.put(path, &wish).await;
            assert_eq!(
                (answer.status.as_u16(), answer.fields()),
                (400, vec![field.to_owned()]),
                "{wish}"
            );
        }
    }
    assert_eq!(
        world
            .put(&format!("{SCHEDULE}?preview=yes"), &hourly())
            .await
            .status,
        400
    );
    assert!(world.scheduler.orders().is_empty());
}

#[tokio::test]
async fn however_often_a_fire_is_called_for_it_starts_one_run() {
    let world = World::scheduled(&hourly()).await;
    assert_eq!(world.tick(None).await, Ticked::Void("the fire was seen to"));
    world.clock.advance(Duration::from_secs(60));
    let scheduled = Some(world.ports.now());
    let ticks = (0..50).map(|_| world.tick(scheduled));
    let ticks = futures::future::join_all(ticks).await;
    let started = ticks
        .iter()
        .filter(|ticked| matches!(ticked, Ticked::Started(_)))
        .count();
    assert_eq!((started, world.runs().await), (1, 1));
    world.end_run().await;
    // A day late, a minute early, and of another schedule.
    let day = Duration::from_secs(24 * 60 * 60);
    for time in [scheduled, scheduled.map(|time| time - day)] {
        assert_eq!(world.tick(time).await, Ticked::Void("the fire was seen to"));
    }
    let early = scheduled.map(|time| time + Duration::from_secs(60 * 60));
    world.clock.advance(Duration::from_secs(60 * 60 - 30));
    assert!(matches!(world.tick(early).await, Ticked::Started(_)));
    let other = tick(&world.ports, &integration(), Uuid::nil(), None)
        .await
        .unwrap();
    assert_eq!(other, Ticked::Void("the schedule was changed or cancelled"));
}

#[tokio::test]
async fn a_change_makes_earlier_ticks_void() {
    let world = World::scheduled(&hourly()).await;
    let before = world.generation().await;
    let other = json!({ "expression": "rate(2 hours)", "zone": "Europe/Oslo", "spread": false });
    assert_eq!(world.put(SCHEDULE, &other).await.status, 200);
    world.clock.advance(Duration::from_secs(3_600));
    let ticked = tick(&world.ports, &integration(), before, None).await.unwrap();
    assert_eq!(ticked, Ticked::Void("the schedule was changed or cancelled"));
    assert_eq!((world.runs().await, world.scheduler.orders().len()), (0, 1));
}

#[tokio::test]
async fn a_fire_that_finds_a_run_active_is_passed_over_or_waits_its_turn() {
    for (overlap, ticked, after) in [("skip", Ticked::Skipped, 1), ("queue_one", Ticked::Queued, 2)] {
        let mut wish = hourly();
        wish["overlap"] = json!(overlap);
        let world = World::scheduled(&wish).await;
        assert_eq!(
            world
                .post(&format!("{INTEGRATION}/sync"), &json!({}))
                .await
                .status,
            202
        );
        world.clock.advance(Duration::from_secs(60));
        for _ in 0..3 {
            assert_eq!(world.tick(None).await, ticked);
            world.clock.advance(Duration::from_secs(3_600));
        }
        assert_eq!(world.tick(None).await, ticked);
        world.end_run().await;
        world.minutes(3).await;
        assert_eq!(world.runs().await, after, "{overlap}");
        world.end_run_if_any().await;
        world.minutes(5).await;
        assert_eq!(world.runs().await, after, "{overlap}");
    }
}

#[tokio::test]
async fn what_nobody_called_for_is_started_once_however_much_it_was() {
    let world = World::scheduled(&hourly()).await;
    world.clock.advance(Duration::from_secs(3 * 3_600 + 180));
    world.reconcile().await;
    assert_eq!(world.runs().await, 1);
    world.end_run().await;
    world.minutes(30).await;
    assert_eq!(world.runs().await, 1);
    assert_eq!(world.get(SCHEDULE).await.json()["missed"], 4);
}

#[tokio::test]
async fn a_time_that_the_clocks_skip_is_started_when_they_go_on() {
    let world = World::connected().await;
    let spring: Timestamp = "2026-03-29T00:30:00Z".parse().unwrap();
    world
        .clock
        .advance(spring.duration_since(world.ports.now()).unsigned_abs());
    let wish = json!({ "expression": "cron(30 2 * * ? *)", "zone": "Europe/Oslo", "spread": false });
    let shown = world.put(SCHEDULE, &wish).await.json();
    assert!(shown["nextFires"][0]["note"].as_str().unwrap().contains("skip"));
    world.minutes(29).await;
    assert_eq!(world.runs().await, 0);
    world.minutes(2).await;
    assert_eq!(world.runs().await, 1);
    world.end_run().await;
    world.minutes(120).await;
    assert_eq!(world.runs().await, 1);
}

#[tokio::test]
async fn a_scheduler_that_is_down_is_told_later() {
    let world = World::connected().await;
    world.scheduler.set_down(true);
    assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
    world.minutes(2).await;
    assert!(world.scheduler.orders().is_empty());
    world.scheduler.set_down(false);
    world.minutes(2).await;
    assert_eq!(world.scheduler.orders().len(), 1);
    world.scheduler.set_down(true);
    assert_eq!(world.delete(SCHEDULE).await.status, 204);
    assert_eq!(world.get(SCHEDULE).await.code(), "unknown_schedule");
    world.scheduler.set_down(false);
    world.minutes(2).await;
    assert!(world.scheduler.orders().is_empty() && world.schedule().await.is_none());
}

#[tokio::test]
async fn what_was_missed_while_it_was_paused_is_started_once_when_it_goes_on() {
    let world = World::scheduled(&hourly()).await;
    assert_eq!(
        world
            .post(&format!("{INTEGRATION}/pause"), &json!({}))
            .await
            .status,
        200
    );
    for _ in 0..5 {
        world.minutes(60).await;
        assert_eq!(
            world.tick(None).await,
            Ticked::Void("the integration is not active")
        );
    }
    assert_eq!(world.runs().await, 0);
    assert_eq!(world.get(INTEGRATION).await.json()["nextRunAt"], Value::Null);
    let resumed = world.post(&format!("{INTEGRATION}/resume"), &json!({})).await;
    assert_eq!(resumed.status, 200);
    world.minutes(2).await;
    assert_eq!(world.runs().await, 1);
    assert_eq!(world.get(INTEGRATION).await.json()["overdueSince"], Value::Null);
}

#[tokio::test]
async fn after_ten_failures_in_a_row_it_is_given_up_and_one_call_has_it_go_on() {
    let world = World::scheduled(&hourly()).await;
    for _ in 0..12 {
        world.clock.advance(Duration::from_secs(3_600));
        world.tick(None).await;
        world.work().await;
    }
    assert_eq!(world.runs().await, 10);
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["health"]["level"], "failing");
    let shown = world.get(SCHEDULE).await.json();
    let reason = shown["disabled"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("10 runs have failed in a row"), "{reason}");
    world.minutes(2).await;
    assert!(!world.scheduler.orders().values().next().unwrap().enabled);
    let resumed = world.post(&format!("{SCHEDULE}/resume"), &json!({})).await;
    assert_eq!(
        (resumed.status.as_u16(), &resumed.json()["disabled"]),
        (200, &Value::Null)
    );
    assert!(world.scheduler.orders().values().next().unwrap().enabled);
    world.clock.advance(Duration::from_secs(3_600));
    assert!(matches!(world.tick(None).await, Ticked::Started(_)));
}

#[tokio::test]
async fn silence_is_red() {
    let world = World::scheduled(&hourly()).await;
    // A run that never ends.
    assert_eq!(
        world
            .post(&format!("{INTEGRATION}/sync"), &json!({}))
            .await
            .status,
        202
    );
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["overdueSince"], Value::Null);
    world.clock.advance(Duration::from_secs(2 * 3_600 + 60));
    let status = world.get(INTEGRATION).await.json();
    assert_eq!(status["overdueSince"], "2026-01-31T10:01:00Z");
    assert_eq!(status["health"]["level"], "failing");
    assert!(
        status["health"]["cause"]
            .as_str()
            .unwrap()
            .contains("has been due since")
    );
}

#[tokio::test]
async fn a_disconnected_integration_takes_its_schedule_with_it() {
    let world = World::scheduled(&hourly()).await;
    assert_eq!(world.delete(INTEGRATION).await.status, 204);
    world.clock.advance(Duration::from_secs(3_600));
    assert_eq!(world.tick(None).await, Ticked::Void("the schedule does not fire"));
    world.minutes(2).await;
    assert!(world.scheduler.orders().is_empty() && world.schedule().await.is_none());
    assert_eq!(world.put(SCHEDULE, &hourly()).await.code(), "unknown_integration");
}

#[tokio::test]
async fn a_change_that_died_at_any_write_is_finished_by_the_clock() {
    for side in [Side::Before, Side::After] {
        for nth in 1..5 {
            let world = World::connected().await;
            let (dying, breaking) = world.dying(nth, side);
            let answer = dying.put(SCHEDULE, &hourly()).await;
            assert_eq!(
                answer.status.is_success(),
                !breaking.died() || nth > 1,
                "{nth} {side:?}"
            );
            world.minutes(3).await;
            let kept = world.schedule().await.is_some();
            assert_eq!(kept, (nth, side) != (1, Side::Before));
            assert_eq!(
                world.scheduler.orders().len(),
                usize::from(kept),
                "{nth} {side:?}"
            );
            assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
            let (dying, _) = world.dying(nth, side);
            dying.delete(SCHEDULE).await;
            world.minutes(3).await;
            let kept = world.schedule().await.is_some();
            assert_eq!(kept, (nth, side) == (1, Side::Before), "{nth} {side:?}");
            assert_eq!(
                world.scheduler.orders().len(),
                usize::from(kept),
                "{nth} {side:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_tick_that_died_at_any_write_loses_no_fire_and_doubles_none() {
    for side in [Side::Before, Side::After] {
        for nth in 1..4 {
            let world = World::scheduled(&hourly()).await;
            world.clock.advance(Duration::from_secs(60));
            let (dying, _) = world.dying(nth, side);
            let generation = world.generation().await;
            drop(tick(&dying.ports, &integration(), generation, None).await);
            for _ in 0..2 {
                world.tick(None).await;
            }
            world.minutes(5).await;
            assert_eq!(world.runs().await, 1, "{nth} {side:?}");
        }
    }
}

impl World {
    /// Says whether there was one.
    pub(super) async fn end_run_if_any(&self) -> bool {
        let standing = crate::sync::runs_standing(&*self.ports.store, &integration())
            .await
            .unwrap();
        let there = standing.active.is_some();
        if there {
            self.end_run().await;
        }
        there
    }
}

/// A scheduler as it is: it drops some calls, doubles some, and brings some late; and `reconcile`, each minute.
#[tokio::test]
async fn a_day_of_every_minute_starts_each_fire_once_whatever_the_scheduler_does() {
    let wish = json!({ "expression": "rate(1 minute)", "zone": "Europe/Oslo", "spread": false });
    let world = World::scheduled(&wish).await;
    let mut dice = fastrand::Rng::with_seed(7);
    let (mut late, mut fires, mut by_reconcile) = (Vec::new(), 0, 0);
    for minute in 0..24 * 60 + 3 {
        world.clock.advance(Duration::from_secs(60));
        fires += 1;
        let now = Some(world.ports.now());
        match dice.u32(0..20) {
            _ if minute >= 24 * 60 => {}
            0 => {}
            1 => late.push(now),
            2 => drop(futures::join!(world.tick(now), world.tick(now))),
            _ => drop(world.tick(now).await),
        }
        world.end_run_if_any().await;
        if dice.u32(0..10) == 0 {
            for time in late.drain(..) {
                world.tick(time).await;
                world.end_run_if_any().await;
            }
        }
        world.reconcile().await;
        by_reconcile += u64::from(world.end_run_if_any().await);
    }
    let shown = world.schedule().await.unwrap();
    let started = u64::try_from(count_runs(&world.ports).await).unwrap();
    let unseen = shown.unseen(world.ports.now()).map_or(0, |(_, count)| count);
    // A fire that was missed is in the run of a later one, or in one that reconcile started for it.
    assert_eq!(started + shown.missed - by_reconcile + unseen, fires, "{shown:?}");
    assert!(started > 1_300 && shown.missed > 0 && by_reconcile > 0);
}

async fn count_runs(ports: &Ports) -> usize {
    let mut count = 0;
    let mut after = None;
    loop {
        let (runs, next) = crate::sync::list_runs(&*ports.store, &integration(), after, 500)
            .await
            .unwrap();
        count += runs.len();
        after = next;
        if after.is_none() {
            return count;
        }
    }
}

#[tokio::test]
async fn what_the_scheduler_lost_it_is_told_again_within_an_hour() {
    let wish = json!({ "expression": "cron(0 2 * * ? *)", "zone": "Europe/Oslo" });
    let world = World::scheduled(&wish).await;
    let orders = world.scheduler.orders();
    let name = orders.keys().next().unwrap();
    world.scheduler.lose(name);
    world.minutes(62).await;
    assert_eq!(world.scheduler.orders(), orders);
    let mut other = orders[name].clone();
    other.enabled = false;
    world.scheduler.put(&other).await.unwrap();
    world.minutes(62).await;
    assert_eq!(world.scheduler.orders(), orders);
}

#[tokio::test]
async fn what_is_put_once_more_goes_on_as_it_was() {
    let world = World::scheduled(&hourly()).await;
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(30 * 60));
        assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
    }
    assert!(matches!(world.tick(None).await, Ticked::Started(_)));
    assert_eq!(
        world.schedule().await.unwrap().anchor,
        "2026-01-31T10:01:00Z".parse().unwrap()
    );
}

#[tokio::test]
async fn a_scheduler_that_takes_nothing_keeps_no_run_from_being_started() {
    let world = World::connected().await;
    world.scheduler.set_down(true);
    assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
    world.minutes(5).await;
    assert_eq!(world.runs().await, 1);
}

#[tokio::test]
async fn an_order_that_the_scheduler_refuses_keeps_no_run_from_being_started_and_is_told_again() {
    let world = World::connected().await;
    world.scheduler.set_refusing(true);
    assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
    world.minutes(3).await;
    assert_eq!((world.runs().await, world.scheduler.orders().len()), (1, 0));
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.reconcile().await.failed, 1, "so that an alarm is raised");
    world.scheduler.set_refusing(false);
    world.minutes(1).await;
    assert_eq!((world.runs().await, world.scheduler.orders().len()), (1, 1));
    assert_eq!(world.reconcile().await.failed, 0);
}

/// A week of runs that take longer than the time between two of them.
#[tokio::test]
async fn runs_that_take_longer_than_their_period_pile_up_nothing() {
    for (overlap, each) in [("skip", 2), ("queue_one", 1)] {
        let mut wish = hourly();
        wish["overlap"] = json!(overlap);
        let world = World::scheduled(&wish).await;
        let mut begun: Option<Timestamp> = None;
        for quarter in 0..7 * 24 * 4 {
            world.clock.advance(Duration::from_secs(15 * 60));
            let now = world.ports.now();
            if begun.is_some_and(|begun| now.duration_since(begun).as_mins() >= 90) {
                world.end_run().await;
                begun = None;
            }
            if quarter % 4 == 0 {
                world.tick(Some(now)).await;
            }
            world.reconcile().await;
            let standing = crate::sync::runs_standing(&*world.ports.store, &integration())
                .await
                .unwrap();
            begun = begun.or_else(|| standing.active.map(|_| now));
        }
        let (hours, runs) = (7 * 24, count_runs(&world.ports).await);
        let most = if each == 2 { hours / 2 } else { hours * 2 / 3 };
        assert!(
            (most - 2..=most + 1).contains(&runs),
            "{overlap}: {runs} of {most}"
        );
    }
}

#[tokio::test]
async fn calls_that_no_schedule_asks_for_are_ended_within_an_hour() {
    let world = World::scheduled(&hourly()).await;
    let kept = world.scheduler.orders();
    let asked = kept.values().next().unwrap();
    let orphan = Schedule {
        integration: "other:dynamics365".parse().unwrap(),
        ..world.schedule().await.unwrap()
    };
    let orphan = orphan.order(world.ports.now());
    let foreign = Order {
        name: "sync-by-hand".to_owned(),
        input: "{}".to_owned(),
        ..asked.clone()
    };
    let renamed = Order {
        name: "sync-dynamics365-0".to_owned(),
        ..asked.clone()
    };
    for order in [&orphan, &foreign, &renamed] {
        world.scheduler.put(order).await.unwrap();
    }
    world.minutes(60).await;
    let left = world.scheduler.orders();
    assert!(!left.contains_key(&orphan.name));
    assert_eq!(left.len(), 3, "what is not ours is left alone: {left:?}");
    assert_eq!(left[&asked.name], *asked);
}

/// Panics when it is told something.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Scheduler for Broken {
    async fn put(&self, _: &Order) -> Result<(), SchedulerError> {
        panic!("canary")
    }

    async fn get(&self, _: &str) -> Result<Option<Order>, SchedulerError> {
        panic!("canary")
    }

    async fn names(&self, _: &str) -> Result<Vec<String>, SchedulerError> {
        panic!("canary")
    }

    async fn delete(&self, _: &str) -> Result<(), SchedulerError> {
        panic!("canary")
    }
}

#[tokio::test]
async fn what_has_reconcile_panic_does_not_keep_the_others_waiting() {
    let world = World::connected().await;
    world.scheduler.set_down(true);
    assert_eq!(world.put(SCHEDULE, &hourly()).await.status, 200);
    // At this minute of the hour orphans are looked for, after all rows.
    world.clock.advance(Duration::from_secs(77 * 60));
    let mended = world.reconcile_with(Arc::new(Broken)).await;
    assert_eq!((mended.schedules, mended.failed), (1, 2));
}
