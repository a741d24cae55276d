//! The scheduler in memory: for fast tests and simulation, which do the calling.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Order, Scheduler, SchedulerError};

/// Orders in memory.
#[derive(Debug, Default)]
pub struct MemoryScheduler {
    orders: Mutex<BTreeMap<String, Order>>,
    down: AtomicBool,
    refuses: AtomicBool,
}

impl MemoryScheduler {
    /// Makes one without orders.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes it down, or up again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// Has it refuse whatever it is told, or take it again.
    pub fn set_refusing(&self, refuses: bool) {
        self.refuses.store(refuses, Ordering::SeqCst);
    }

    /// Returns the orders, by their names.
    #[must_use]
    pub fn orders(&self) -> BTreeMap<String, Order> {
        self.kept().clone()
    }

    /// Deletes an order behind everybody's back.
    pub fn lose(&self, name: &str) {
        self.kept().remove(name);
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Order>> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn up(&self) -> Result<(), SchedulerError> {
        if self.down.load(Ordering::SeqCst) {
            Err(SchedulerError::Unavailable("it is down".into()))
        } else {
            Ok(())
        }
    }
}

#[async_trait]
impl Scheduler for MemoryScheduler {
    async fn put(&self, order: &Order) -> Result<(), SchedulerError> {
        self.up()?;
        if self.refuses.load(Ordering::SeqCst) {
            return Err(SchedulerError::Invalid("it is refused".into()));
        }
        self.kept().insert(order.name.clone(), order.clone());
        Ok(())
    }

    async fn get(&self, name: &str) -> Result<Option<Order>, SchedulerError> {
        self.up()?;
        Ok(self.kept().get(name).cloned())
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, SchedulerError> {
        self.up()?;
        let kept = self.kept();
        let names = kept.keys().filter(|name| name.starts_with(prefix));
        Ok(names.cloned().collect())
    }

    async fn delete(&self, name: &str) -> Result<(), SchedulerError> {
        self.up()?;
        self.kept().remove(name);
        Ok(())
    }
}
