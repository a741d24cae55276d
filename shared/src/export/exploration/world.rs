//! One voucher, the workers that carry it, the ledger, and a human: everything that can happen to them.
//!
//! What the workers do is the protocol's own [`step`](super::super::step::step); a mutant has another in its place.
//! Claims have no time: any worker may take the voucher up at any moment, as if the claim before had just run out, and
//! whoever held it goes on whenever it likes. Every write is made on the version that the writer knows, as in the store.

use super::super::ledger::Dedup;
use super::super::step::{Answer, Decision, Input, Look, Progress, State, Then, Transition};
use super::explorer::Model;

/// The most workers that there are at once.
const WORKERS: usize = 3;

/// The most requests that are on their way at once.
const FLIGHT: u8 = 2;

/// What is explored.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    pub(super) dedup: Dedup,
    /// How many workers there are at once.
    pub(super) workers: usize,
    pub(super) step: fn(Progress, Input) -> Option<Transition>,
    /// Whether a write is refused where somebody else has written since.
    pub(super) fenced: bool,
    /// Whether there is a human who decides.
    pub(super) human: bool,
    /// Whether the human decides that it is not there only once nothing can arrive any more.
    pub(super) patient: bool,
    /// Whether the ledger may show nothing for a while of what it has.
    pub(super) stale: bool,
    /// Whether the tables may be restored from before the export, once all is quiet.
    pub(super) restored: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Worker {
    Idle,
    /// It has kept a state and is about to act.
    Acts {
        at: Progress,
        sends: bool,
        current: bool,
    },
    /// It knows what came of that, and has not kept it.
    Knows {
        at: Progress,
        what: Known,
        current: bool,
    },
}

/// An input, in an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Known {
    Accepted,
    DuplicateQueued,
    DuplicatePosted,
    DuplicateRejected,
    Refused,
    NotSent,
    Unknown,
    Nothing,
    Queued,
    Posted,
    Rejected,
    Different,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct World {
    row: Progress,
    workers: [Worker; WORKERS],
    /// Requests that have left and have neither arrived nor been lost.
    flight: u8,
    /// What the ledger has: to be posted, in the books, and refused when it was to be posted.
    queued: u8,
    posted: u8,
    rejected: bool,
    /// How many requests have left since a human last decided.
    left: u8,
    restored: bool,
}

