//! The scheduler on Amazon EventBridge Scheduler.

use std::fmt;

use async_trait::async_trait;
use aws_sdk_scheduler::Client;
use aws_sdk_scheduler::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_scheduler::primitives::DateTime;
use aws_sdk_scheduler::types::{
    ActionAfterCompletion, DeadLetterConfig, FlexibleTimeWindow, FlexibleTimeWindowMode, RetryPolicy,
    ScheduleState, Target as Called,
};

use jiff::Timestamp;

use super::{Order, Scheduler, SchedulerError};

/// What Scheduler puts in place of the time for which a call was scheduled.
const SCHEDULED_TIME: &str = "<aws.scheduler.scheduled-time>";

/// How long a call that failed is repeated, in seconds: after that the next look of `reconcile` does the same.
const LATEST: i32 = 3_600;

/// Whom the calls go to, and in whose name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The group that the schedules are in.
    pub group: String,
    /// The ARN of the function that is called.
    pub function: String,
    /// The ARN of the role that may call it.
    pub role: String,
    /// The ARN of the queue for calls that were not delivered.
    pub dead_letters: String,
}

/// Keeps orders as schedules of one group.
#[derive(Clone)]
pub struct EventBridgeScheduler {
    client: Client,
    target: Target,
}

impl fmt::Debug for EventBridgeScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventBridgeScheduler")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl EventBridgeScheduler {
    /// Calls one target.
    #[must_use]
    pub const fn new(client: Client, target: Target) -> Self {
        Self { client, target }
    }

    fn called(&self, order: &Order) -> Result<Called, SchedulerError> {
        let letters = DeadLetterConfig::builder().arn(&self.target.dead_letters).build();
        let retries = RetryPolicy::builder()
            .maximum_retry_attempts(5)
            .maximum_event_age_in_seconds(LATEST)
            .build();
        Called::builder()
            .arn(&self.target.function)
            .role_arn(&self.target.role)
            .input(order.input.replace("<scheduled-time>", SCHEDULED_TIME))
            .dead_letter_config(letters)
            .retry_policy(retries)
            .build()
            .map_err(|error| SchedulerError::Invalid(Box::new(error)))
    }

    async fn create(&self, order: &Order) -> Result<bool, SchedulerError> {
        let answer = self
            .client
            .create_schedule()
            .group_name(&self.target.group)
            .name(&order.name)
            .schedule_expression(&order.expression)
            .schedule_expression_timezone(&order.zone)
            .set_start_date(start(order))
            .flexible_time_window(at_the_minute()?)
            .action_after_completion(ActionAfterCompletion::None)
            .state(state(order))
            .target(self.called(order)?)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.code() == Some("ConflictException") => Ok(false),
            Err(error) => Err(sorted(error)),
        }
    }
}

fn at_the_minute() -> Result<FlexibleTimeWindow, SchedulerError> {
    FlexibleTimeWindow::builder()
        .mode(FlexibleTimeWindowMode::Off)
        .build()
        .map_err(|error| SchedulerError::Invalid(Box::new(error)))
}

fn start(order: &Order) -> Option<DateTime> {
    order.start.map(|start| DateTime::from_secs(start.as_second()))
}

const fn state(order: &Order) -> ScheduleState {
    if order.enabled {
        ScheduleState::Enabled
    } else {
        ScheduleState::Disabled
    }
}

#[async_trait]
impl Scheduler for EventBridgeScheduler {
    async fn put(&self, order: &Order) -> Result<(), SchedulerError> {
        if self.create(order).await? {
            return Ok(());
        }
        self.client
            .update_schedule()
            .group_name(&self.target.group)
            .name(&order.name)
            .schedule_expression(&order.expression)
            .schedule_expression_timezone(&order.zone)
            .set_start_date(start(order))
            .flexible_time_window(at_the_minute()?)
            .action_after_completion(ActionAfterCompletion::None)
            .state(state(order))
            .target(self.called(order)?)
            .send()
            .await
            .map(drop)
            .map_err(sorted)
    }

    async fn get(&self, name: &str) -> Result<Option<Order>, SchedulerError> {
        let request = self
            .client
            .get_schedule()
            .group_name(&self.target.group)
            .name(name);
        let kept = match request.send().await {
            Ok(kept) => kept,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(sorted(error)),
        };
        let input = kept
            .target()
            .and_then(|target| target.input())
            .unwrap_or_default();
        Ok(Some(Order {
            name: name.to_owned(),
            expression: kept.schedule_expression().unwrap_or_default().to_owned(),
            zone: kept.schedule_expression_timezone().unwrap_or_default().to_owned(),
            start: kept
                .start_date()
                .and_then(|start| Timestamp::from_second(start.secs()).ok()),
            input: input.replace(SCHEDULED_TIME, "<scheduled-time>"),
            enabled: kept.state() == Some(&ScheduleState::Enabled),
        }))
    }

    async fn names(&self, prefix: &str) -> Result<Vec<String>, SchedulerError> {
        let request = self
            .client
            .list_schedules()
            .group_name(&self.target.group)
            .name_prefix(prefix);
        let mut pages = request.into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(listed) = pages.next().await {
            let listed = listed.map_err(sorted)?;
            names.extend(listed.name().map(ToOwned::to_owned));
        }
        Ok(names)
    }

    async fn delete(&self, name: &str) -> Result<(), SchedulerError> {
        let request = self
            .client
            .delete_schedule()
            .group_name(&self.target.group)
            .name(name);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(()),
            Err(error) => Err(sorted(error)),
        }
    }
}

/// Sorts Scheduler's errors by what the caller does next.
///
/// Source: Amazon EventBridge Scheduler API Reference, the errors of `CreateSchedule` and `UpdateSchedule`.
fn sorted<E, R>(error: SdkError<E, R>) -> SchedulerError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: fmt::Debug + Send + Sync + 'static,
{
    match error.code() {
        Some("ValidationException") => SchedulerError::Invalid(Box::new(error)),
        _ => SchedulerError::Unavailable(Box::new(error)),
    }
}
