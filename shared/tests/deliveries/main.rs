//! A hundred thousand deliveries: ten thousand webhooks of every scheme, each sent up to fifty times, out of order and for
//! days, and twenty thousand that somebody has forged, while the queue takes two of three.
//!
//! `SEED=17 cargo test -p shared --test deliveries` runs another one; `DELIVERIES=1000000` a larger one.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, print its seed and read it from outside"
)]

mod forge;
mod senders;
mod world;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::{SignedDuration, Timestamp};
use shared::clock::Clock as _;
use shared::flow::receive::Received;
use shared::inbox::EventState;

use crate::forge::forged;
use crate::senders::Sender;
use crate::world::World;

/// How many of ten deliveries are forged, sent for the first time, and sent again.
const SHARES: (u64, u64) = (2, 1);

/// How long a sender goes on, and how often at most.
const HORIZON: SignedDuration = SignedDuration::from_hours(13 * 24);
const MOST: u64 = 50;

/// What is sent, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sent {
    Webhook(u64),
    Forgery(u64),
}

fn number(name: &str, default: u64) -> u64 {
    let number = std::env::var(name).ok().and_then(|text| text.parse().ok());
    number.unwrap_or(default)
}

/// Returns everything that is sent, by time.
fn plan(
    random: &mut fastrand::Rng,
    deliveries: u64,
    start: Timestamp,
) -> BinaryHeap<Reverse<(Timestamp, Sent)>> {
    let (forgeries, unique) = (deliveries * SHARES.0 / 10, deliveries * SHARES.1 / 10);
    let mut plan = BinaryHeap::new();
    let later =
        |random: &mut fastrand::Rng| start + SignedDuration::from_secs(random.i64(0..HORIZON.as_secs()));
    for webhook in 0..unique {
        plan.push(Reverse((later(random), Sent::Webhook(webhook))));
    }
    let mut left = deliveries - forgeries - unique;
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    while left > 0 {
        // A few are sent all of fifty times, and most some times.
        let webhook = if random.bool() {
            random.u64(0..unique.div_ceil(20))
        } else {
            random.u64(0..unique)
        };
        let sent = times.entry(webhook).or_insert(1);
        if *sent < MOST {
            *sent += 1;
            left -= 1;
            plan.push(Reverse((later(random), Sent::Webhook(webhook))));
        }
    }
    for forgery in 0..forgeries {
        plan.push(Reverse((later(random), Sent::Forgery(forgery))));
    }
    plan
}

#[tokio::test(flavor = "current_thread")]
async fn no_forgery_is_accepted_and_each_webhook_is_followed_once() {
    let (seed, deliveries) = (number("SEED", 1), number("DELIVERIES", 100_000));
    println!("SEED={seed} DELIVERIES={deliveries}");
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new(seed).await;
    let senders = Sender::all(&world).await;
    let mut plan = plan(&mut random, deliveries, world.clock.now());
    let (mut accepted, mut again, mut forgeries) = (0_u64, 0_u64, 0_u64);
    let mut sent = 0_u64;
    while let Some(Reverse((at, what))) = plan.pop() {
        world.clock.wait_until(at);
        match what {
            Sent::Webhook(webhook) => {
                let sender = &senders[usize::try_from(webhook).unwrap() % senders.len()];
                let raw = sender.webhook(webhook, world.clock.now());
                match world.receiver.receive("dynamics365", &sender.endpoint, raw).await {
                    Ok(Received::Kept(_)) => accepted += 1,
                    Ok(Received::Refused(refusal)) => {
                        panic!("{} refused {:?}", sender.name, refusal.reason())
                    }
                    Err(_) => {
                        // What was not kept is sent again, in a while.
                        again += 1;
                        let wait = SignedDuration::from_secs(random.i64(1..600));
                        plan.push(Reverse((at + wait, what)));
                    }
                }
            }
            Sent::Forgery(forgery) => {
                let sender = &senders[random.usize(0..senders.len())];
                let other = &senders[random.usize(0..senders.len())];
                let (what, endpoint, raw) = forged(&mut random, sender, other, forgery, world.clock.now());
                let answer = world.receiver.receive("dynamics365", &endpoint, raw).await;
                assert!(
                    matches!(answer, Ok(Received::Refused(_))),
                    "{what} of {}: {answer:?}",
                    sender.name
                );
                forgeries += 1;
            }
        }
        sent += 1;
        if sent.is_multiple_of(500) {
            world.work().await;
        }
    }
    world.finish().await;
    let unique = deliveries * SHARES.1 / 10;
    let events = world.events().await;
    assert_eq!(
        events.len() as u64,
        unique,
        "one event for each webhook, and none for a forgery"
    );
    assert!(events.iter().all(|event| event.state == EventState::Applied));
    for webhook in 0..unique {
        // Once, and once more since it was made.
        assert_eq!(world.system.asked_for(&senders::row(webhook)), 2, "{webhook}");
    }
    assert_eq!(
        world.system.rows_asked_for(),
        unique,
        "nobody asked for anything else"
    );
    println!(
        "{accepted} accepted, {again} sent again since they were not kept, {forgeries} forgeries refused"
    );
    assert!(
        again > accepted / 3,
        "the queue did not fail often enough to show anything"
    );
}
