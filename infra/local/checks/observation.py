"""Alarms: whatever can go wrong has one, and each says what to do."""

import re
from collections.abc import Iterator

from ..place import ROOT
from .lookup import contexts, dead_letters, functions, of_type, queue_events, role_of, statements, target

FLOWS = ROOT / "shared" / "src"


def every_alarm_says_what_to_do(template: dict) -> Iterator[str]:
    for name, alarm in _alarms(template).items():
        happened, _, do = alarm.get("AlarmDescription", "").partition(" Do: ")
        if not happened or not do:
            yield f"{name} does not say what happened, and after \"Do:\" what to do"


def every_alarm_is_told(template: dict) -> Iterator[str]:
    yield from (f"{name} tells nobody" for name, alarm in _alarms(template).items() if "AlarmActions" not in alarm)


def dead_letters_raise_an_alarm(template: dict) -> Iterator[str]:
    watched = _watched(template, "ApproximateNumberOfMessagesVisible")
    yield from (f"nobody watches {name}" for name in sorted(map(str, dead_letters(template) - watched)))


def late_messages_raise_an_alarm(template: dict) -> Iterator[str]:
    waiting = {target(event["Queue"]) for _, _, event in queue_events(template)}
    late = waiting - _watched(template, "ApproximateAgeOfOldestMessage")
    yield from (f"nobody sees that {name} is not worked off" for name in sorted(map(str, late)))


def errors_and_throttles_raise_an_alarm(template: dict) -> Iterator[str]:
    for metric in ("Errors", "Throttles"):
        unseen = set(functions(template)) - _watched(template, metric)
        yield from (f"nobody sees {metric} of {name}" for name in sorted(unseen))


def silence_raises_an_alarm(template: dict) -> Iterator[str]:
    ticking = {target(schedule["Target"]["Arn"])
               for schedule in of_type(template, "AWS::Scheduler::Schedule").values()}
    heard = {target(dimension["Value"]) for alarm in _alarms(template).values()
             if alarm.get("MetricName") == "Invocations" and alarm.get("TreatMissingData") == "breaching"
             for dimension in alarm["Dimensions"]}
    yield from (f"nobody sees that {name} no longer runs" for name in sorted(map(str, ticking - heard)))


def what_the_code_marks_is_counted(template: dict) -> Iterator[str]:
    marked = {mark for path in FLOWS.rglob("*.rs") for mark in re.findall(r"(?:error|warn)!\(\s*(\w+) = true,", path.read_text())}
    counted = {mark for each in _filters(template) for mark in re.findall(r"\$\.(\w+) IS TRUE", each["FilterPattern"])}
    yield from (f"nobody counts what the code marks as {mark}" for mark in sorted(marked - counted))
    yield from (f"{mark} is counted, and the code marks nothing so" for mark in sorted(counted - marked))


def what_is_counted_raises_an_alarm(template: dict) -> Iterator[str]:
    counted = {each["MetricName"] for filter in _filters(template) for each in filter["MetricTransformations"]}
    watched = {alarm.get("MetricName") for alarm in _alarms(template).values()}
    yield from (f"nobody watches {metric}" for metric in sorted(counted - watched))


def refused_credentials_are_counted_wherever_they_are_used(template: dict) -> Iterator[str]:
    counted = {target(each["LogGroupName"]) for each in _filters(template) if "$.reauthorize " in each["FilterPattern"]}
    for name, function in functions(template).items():
        uses = any(context.startswith("access token of ") or not context
                   for _, statement in statements(template, role_of(function))
                   if target(statement.get("Resource")) == "TokenKey" for context in contexts(statement) or [""])
        if uses and target(function.get("LoggingConfig", {}).get("LogGroup")) not in counted:
            yield f"nobody sees that {name} was refused a token"


def server_errors_raise_an_alarm(template: dict) -> Iterator[str]:
    if set(of_type(template, "AWS::ApiGatewayV2::Api")) - _watched(template, "5xx"):
        yield "nobody sees that the API answers with 5xx"


def _alarms(template: dict) -> dict[str, dict]:
    return of_type(template, "AWS::CloudWatch::Alarm")


def _filters(template: dict) -> list[dict]:
    return [*of_type(template, "AWS::Logs::MetricFilter").values()]


def _watched(template: dict, metric: str) -> set[str | None]:
    return {target(dimension["Value"]) for alarm in _alarms(template).values()
            if alarm.get("MetricName") == metric for dimension in alarm["Dimensions"]}


RULES = [
    every_alarm_says_what_to_do,
    every_alarm_is_told,
    dead_letters_raise_an_alarm,
    late_messages_raise_an_alarm,
    errors_and_throttles_raise_an_alarm,
    silence_raises_an_alarm,
    what_the_code_marks_is_counted,
    what_is_counted_raises_an_alarm,
    refused_credentials_are_counted_wherever_they_are_used,
    server_errors_raise_an_alarm,
]
