"""Nobody is let in without a token, but for the routes that are open on purpose."""

import json

from .. import template as templates
from ..api import Api
from ..checks.api import OPEN, OPENAPI
from ..place import TEST
from .case import EndToEnd


class Access(EndToEnd):
    def test_every_route_that_is_not_open_refuses_callers_without_a_token(self):
        anonymous, stranger = Api.anonymous(TEST), Api(self.api.base, {"Authorization": "Bearer " + "x" * 48})
        routes = templates.of_type(templates.load(), "AWS::ApiGatewayV2::Route").values()
        for method, path in (key.split() for key in {route["RouteKey"] for route in routes} - OPEN):
            path = path.replace("{", "").replace("}", "")
            with self.subTest(method=method, path=path):
                self.assertEqual(anonymous.status(method, path), 401)
                self.assertEqual(stranger.status(method, path), 401)

    def test_the_description_of_the_api_is_the_one_that_is_kept(self):
        self.assertEqual(self.api.get("/openapi.json"), json.loads(OPENAPI.read_text()))

    def test_an_unknown_integration_is_a_problem_with_a_code(self):
        answer = self.api.ask("POST", f"{self.organization.integration}/sync")
        self.assertProblem(answer, 404, "unknown_integration")
