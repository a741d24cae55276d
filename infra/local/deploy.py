"""Deploys `template.yaml`, as it is, to the emulator, and sees that what it says is there."""

import hashlib
import json
import platform
import time
from pathlib import Path

from botocore.exceptions import ClientError

from . import emulator, packaging, template as templates
from .api import Api
from .console import Problem
from .place import Place

NAME = "external-api-integration"


def deploy(place: Place, binaries: dict[str, Path]) -> str:
    """Brings the stack to what the template and the binaries are; says what it had to do."""
    template = templates.load()
    wanted = _fingerprint(template, binaries)
    if place.state().get("deployed") == wanted:
        return "nothing has changed"
    url = packaging.package(emulator.client(place, "s3"), template, binaries)
    done = _apply(emulator.client(place, "cloudformation"), url)
    outputs = _outputs(place)
    _expire_rows(place, template, outputs)
    _note_access(place, outputs)
    _tell_functions_the_address(place, template)
    _allow_schedules(place)
    _allow_contexts(place, template)
    _allow_plain_http(place, outputs)
    verify(place, template)
    place.note(deployed=wanted)
    return done


def outputs(place: Place) -> dict[str, str]:
    return place.state()["outputs"]


def verify(place: Place, template: dict) -> None:
    """Sees to what the emulator may have left out while saying that the stack is complete."""
    routes = _all_routes(place)
    expected = {route["RouteKey"] for route in templates.of_type(template, "AWS::ApiGatewayV2::Route").values()}
    _insist(routes == expected, f"routes are missing: {sorted(expected - routes)}")
    _insist(Api.anonymous(place).status("GET", "/openapi.json") == 401, "the API answers callers without a token")
    _insist(Api.administrator(place).status("GET", "/openapi.json") == 200, "the API refuses its administrator")
    issuer = Api.anonymous(place).get("/.well-known/openid-configuration")["issuer"]
    _insist(issuer == place.state()["api"], f"its tokens are for {issuer}")
    # Those of integrations, in the same group, have other names.
    listed = emulator.client(place, "scheduler").list_schedules(GroupName=NAME, NamePrefix=f"{NAME}-")["Schedules"]
    schedules = templates.of_type(template, "AWS::Scheduler::Schedule")
    _insist(len(listed) == len(schedules), "a schedule is missing")
    mappings = emulator.client(place, "lambda").list_event_source_mappings()["EventSourceMappings"]
    _insist(bool(mappings) and all(each["State"] == "Enabled" for each in mappings), "a queue wakes no function")


