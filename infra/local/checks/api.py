"""The HTTP API: no route is open unless it is meant to be, and none is unbounded or unknown to its description."""

import json
import re
from collections.abc import Iterator

from ..place import ROOT
from .lookup import functions, many, of_type, target, texts

OPENAPI = ROOT / "shared" / "openapi.json"
# Where one comes for a token, and for the keys by which tokens are verified, before one has any; where a monitor looks; and
# where a sign-in server sends a browser back to, which has no token of ours, but a secret that was made for this one sign-in. And where webhooks are
# sent to, whose senders prove who they are by their endpoint's own secret.
OPEN = {
    "GET /healthz",
    "POST /oauth2/token",
    "POST /oauth2/introspect",
    "POST /oauth2/revoke",
    "GET /.well-known/openid-configuration",
    "GET /.well-known/jwks.json",
    "GET /v1/oauth/callback",
    "ANY /v1/webhooks/{source}/{endpointId}",
}
LIMITS = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
LOGGABLE = {
    "authorizer.caller", "error.message", "integrationErrorMessage", "integrationLatency", "requestId",
    "requestTimeEpoch", "responseLatency", "responseLength", "routeKey", "status",
}


def every_route_has_the_authorizer(template: dict) -> Iterator[str]:
    opened = _open_routes(template)
    yield from (f"{name} ({key}) is open" for name, key in opened.items() if key not in OPEN)
    yield from (f"{key} is to be open, and there is no such open route" for key in sorted(OPEN - {*opened.values()}))


def the_authorizer_is_asked_each_time(template: dict) -> Iterator[str]:
    for name, authorizer in of_type(template, "AWS::ApiGatewayV2::Authorizer").items():
        if authorizer.get("AuthorizerResultTtlInSeconds") != 0:
            yield f"{name} lets a revoked token in for as long as its answer is kept"


def every_route_is_described_and_every_description_is_a_route(template: dict) -> Iterator[str]:
    described = {f"{method.upper()} {_shape(path)}"
                 for path, methods in json.loads(OPENAPI.read_text())["paths"].items()
                 for method in methods if method in ("get", "put", "post", "delete", "patch")}
    routed = {each for route in of_type(template, "AWS::ApiGatewayV2::Route").values()
              for each in _described_by(_shape(route["RouteKey"]), described)}
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
        yield from (f"{name} has no {limit}" for limit in LIMITS if limit not in settings)


def open_routes_have_a_throttle_of_their_own(template: dict) -> Iterator[str]:
    opened = _open_routes(template)
    for name in of_type(template, "AWS::ApiGatewayV2::Stage"):
        stage = template["Resources"][name]
        settings = stage["Properties"].get("RouteSettings", {})
        yield from (f"{name} has no {limit} for {key}" for key in opened.values()
                    for limit in LIMITS if limit not in settings.get(key, {}))
        # AWS refuses settings of a route that is not there yet.
        before = many(stage.get("DependsOn", []))
        yield from (f"{name} may be made before {route}" for route in opened if route not in before)


def access_logs_hold_nothing_private(template: dict) -> Iterator[str]:
    for name, stage in of_type(template, "AWS::ApiGatewayV2::Stage").items():
        logged = set(re.findall(r"\$context\.([\w.-]+)", stage.get("AccessLogSettings", {}).get("Format", "")))
        if not logged:
            yield f"{name} logs no access"
        yield from (f"{name} logs {each}, which may be private" for each in sorted(logged - LOGGABLE))


def _open_routes(template: dict) -> dict[str, str]:
    """Returns the keys of the routes that nobody has to show a token on, by logical id."""
    authorizers = of_type(template, "AWS::ApiGatewayV2::Authorizer")
    return {name: route["RouteKey"] for name, route in of_type(template, "AWS::ApiGatewayV2::Route").items()
            if route.get("AuthorizationType") != "CUSTOM" or target(route.get("AuthorizerId")) not in authorizers}


def _described_by(route: str, described: set[str]) -> set[str]:
    """Returns what describes a route: of one for any method, every method that is described."""
    method, path = route.split(" ", 1)
    same_path = {each for each in described if each.split(" ", 1)[1] == path}
    return same_path if method == "ANY" and same_path else {route}


def _shape(route: str) -> str:
    # A route that only one system's function answers names that system, where the description names any.
    return re.sub(r"\{\w+\}", "{}", re.sub(r"(?<=/integrations/)\w+(?=/)", "{}", route))


RULES = [
    every_route_has_the_authorizer,
    the_authorizer_is_asked_each_time,
    every_route_is_described_and_every_description_is_a_route,
    every_target_may_be_called_by_the_api,
    the_stage_is_throttled,
    open_routes_have_a_throttle_of_their_own,
    access_logs_hold_nothing_private,
]
