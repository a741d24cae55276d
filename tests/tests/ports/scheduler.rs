//! [`Scheduler`]: in memory, and on EventBridge Scheduler over a scripted wire.

use serde_json::{Value, json};
use shared::clients::Clients;
use shared::scheduler::{EventBridgeScheduler, MemoryScheduler, Order, Scheduler, SchedulerError, Target};

use crate::wire::{Fate, Wire};

const PLACE: &str = "/schedules/sync-dynamics365-1";

fn order() -> Order {
    Order {
        name: "sync-dynamics365-1".to_owned(),
        expression: "cron(30 2 * * ? *)".to_owned(),
        zone: "Europe/Oslo".to_owned(),
        start: None,
        input: r#"{"scheduledTime":"<scheduled-time>"}"#.to_owned(),
        enabled: true,
    }
}

fn scheduler(wire: &Wire) -> EventBridgeScheduler {
    let client = Clients::new(wire.config("http://scheduler.test")).scheduler();
    let target = Target {
        group: "group".to_owned(),
        function: "arn:aws:lambda:eu-north-1:1:function:trigger-sync".to_owned(),
        role: "arn:aws:iam::1:role/tick".to_owned(),
        dead_letters: "arn:aws:sqs:eu-north-1:1:undelivered".to_owned(),
    };
    EventBridgeScheduler::new(client, target)
}

fn refused(status: u16, code: &str) -> Fate {
    Fate::Gets(status, json!({ "__type": code, "Message": "canary" }))
}

#[tokio::test]
async fn of_two_orders_the_later_one_counts_and_what_was_put_is_got() {
    let scheduler = MemoryScheduler::new();
    let later = Order {
        enabled: false,
        ..order()
    };
    for order in [order(), later.clone()] {
        scheduler.put(&order).await.unwrap();
        assert_eq!(scheduler.get(&order.name).await.unwrap(), Some(order));
    }
    let other = Order {
        name: "other".to_owned(),
        ..order()
    };
    scheduler.put(&other).await.unwrap();
    assert_eq!(scheduler.names("sync-").await.unwrap(), [order().name]);
    for _ in 0..2 {
        scheduler.delete(&later.name).await.unwrap();
        assert_eq!(scheduler.get(&later.name).await.unwrap(), None);
    }
}

#[tokio::test]
async fn an_order_becomes_a_schedule_that_calls_the_target_with_retries_and_dead_letters() {
    let wire = Wire::always(200, json!({ "ScheduleArn": "arn" }));
    scheduler(&wire).put(&order()).await.unwrap();
    let sent = &wire.sent()[0];
    assert_eq!(sent.operation, format!("POST {PLACE}"));
    assert_eq!(
        (
            &sent.body["GroupName"],
            &sent.body["ScheduleExpression"],
            &sent.body["ScheduleExpressionTimezone"]
        ),
        (
            &json!("group"),
            &json!("cron(30 2 * * ? *)"),
            &json!("Europe/Oslo")
        )
    );
    assert_eq!(
        (&sent.body["State"], &sent.body["FlexibleTimeWindow"]["Mode"]),
        (&json!("ENABLED"), &json!("OFF"))
    );
    let target = &sent.body["Target"];
    assert_eq!(
        target["Input"],
        r#"{"scheduledTime":"<aws.scheduler.scheduled-time>"}"#
    );
    assert_eq!(
        target["DeadLetterConfig"]["Arn"],
        "arn:aws:sqs:eu-north-1:1:undelivered"
    );
    assert_eq!(target["RetryPolicy"]["MaximumEventAgeInSeconds"], 3_600);
    assert_eq!(sent.body["StartDate"], Value::Null);
}

#[tokio::test]
async fn an_order_of_a_name_that_there_is_takes_its_place() {
    let wire = Wire::new(|number, _| match number {
        0 => refused(409, "ConflictException"),
        _ => Fate::Gets(200, json!({ "ScheduleArn": "arn" })),
    });
    scheduler(&wire).put(&order()).await.unwrap();
    assert_eq!(
        wire.operations(),
        [format!("POST {PLACE}"), format!("PUT {PLACE}")]
    );
}

#[tokio::test]
async fn what_is_kept_is_read_as_it_was_put() {
    let wire = Wire::new(|number, _| match number {
        0 => Fate::Gets(
            200,
            json!({
                "Name": "sync-dynamics365-1", "ScheduleExpression": "cron(30 2 * * ? *)",
                "ScheduleExpressionTimezone": "Europe/Oslo", "State": "ENABLED",
                "Target": { "Arn": "a", "RoleArn": "r", "Input": r#"{"scheduledTime":"<aws.scheduler.scheduled-time>"}"# },
            }),
        ),
        _ => refused(404, "ResourceNotFoundException"),
    });
    let scheduler = scheduler(&wire);
    assert_eq!(scheduler.get("sync-dynamics365-1").await.unwrap(), Some(order()));
    assert_eq!(scheduler.get("sync-dynamics365-1").await.unwrap(), None);
    scheduler.delete("sync-dynamics365-1").await.unwrap();
    assert_eq!(wire.operations()[2], format!("DELETE {PLACE}"));
}

#[tokio::test]
async fn every_page_of_names_is_listed() {
    let wire = Wire::new(|number, _| {
        let name = format!("sync-dynamics365-{number}");
        let next = (number < 2).then(|| format!("after {number}"));
        Fate::Gets(200, json!({ "Schedules": [{ "Name": name }], "NextToken": next }))
    });
    let names = scheduler(&wire).names("sync-").await.unwrap();
    assert_eq!(
        names,
        ["sync-dynamics365-0", "sync-dynamics365-1", "sync-dynamics365-2"]
    );
    assert_eq!(wire.operations(), ["GET /schedules"; 3]);
}

#[tokio::test]
async fn errors_are_sorted_by_what_comes_next_and_tell_nothing() {
    for (status, code, invalid) in [
        (400, "ValidationException", true),
        (429, "ThrottlingException", false),
        (402, "ServiceQuotaExceededException", false),
        (403, "AccessDeniedException", false),
        (500, "InternalServerException", false),
    ] {
        let wire = Wire::new(move |_, _| refused(status, code));
        let error = scheduler(&wire).put(&order()).await.unwrap_err();
        assert_eq!(matches!(error, SchedulerError::Invalid(_)), invalid, "{code}");
        assert!(!error.to_string().contains("canary"));
        assert!(scheduler(&wire).delete("x").await.is_err(), "{code}");
    }
}
