//! An adapter that could not be set up, and says so whenever it is asked.

use std::time::Duration;

use async_trait::async_trait;

use super::{
    Adapter, Capability, Change, Cursor, Error, ErrorKind, Finding, Found, From, KindCapability, References,
};
use super::{Outcome, Pulled, Result, Subscribed, Subscription, Usage};
use crate::model::{Kind, System};

/// Stands in for the adapter of an integration whose settings or credentials cannot be used.
#[derive(Debug)]
pub struct Unusable {
    system: System,
    kind: ErrorKind,
    message: String,
}

impl Unusable {
    /// Says why the adapter could not be set up.
    pub fn new(system: System, kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            system,
            kind,
            message: message.into(),
        }
    }

    fn error(&self) -> Error {
        Error::new(self.kind, self.message.clone())
    }
}

#[async_trait]
impl Adapter for Unusable {
    fn system(&self) -> System {
        self.system
    }

    fn capability(&self) -> Capability {
        let of = |kind: &Kind| KindCapability {
            kind: *kind,
            mapped: 0,
            tracks_changes: false,
            pushes: false,
            references: References::ByLink,
            lag: Duration::ZERO,
        };
        Capability {
            kinds: Kind::ALL.iter().map(of).collect(),
            push_batch: 1,
            find_batch: 1,
            pushes_unread: false,
        }
    }

    fn usable(&self) -> Result<()> {
        Err(self.error())
    }

    fn take_usage(&self) -> Usage {
        Usage::default()
    }

    async fn probe(&self) -> Vec<Finding> {
        let cause = if self.kind == ErrorKind::Unauthenticated {
            "key"
        } else {
            "configuration"
        };
        let question = "set up".to_owned();
        vec![Finding {
            question,
            works: false,
            cause: Some(cause),
            answer: self.message.clone(),
        }]
    }

    async fn pull(&self, _: Kind, _: &From) -> Result<Pulled> {
        Err(self.error())
    }

    async fn acknowledge(&self, _: Kind, _: &Cursor) -> Result<()> {
        Err(self.error())
    }

    async fn push(&self, _: Kind, _: &[Change]) -> Result<Vec<Outcome>> {
        Err(self.error())
    }

    async fn find(&self, _: Kind, _: &[Box<str>]) -> Result<Vec<Found>> {
        Err(self.error())
    }

    async fn subscribe(&self, _: &Subscription) -> Result<Subscribed> {
        Err(self.error())
    }

    async fn unsubscribe(&self, _: &str) -> Result<()> {
        Err(self.error())
    }
}
