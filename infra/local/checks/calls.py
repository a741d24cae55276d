"""What the functions may do on AWS, and what their code does."""

import re
from collections.abc import Iterator

from ..place import ROOT
from .lookup import functions, many, of_type, role_of, statements, target, texts

SOURCES = ROOT / "shared" / "src"
PREFIXES = {
    "dynamodb": "dynamodb", "eventbridge": "events", "kms": "kms", "scheduler": "scheduler",
    "s3": "s3", "secretsmanager": "secretsmanager", "sqs": "sqs",
}
# What Lambda itself does, in the name of a function, to hand it the messages of a queue.
DELIVERY = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# AWS takes these for everything of their kind, or not at all.
ALL_OR_NOTHING = {"scheduler:ListSchedules"}
# To look at an object is to read it; and who may not list a bucket is told that what is missing is denied.
UNDER_ANOTHER_NAME = {"s3:HeadObject": {"s3:GetObject", "s3:ListBucket"}}
# A transaction is allowed by the actions that it is made of.
TRANSACTION_PARTS = {"put": "PutItem", "update": "UpdateItem", "delete": "DeleteItem", "condition_check": "ConditionCheckItem"}


def nothing_is_allowed_wholesale(template: dict) -> Iterator[str]:
    for owner, statement in statements(template):
        if statement["Effect"] == "Deny":
            continue
        if "NotAction" in statement or "NotResource" in statement:
            yield f"{owner} allows all but something"
        yield from (f"{owner} allows {action}" for action in many(statement.get("Action", [])) if "*" in action)
        if ALL_OR_NOTHING.issuperset(many(statement.get("Action", []))):
            continue
        for text in texts(statement.get("Resource", [])):
            if "*" in text and not re.search(r"/[\w-]+([/-]\*|/\*/[\w-]+)$|^\$\{\w+Bucket\.Arn\}/(\*/[\w-]+/)?\*$", text):
                yield f"{owner} allows something on {text}"


def every_pass_of_a_role_names_one_role_and_one_service(template: dict) -> Iterator[str]:
    roles = of_type(template, "AWS::IAM::Role")
    for owner, statement in statements(template):
        if "iam:PassRole" not in many(statement.get("Action", [])):
            continue
        passed = many(statement.get("Resource", []))
        if len(passed) != 1 or target(passed[0]) not in roles:
            yield f"{owner} passes something else than one role of this template"
        services = many(statement.get("Condition", {}).get("StringEquals", {}).get("iam:PassedToService", []))
        if len(services) != 1:
            yield f"{owner} passes a role to something else than one service"


def what_the_code_calls_is_allowed(template: dict) -> Iterator[str]:
    missing = _called() - _allowed(template)
    yield from (f"the code calls {action}, and no function may" for action in sorted(missing))


def what_is_allowed_is_called(template: dict) -> Iterator[str]:
    services = tuple(f"{prefix}:" for prefix in PREFIXES.values())
    allowed = {action for action in _allowed(template) if action.startswith(services)}
    unused = allowed - _called() - DELIVERY
    yield from (f"a function may {action}, and no code calls it" for action in sorted(unused))


def _allowed(template: dict) -> set[str]:
    roles = [role_of(function) for function in functions(template).values()]
    return {action for role in roles for _, statement in statements(template, role)
            for action in many(statement["Action"])}


def _called() -> set[str]:
    called = {action for path in SOURCES.rglob("*.rs") for action in _calls_in(path.read_text())}
    return {name for action in called for name in UNDER_ANOTHER_NAME.get(action, {action})}


def _calls_in(source: str) -> Iterator[str]:
    for sdk, prefix in PREFIXES.items():
        if f"aws_sdk_{sdk}" not in source and f"client: &{sdk}" not in source:
            continue
        for operation in re.findall(r"client\s*\.(\w+)\(\)", source):
            if operation not in ("config", "transact_write_items"):
                yield f"{prefix}:{operation.title().replace('_', '')}"
    if "TransactWriteItem::builder()" in source:
        parts = re.findall(r"\bpart\.(\w+)\(", source)
        yield from (f"dynamodb:{TRANSACTION_PARTS[part]}" for part in parts if part in TRANSACTION_PARTS)


RULES = [
    nothing_is_allowed_wholesale,
    every_pass_of_a_role_names_one_role_and_one_service,
    what_the_code_calls_is_allowed,
    what_is_allowed_is_called,
]
