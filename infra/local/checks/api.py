"""The HTTP API: no route is open, unbounded, or unknown to its description."""

import json
import re
from collections.abc import Iterator

from ..place import ROOT
from .lookup import functions, of_type, target, texts

OPENAPI = ROOT / "shared" / "openapi.json"
LOGGABLE = {
    "authorizer.caller", "error.message", "integrationErrorMessage", "integrationLatency", "requestId",
    "requestTimeEpoch", "responseLatency", "responseLength", "routeKey", "status",
}


def every_route_has_the_authorizer(template: dict) -> Iterator[str]:
    authorizers = of_type(template, "AWS::ApiGatewayV2::Authorizer")
    for name, route in of_type(template, "AWS::ApiGatewayV2::Route").items():
        if route.get("AuthorizationType") != "CUSTOM" or target(route.get("AuthorizerId")) not in authorizers:
            yield f"{name} ({route['RouteKey']}) is open"


def the_authorizer_is_asked_each_time(template: dict) -> Iterator[str]:
    for name, authorizer in of_type(template, "AWS::ApiGatewayV2::Authorizer").items():
        if authorizer.get("AuthorizerResultTtlInSeconds") != 0:
            yield f"{name} lets a revoked token in for as long as its answer is kept"


def every_route_is_described_and_every_description_is_a_route(template: dict) -> Iterator[str]:
    described = {f"{method.upper()} {_shape(path)}"
                 for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
                 for method in methods if method in ("get", "put", "post", "delete", "patch")}
    routed = {_shape(route["RouteKey"]) for route in of_type(template, "AWS::ApiGatewayV2::Route").values()}
    yield from (f"{route} is not in shared/openapi.json" for route in sorted(routed - described))
    yield from (f"{route} is described and has no route" for route in sorted(described - routed))


def every_target_may_be_called_by_the_api(template: dict) -> Iterator[str]:
    permitted = {target(each["FunctionName"]) for each in of_type(template, "AWS::Lambda::Permission").values()}
    called = {target(each["IntegrationUri"]) for each in of_type(template, "AWS::ApiGatewayV2::Integration").values()}
    uris = [text for each in of_type(template, "AWS::ApiGatewayV2::Authorizer").values()
            for text in texts(each["AuthorizerUri"])]
    called |= {name for name in functions(template) for uri in uris if f"${{{name}.Arn}}" in uri}
    yield from (f"the API may not call {name}" for name in sorted(called - permitted, key=str))


def the_stage_is_throttled(template: dict) -> Iterator[str]:
    for name, stage in of_type(template, "AWS::ApiGatewayV2::Stage").items():
        settings = stage.get("DefaultRouteSettings", {})
        yield from (f"{name} has no {key}" for key in ("ThrottlingRateLimit", "ThrottlingBurstLimit")
                    if key not in settings)


def access_logs_hold_nothing_private(template: dict) -> Iterator[str]:
    for name, stage in of_type(template, "AWS::ApiGatewayV2::Stage").items():
        logged = set(re.findall(r"\$context\.([\w.-]+)", stage.get("AccessLogSettings", {}).get("Format", "")))
        if not logged:
            yield f"{name} logs no access"
        yield from (f"{name} logs {each}, which may be private" for each in sorted(logged - LOGGABLE))


def _shape(route: str) -> str:
    # A route that only one system's function answers names that system, where the description names any.
    return re.sub(r"\{\w+\}", "{}", re.sub(r"(?<=/integrations/)\w+(?=/)", "{}", route))


RULES = [
    every_route_has_the_authorizer,
    the_authorizer_is_asked_each_time,
    every_route_is_described_and_every_description_is_a_route,
    every_target_may_be_called_by_the_api,
    the_stage_is_throttled,
    access_logs_hold_nothing_private,
]