type Follow<'a> = &'a mut dyn FnMut(&'static str, World);

impl Known {
    fn input(self, dedup: Dedup) -> Input {
        let sent = |answer| Input::Sent(answer, dedup);
        match self {
            Self::Accepted => sent(Answer::Accepted),
            Self::DuplicateQueued => sent(Answer::Duplicate(Look::Queued)),
            Self::DuplicatePosted => sent(Answer::Duplicate(Look::Posted)),
            Self::DuplicateRejected => sent(Answer::Duplicate(Look::Rejected)),
            Self::Refused => sent(Answer::Rejected),
            Self::NotSent => sent(Answer::NotSent),
            Self::Unknown => sent(Answer::Unknown),
            Self::Nothing => Input::Found(Look::Nothing),
            Self::Queued => Input::Found(Look::Queued),
            Self::Posted => Input::Found(Look::Posted),
            Self::Rejected => Input::Found(Look::Rejected),
            Self::Different => Input::Found(Look::Different),
            Self::Failed => Input::Found(Look::Failed),
        }
    }
}

impl World {
    /// Whether the ledger has something under the reference, be it refused.
    const fn has(&self) -> bool {
        self.queued + self.posted > 0 || self.rejected
    }

    /// Keeps a state: whoever knows an older one has been fenced off.
    fn keep(mut self, next: Progress) -> Self {
        self.row = next;
        for worker in &mut self.workers {
            if let Worker::Acts { current, .. } | Worker::Knows { current, .. } = worker {
                *current = false;
            }
        }
        self.workers.sort_unstable();
        self
    }

    /// Keeps a state, to act on it.
    fn carry_on(self, at: usize, transition: Transition) -> Self {
        // Alone in its place, so that the order of the others does not matter.
        let kept = self.put(at, Worker::Idle).keep(transition.next);
        kept.put(
            0,
            match transition.then {
                Then::Wait(_) | Then::Rest => Worker::Idle,
                then => Worker::Acts {
                    at: transition.next,
                    sends: then == Then::Send,
                    current: true,
                },
            },
        )
    }

    /// Workers are alike: which is which makes no difference.
    fn put(mut self, at: usize, worker: Worker) -> Self {
        self.workers[at] = worker;
        self.workers.sort_unstable();
        self
    }

    fn arrives(mut self, dedup: Dedup) -> Self {
        if !(dedup == Dedup::UniqueKey && self.has()) {
            self.queued += 1;
        }
        self
    }

    fn leaves(mut self) -> Self {
        self.left = (self.left + 1).min(2);
        self
    }

    fn is_quiet(&self) -> bool {
        let sends = |worker: &Worker| matches!(worker, Worker::Acts { sends: true, .. });
        self.flight == 0 && !self.workers.iter().any(sends)
    }
}

impl Model for Setting {
    type State = World;

    fn begin(&self) -> World {
        World {
            row: Progress::BEGIN,
            workers: [Worker::Idle; WORKERS],
            flight: 0,
            queued: 0,
            posted: 0,
            rejected: false,
            left: 0,
            restored: false,
        }
    }

    fn happen(&self, world: &World, follow: Follow<'_>) {
        for (at, worker) in world.workers.iter().enumerate() {
            match *worker {
                Worker::Idle => self.take(world, at, follow),
                Worker::Acts {
                    at: row,
                    sends: true,
                    current,
                } => self.send(world, at, row, current, follow),
                Worker::Acts {
                    at: row,
                    sends: false,
                    current,
                } => self.find(world, at, row, current, follow),
                Worker::Knows {
                    at: row,
                    what,
                    current,
                } => self.learn(world, at, row, what, current, follow),
            }
            if *worker != Worker::Idle {
                follow("a worker dies", world.put(at, Worker::Idle));
            }
        }
        self.ledger(world, follow);
        if self.human {
            self.human(world, follow);
        }
        if self.restored && !world.restored && world.is_quiet() && world.workers == [Worker::Idle; WORKERS] {
            let lost = World {
                row: Progress::BEGIN,
                left: 0,
                restored: true,
                ..*world
            };
            follow("the tables are restored from before", lost);
        }
    }

    fn wrong(&self, world: &World) -> Option<&'static str> {
        let booked = world.queued + world.posted;
        let state = world.row.state;
        if booked > 1 {
            return Some("it is booked twice");
        }
        if world.restored {
            return None;
        }
        if self.dedup != Dedup::UniqueKey && world.left > 1 {
            return Some("it was sent again though it may have arrived");
        }
        if matches!(state, State::Posted | State::Accepted) && !world.has() {
            return Some("it is lost: it is said to be there");
        }
        if matches!(state, State::Refused | State::Cancelled) && booked > 0 {
            return Some("it is booked though it is said not to be");
        }
        (state == State::Review && world.row.why.is_none())
            .then_some("it waits for a human who is not told why")
    }

    fn is_settled(&self, world: &World) -> bool {
        match world.row.state {
            State::Posted | State::Refused | State::Rejected | State::Cancelled | State::Review => true,
            // Nobody but a human can say more.
            State::Accepted => self.dedup == Dedup::None,
            State::Intended | State::Sending | State::Doubtful => false,
        }
    }
}

impl Setting {
    fn take(&self, world: &World, at: usize, follow: Follow<'_>) {
        // One idle worker is as good as another; they come first.
        let busy = world
            .workers
            .iter()
            .filter(|worker| **worker != Worker::Idle)
            .count();
        if at == 0
            && busy < self.workers
            && let Some(transition) = (self.step)(world.row, Input::Take(self.dedup))
        {
            follow("a worker takes it up", world.carry_on(at, transition));
        }
    }

