"""Tables: what is stored is kept, can be brought back, and goes when it should."""

from collections.abc import Iterator

from .lookup import of_type, queues

TABLE_WANTS = {
    "BillingMode": "PAY_PER_REQUEST",
    "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": True},
    "SSESpecification": {"SSEEnabled": True},
}


def tables_can_be_brought_back_and_expire_rows(template: dict) -> Iterator[str]:
    for name, table in of_type(template, "AWS::DynamoDB::Table").items():
        yield from (f"{name}: {key} is not {value}" for key, value in TABLE_WANTS.items() if table.get(key) != value)


def tables_outlive_the_stack(template: dict) -> Iterator[str]:
    for name in of_type(template, "AWS::DynamoDB::Table"):
        resource = template["Resources"][name]
        if resource.get("DeletionPolicy") not in ("Retain", "RetainExceptOnCreate"):
            yield f"{name} is deleted with the stack"
        if resource.get("UpdateReplacePolicy") != "Retain":
            yield f"{name} is deleted when it is replaced"


def queues_are_encrypted(template: dict) -> Iterator[str]:
    for name, queue in queues(template).items():
        if not queue.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"


RULES = [tables_can_be_brought_back_and_expire_rows, tables_outlive_the_stack, queues_are_encrypted]
