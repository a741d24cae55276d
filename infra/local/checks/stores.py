"""What is stored is kept, can be brought back, and goes when it should; and so do the keys to it."""

from collections.abc import Iterator

from ..place import ROOT
from .lookup import contexts, functions, many, of_type, queues, role_of, statements, target, texts

SYMMETRIC = "SYMMETRIC_DEFAULT"
LONGEST_WINDOW = 30
CODE = ROOT / "shared" / "src"
# The only kinds of things that more than one function opens, as their contexts begin, and where the code seals them.
SHARED = {
    "access token of ": (CODE / "oauth" / "source.rs", '"access token of {id}"'),
    "webhook secret of ": (CODE / "inbox" / "endpoint.rs", '"webhook secret of {integration}/{}"'),
}
ACCOUNT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
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
    yield from _lost_with_the_stack(template, "AWS::DynamoDB::Table")


def keys_outlive_the_stack(template: dict) -> Iterator[str]:
    yield from _lost_with_the_stack(template, "AWS::KMS::Key")
    for name, key in _keys(template).items():
        if key.get("PendingWindowInDays") != LONGEST_WINDOW:
            yield f"{name} does not wait for {LONGEST_WINDOW} days before it is gone"


def keys_that_can_rotate_do(template: dict) -> Iterator[str]:
    for name, key in _keys(template).items():
        if key.get("KeySpec", SYMMETRIC) == SYMMETRIC and not key.get("EnableKeyRotation"):
            yield f"{name} does not rotate"


def keys_are_open_to_roles_only(template: dict) -> Iterator[str]:
    for name, key in _keys(template).items():
        for statement in many(key.get("KeyPolicy", {}).get("Statement", [])):
            if statement.get("Principal") != {"AWS": {"Fn::Sub": ACCOUNT}}:
                yield f"{name} is open by its own policy, which no role shows"


def what_is_sealed_is_opened_by_one_function(template: dict) -> Iterator[str]:
    for name, key in _keys(template).items():
        roles = {str(role) for role in map(role_of, functions(template).values())
                 for _, statement in statements(template, role)
                 if name in map(target, many(statement.get("Resource", []))) and not contexts(statement)}
        if key.get("KeySpec", SYMMETRIC) == SYMMETRIC and len(roles) != 1:
            yield f"{name} is open to {' and '.join(sorted(roles)) or 'nobody'}"


def others_open_nothing_but_what_is_shared(template: dict) -> Iterator[str]:
    # The emulator does not know contexts: only here is it seen that a role names those that the code seals in.
    yield from (f"nothing is sealed as {kind}anybody" for kind, (path, text) in SHARED.items()
                if text not in path.read_text())
    for owner, statement in statements(template):
        for context in contexts(statement):
            if not context.startswith(tuple(SHARED)):
                yield f"{owner} may open {context}"


def queues_are_encrypted(template: dict) -> Iterator[str]:
    for name, queue in queues(template).items():
        if not queue.get("SqsManagedSseEnabled"):
            yield f"{name} is not encrypted"


def buckets_are_encrypted_closed_and_emptied(template: dict) -> Iterator[str]:
    policies = of_type(template, "AWS::S3::BucketPolicy").values()
    for name, bucket in of_type(template, "AWS::S3::Bucket").items():
        if "aws:kms" not in texts(bucket.get("BucketEncryption")):
            yield f"{name} is not encrypted with KMS"
        if list(bucket.get("PublicAccessBlockConfiguration", {}).values()) != [True] * 4:
            yield f"{name} may be opened to the public"
        if not any(rule.get("ExpirationInDays") for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])):
            yield f"{name} keeps its objects for ever"
        if not any(target(policy["Bucket"]) == name and _only_by_tls(policy) for policy in policies):
            yield f"{name} takes requests without TLS"


def _only_by_tls(policy: dict) -> bool:
    return any(statement["Effect"] == "Deny" and statement["Principal"] == "*"
               and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
               for statement in policy["PolicyDocument"]["Statement"])


def _keys(template: dict) -> dict[str, dict]:
    return of_type(template, "AWS::KMS::Key")


def _lost_with_the_stack(template: dict, kind: str) -> Iterator[str]:
    for name in of_type(template, kind):
        resource = template["Resources"][name]
        if resource.get("DeletionPolicy") not in ("Retain", "RetainExceptOnCreate"):
            yield f"{name} is deleted with the stack"
        if resource.get("UpdateReplacePolicy") != "Retain":
            yield f"{name} is deleted when it is replaced"


RULES = [
    tables_can_be_brought_back_and_expire_rows,
    tables_outlive_the_stack,
    keys_outlive_the_stack,
    keys_that_can_rotate_do,
    keys_are_open_to_roles_only,
    what_is_sealed_is_opened_by_one_function,
    others_open_nothing_but_what_is_shared,
    queues_are_encrypted,
    buckets_are_encrypted_closed_and_emptied,
]
