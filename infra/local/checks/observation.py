"""Alarms: whatever can go wrong has one, and each says what to do."""

from collections.abc import Iterator

from .lookup import dead_letters, functions, of_type, queue_events, target


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


def server_errors_raise_an_alarm(template: dict) -> Iterator[str]:
    if set(of_type(template, "AWS::ApiGatewayV2::Api")) - _watched(template, "5xx"):
        yield "nobody sees that the API answers with 5xx"


def _alarms(template: dict) -> dict[str, dict]:
    return of_type(template, "AWS::CloudWatch::Alarm")


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
    server_errors_raise_an_alarm,
]
