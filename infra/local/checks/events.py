"""Queues, schedules and rules: nothing that wakes a function, or tells of its work, is lost silently."""

import re
from collections.abc import Iterator

from .lookup import dead_letters, of_type, queue_events, queues, target

LONGEST_RETENTION = 14 * 24 * 3600


def queues_wait_for_six_timeouts(template: dict) -> Iterator[str]:
    for name, function, event in queue_events(template):
        queue = queues(template)[target(event["Queue"])]
        if queue.get("VisibilityTimeout", 30) < 6 * function["Timeout"]:
            yield f"{name}: its queue shows a message again before six timeouts of the function have passed"


def batches_report_what_failed(template: dict) -> Iterator[str]:
    for name, _, event in queue_events(template):
        if "ReportBatchItemFailures" not in event.get("FunctionResponseTypes", []):
            yield f"{name} does not say which messages failed: all would count as done, or none"


def queues_have_dead_letters(template: dict) -> Iterator[str]:
    ends = dead_letters(template)
    for name, queue in queues(template).items():
        if name in ends:
            if queue.get("MessageRetentionPeriod") != LONGEST_RETENTION:
                yield f"{name} does not keep dead letters for as long as it could"
        elif "RedrivePolicy" not in queue:
            yield f"{name} has no dead letter queue"


def fifo_queues_have_fifo_dead_letters(template: dict) -> Iterator[str]:
    for name, queue in queues(template).items():
        end = target(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn"))
        if end and queue.get("FifoQueue") != queues(template)[end].get("FifoQueue"):
            yield f"{name} and {end} must both be FIFO queues, or neither"


def schedules_are_named_and_lose_nothing(template: dict) -> Iterator[str]:
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule").items():
        # Without them AWS names schedules in a group that all stacks share.
        yield from (f"{name} has no {key}" for key in ("Name", "GroupName") if key not in schedule)
        yield from _lost_by(name, schedule["Target"])


def no_schedule_is_in_the_hour_that_spring_skips(template: dict) -> Iterator[str]:
    for name, schedule in of_type(template, "AWS::Scheduler::Schedule").items():
        hour = re.match(r"cron\(\S+ (\S+) ", schedule["ScheduleExpression"])
        zone = schedule.get("ScheduleExpressionTimezone", "UTC")
        if hour and zone != "UTC" and hour[1] in ("0", "1", "2", "3"):
            yield f"{name} does not run on the day on which {zone} skips its hour"


def rules_lose_nothing(template: dict) -> Iterator[str]:
    for name, rule in of_type(template, "AWS::Events::Rule").items():
        for each in rule["Targets"]:
            yield from _lost_by(f"{name}.{each['Id']}", each)


def _lost_by(name: str, destination: dict) -> Iterator[str]:
    yield from (f"{name} has no {key}" for key in ("RetryPolicy", "DeadLetterConfig") if key not in destination)


RULES = [
    queues_wait_for_six_timeouts,
    batches_report_what_failed,
    queues_have_dead_letters,
    fifo_queues_have_fifo_dead_letters,
    schedules_are_named_and_lose_nothing,
    no_schedule_is_in_the_hour_that_spring_skips,
    rules_lose_nothing,
]
