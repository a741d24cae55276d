"""What the end-to-end tests begin with."""

import itertools
import json
import unittest

from .. import deploy, emulator, organization, runs, simulator
from ..api import Answer, Api
from ..organization import Organization
from ..place import TEST

_numbers = itertools.count(1)


class EndToEnd(unittest.TestCase):
    """A test with an organization that no other test knows."""

    maxDiff = None

    def setUp(self):
        self.api = Api.administrator(TEST)
        self.simulator = simulator.control(TEST)
        self.organization = Organization(f"e2e-{next(_numbers)}")
        self.simulator.ask("DELETE", "/_simulator/faults")

    def connect(self, **settings) -> None:
        self.put(organization.connection(TEST, **settings))

    def put(self, wish: dict) -> None:
        """Connects the organization by what a request says."""
        answer = self.api.ask("PUT", self.organization.integration, wish)
        self.assertEqual(answer.status, 201, answer.text)

    def disconnect(self) -> None:
        while (status := self.api.ask("DELETE", self.organization.integration).status) == 202:
            pass
        self.assertEqual(status, 204)

    def sync(self, **options) -> dict:
        return runs.sync(self.api, self.organization, **options)

    def start(self, **options) -> str:
        return runs.start(self.api, self.organization, **options)

    def watch(self, run_id: str, seconds: float = 120) -> dict:
        return runs.watch(self.api, self.organization, run_id, seconds)

    def status(self) -> dict:
        return self.api.get(self.organization.integration)

    def slow_down(self, milliseconds: int) -> None:
        """Has every page and batch of the simulated system take its time."""
        fault = {"path": "/api/data/", "fault": {"kind": "delay", "milliseconds": milliseconds}}
        self.simulator.ask("POST", "/_simulator/faults", [fault])

    def invoke(self, function: str, payload: dict) -> dict:
        """Invokes a function directly, as another function of the platform does."""
        client = emulator.client(TEST, "lambda")
        answer = client.invoke(FunctionName=f"{deploy.NAME}-{function}", Payload=json.dumps(payload))
        payload = answer["Payload"].read()
        self.assertNotIn("FunctionError", answer, payload)
        return json.loads(payload)

    def assertProblem(self, answer: Answer, status: int, code: str) -> dict:
        self.assertEqual((answer.status, answer.headers["content-type"]), (status, "application/problem+json"), answer.text)
        self.assertEqual(answer.json["code"], code, answer.text)
        return answer.json
