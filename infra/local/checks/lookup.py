"""Finds its way around a template."""

from collections.abc import Iterator
from typing import Any

from .. import template as templates

# The name under which KMS is told what something is sealed for.
CONTEXT = "kms:EncryptionContext:for"

of_type = templates.of_type
functions = templates.functions
package = templates.package
packages = templates.packages


def many(value: Any) -> list:
    return value if isinstance(value, list) else [value]


def target(value: Any) -> str | None:
    """Returns the logical id that a `Ref` or `GetAtt` points to."""
    if isinstance(value, dict):
        if "Ref" in value:
            return value["Ref"]
        if "Fn::GetAtt" in value:
            return value["Fn::GetAtt"][0]
    return None


def queues(template: dict) -> dict[str, dict]:
    return of_type(template, "AWS::SQS::Queue")


def queue_events(template: dict) -> Iterator[tuple[str, dict, dict]]:
    """Returns each event that a queue sends to a function: its name, the function, the event."""
    for name, function in functions(template).items():
        for event_name, event in function.get("Events", {}).items():
            if event["Type"] == "SQS":
                yield f"{name}.{event_name}", function, event["Properties"]


def dead_letters(template: dict) -> set[str | None]:
    """Returns the queues that hold what other things could not hand on."""
    found = {target(queue["RedrivePolicy"]["deadLetterTargetArn"])
             for queue in queues(template).values() if "RedrivePolicy" in queue}
    return found | {target(each.get("Arn")) for each in _values(template, "DeadLetterConfig")}


def statements(template: dict, owner: str | None = None) -> Iterator[tuple[str, dict]]:
    """Returns each statement of each policy, or of one role's, with the name of the resource that it stands in."""
    for name, resource in template["Resources"].items():
        if owner in (None, name):
            for document in _values(resource, "PolicyDocument"):
                yield from ((name, statement) for statement in many(document["Statement"]))


def contexts(statement: dict) -> list[str]:
    """Returns the contexts that a statement is confined to; none where it is not confined."""
    return many(statement.get("Condition", {}).get("StringLike", {}).get(CONTEXT, []))


def role_of(function: dict) -> str | None:
    return target(function.get("Role"))


def texts(value: Any) -> Iterator[str]:
    """Returns every text within a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def _values(value: Any, key: str) -> Iterator[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and key in value:
        yield value[key]
    for part in parts:
        yield from _values(part, key)