    fn send(&self, world: &World, at: usize, row: Progress, current: bool, follow: Follow<'_>) {
        let knows = |world: World, what| {
            world.put(
                at,
                Worker::Knows {
                    at: row,
                    what,
                    current,
                },
            )
        };
        follow("nothing leaves", knows(*world, Known::NotSent));
        follow("the ledger refuses it", knows(*world, Known::Refused));
        let left = world.leaves();
        if self.dedup == Dedup::UniqueKey && world.has() {
            let duplicate = match (world.posted > 0, world.queued > 0) {
                (true, _) => Known::DuplicatePosted,
                (_, true) => Known::DuplicateQueued,
                _ => Known::DuplicateRejected,
            };
            follow("the ledger has had it before", knows(left, duplicate));
        } else {
            follow(
                "the ledger takes it",
                knows(left.arrives(self.dedup), Known::Accepted),
            );
        }
        follow(
            "it arrives, and the answer is lost",
            knows(left.arrives(self.dedup), Known::Unknown),
        );
        follow("it is lost on its way", knows(left, Known::Unknown));
        if world.flight < FLIGHT {
            let away = World {
                flight: world.flight + 1,
                ..left
            };
            follow(
                "it is late, and the answer is given up",
                knows(away, Known::Unknown),
            );
        }
    }

    fn find(&self, world: &World, at: usize, row: Progress, current: bool, follow: Follow<'_>) {
        let knows = |what| {
            world.put(
                at,
                Worker::Knows {
                    at: row,
                    what,
                    current,
                },
            )
        };
        let what = match (world.queued + world.posted, world.posted > 0, world.rejected) {
            (0, _, true) => Known::Rejected,
            (0, _, false) => Known::Nothing,
            (1, true, _) => Known::Posted,
            (1, false, _) => Known::Queued,
            _ => Known::Different,
        };
        follow("a worker looks at the ledger", knows(what));
        follow("the ledger does not say what it has", knows(Known::Failed));
        if self.stale && what != Known::Nothing {
            follow("the ledger does not show yet what it has", knows(Known::Nothing));
        }
    }

    fn learn(&self, world: &World, at: usize, row: Progress, what: Known, current: bool, follow: Follow<'_>) {
        if current || !self.fenced {
            match (self.step)(row, what.input(self.dedup)) {
                Some(transition) => follow("a worker keeps what came of it", world.carry_on(at, transition)),
                None => follow("a worker lets go", world.put(at, Worker::Idle)),
            }
        } else {
            follow("a worker finds itself fenced off", world.put(at, Worker::Idle));
        }
    }

    fn ledger(&self, world: &World, follow: Follow<'_>) {
        if world.flight > 0 {
            let landed = World {
                flight: world.flight - 1,
                ..*world
            };
            follow("a late request arrives", landed.arrives(self.dedup));
            follow("a late request is lost", landed);
        }
        if world.queued > 0 {
            let unqueued = World {
                queued: world.queued - 1,
                ..*world
            };
            let posted = world.posted + 1;
            follow("the ledger posts it", World { posted, ..unqueued });
            follow(
                "the ledger refuses to post it",
                World {
                    rejected: true,
                    ..unqueued
                },
            );
        }
    }

    /// A human says what is true when it is said.
    fn human(&self, world: &World, follow: Follow<'_>) {
        for decision in [Decision::ItIsThere, Decision::SendAgain, Decision::Cancel] {
            let Some(transition) = (self.step)(world.row, Input::Decided(decision)) else {
                continue;
            };
            let there = world.queued + world.posted > 0;
            let sees = match decision {
                Decision::ItIsThere => there,
                // What stands refused in the ledger is removed there first.
                Decision::SendAgain | Decision::Cancel => !there,
            };
            let looks =
                world.row.is_in_doubt() || matches!(world.row.state, State::Rejected | State::Accepted);
            let waits = self.patient && world.row.is_in_doubt() && decision != Decision::ItIsThere;
            if (looks || decision == Decision::ItIsThere) && !sees || waits && !world.is_quiet() {
                continue;
            }
            let removed = looks && decision != Decision::ItIsThere;
            let decided = World {
                left: 0,
                rejected: world.rejected && !removed,
                ..*world
            };
            // Nobody is at work for the human: the row is all that changes.
            follow(decision.as_str(), decided.keep(transition.next));
        }
    }
}
