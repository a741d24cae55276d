//! Seeded chance, and the points at which a worker may be killed or put to sleep.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::sync::Notify;

/// What happens to a worker at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Killed,
    /// Put to sleep, to wake up long after its lease has run out.
    Asleep,
}

/// Everything that is left to chance, from one seed.
#[derive(Debug)]
pub(crate) struct Dice {
    random: Mutex<fastrand::Rng>,
    faults: AtomicBool,
    words: AtomicU64,
    /// Points until the next fate; zero is never.
    fuse: AtomicU64,
    fate: Mutex<Option<Fate>>,
    struck: Notify,
    sleepers: Notify,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            random: Mutex::new(fastrand::Rng::with_seed(seed)),
            faults: AtomicBool::new(true),
            words: AtomicU64::new(0),
            fuse: AtomicU64::new(0),
            fate: Mutex::new(None),
            struck: Notify::new(),
            sleepers: Notify::new(),
        }
    }

    pub(crate) fn below(&self, limit: usize) -> usize {
        self.random.lock().unwrap().usize(..limit)
    }

    pub(crate) fn one_in(&self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    /// Says, while faults are on, whether one strikes.
    pub(crate) fn fault(&self, chances: usize) -> bool {
        self.faults.load(Ordering::Relaxed) && self.one_in(chances)
    }

    pub(crate) fn word(&self, stem: &str) -> Box<str> {
        format!("{stem}-{}", self.words.fetch_add(1, Ordering::Relaxed)).into()
    }

    pub(crate) fn calm(&self) {
        self.faults.store(false, Ordering::Relaxed);
        self.fuse.store(0, Ordering::Relaxed);
    }

    /// Lights a fuse: at some point not far off, the worker meets its fate.
    pub(crate) fn light(&self) {
        if self.fault(2) {
            self.fuse.store(self.below(60) as u64 + 1, Ordering::Relaxed);
        }
    }

    /// A point at which the worker may be killed or put to sleep.
    pub(crate) async fn point(&self) {
        let fuse = self.fuse.load(Ordering::Relaxed);
        if fuse == 0 {
            return;
        }
        self.fuse.store(fuse - 1, Ordering::Relaxed);
        if fuse == 1 {
            let fate = if self.one_in(3) {
                Fate::Asleep
            } else {
                Fate::Killed
            };
            *self.fate.lock().unwrap() = Some(fate);
            self.struck.notify_one();
            self.sleepers.notified().await;
        }
    }

    /// Returns once a worker has met its fate.
    pub(crate) async fn struck(&self) -> Fate {
        loop {
            self.struck.notified().await;
            if let Some(fate) = self.fate.lock().unwrap().take() {
                return fate;
            }
        }
    }

    /// Puts the fuse out: who is awake now stays awake.
    pub(crate) fn put_out(&self) {
        self.fuse.store(0, Ordering::Relaxed);
    }

    pub(crate) fn wake_sleepers(&self) {
        self.sleepers.notify_waiters();
    }
}