def _apply(cloudformation, url: str) -> str:
    request = {
        "StackName": NAME,
        "TemplateURL": url,
        "Parameters": [{"ParameterKey": "Architecture", "ParameterValue": _architecture()}],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    try:
        cloudformation.create_stack(**request)
        _settle(cloudformation, "CREATE_COMPLETE")
        return "created"
    except cloudformation.exceptions.AlreadyExistsException:
        pass
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates" in str(error):
            return "nothing has changed"
        raise
    _settle(cloudformation, "UPDATE_COMPLETE")
    return "updated"


def _settle(cloudformation, wanted: str) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until:
        stack = cloudformation.describe_stacks(StackName=NAME)["Stacks"][0]
        if stack["StackStatus"] == wanted:
            return
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise Problem(f"the deployment ended in {stack['StackStatus']}: {stack.get('StackStatusReason')}")
        time.sleep(0.2)
    raise Problem("the deployment did not end within two minutes.")


def _outputs(place: Place) -> dict[str, str]:
    stack = emulator.client(place, "cloudformation").describe_stacks(StackName=NAME)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _expire_rows(place: Place, template: dict, outputs: dict[str, str]) -> None:
    # The emulator drops this property of a table, and only this call makes rows expire there.
    dynamodb = emulator.client(place, "dynamodb")
    for name, table in templates.of_type(template, "AWS::DynamoDB::Table").items():
        dynamodb.update_time_to_live(
            TableName=outputs[name], TimeToLiveSpecification=table["TimeToLiveSpecification"]
        )


def _note_access(place: Place, outputs: dict[str, str]) -> None:
    """Notes where the API is, and keeps the administrator's token in a file that curl reads as a header."""
    api_id = outputs["ApiUrl"].split("//", 1)[1].split(".", 1)[0]
    secret = emulator.client(place, "secretsmanager").get_secret_value(SecretId=outputs["AdminSecret"])
    token = json.loads(secret["SecretString"])["token"]
    place.write("authorization", f"Authorization: Bearer {token}\n")
    # The path form needs no name resolution, which `*.localhost` does on some systems.
    place.note(outputs=outputs, api=f"{emulator.url(place)}/_aws/execute-api/{api_id}/$default")


def _tell_functions_the_address(place: Place, template: dict) -> None:
    """Puts the address that callers use here into the functions that hand it out, in tokens and beside secrets."""
    # On AWS it is the API's endpoint or `PublicUrl`. The emulator's endpoint is a name under `localhost`, and an address
    # without one has the id of the API in it, which is not known before the stack is there.
    client = emulator.client(place, "lambda")
    for function in templates.functions(template).values():
        if "API_URL" not in function.get("Environment", {}).get("Variables", {}):
            continue
        name = f"{NAME}-{templates.package(function)}"
        told = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        if told["API_URL"] != place.state()["api"]:
            told["API_URL"] = place.state()["api"]
            client.update_function_configuration(FunctionName=name, Environment={"Variables": told})
            client.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})


def _allow_plain_http(place: Place, outputs: dict[str, str]) -> None:
    """Takes away what refuses requests for files without TLS, which the emulator does not speak."""
    emulator.client(place, "s3").delete_bucket_policy(Bucket=outputs["FilesBucket"])


def _allow_schedules(place: Place) -> None:
    """Allows functions, in the default group, what their roles allow in the group of the stack."""
    # The emulator holds each schedule against the default group, whichever it is in.
    for function in ("integrations", "reconcile"):
        policy = json.dumps(_policy(place, function))
        _allow_too(place, function, "schedules", policy.replace(f":schedule/{NAME}/", ":schedule/default/"))


def _allow_contexts(place: Place, template: dict) -> None:
    """Allows functions, whatever something is sealed for, what their roles allow for some things."""
    # The emulator does not know that condition, and so would refuse everything.
    for function in (*templates.systems(template), "integrations", "webhooks"):
        policy = _policy(place, function)
        confined = [each for each in policy["Statement"] if "kms:EncryptionContext:" in json.dumps(each)]
        for statement in confined:
            del statement["Condition"]
        _allow_too(place, function, "contexts", json.dumps({**policy, "Statement": confined}))


def _policy(place: Place, function: str) -> dict:
    return emulator.client(place, "iam").get_role_policy(RoleName=_role(place, function), PolicyName=function)["PolicyDocument"]


def _allow_too(place: Place, function: str, what: str, policy: str) -> None:
    emulator.client(place, "iam").put_role_policy(
        RoleName=_role(place, function), PolicyName=f"{function}-{what}-in-the-emulator", PolicyDocument=policy
    )


def _role(place: Place, function: str) -> str:
    told = emulator.client(place, "lambda").get_function_configuration(FunctionName=f"{NAME}-{function}")
    return told["Role"].split("/")[-1]


def _all_routes(place: Place) -> set[str]:
    gateway = emulator.client(place, "apigatewayv2")
    apis = gateway.get_apis()["Items"]
    return {route["RouteKey"] for api in apis for route in gateway.get_routes(ApiId=api["ApiId"])["Items"]}


def _insist(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Problem(f"the stack was deployed, but {otherwise}.")


def _architecture() -> str:
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def _fingerprint(template: dict, binaries: dict[str, Path]) -> str:
    parts = {name: packaging.digest(binary) for name, binary in binaries.items()}
    return hashlib.sha256(json.dumps([template, parts], sort_keys=True).encode()).hexdigest()
