"""Tokens: renewed on request and by the clock, shared by the functions, and shown to nobody."""

import json
import re
from datetime import datetime, timezone

from .. import deploy, emulator, logs, organization, processes
from ..api import Answer, Api
from ..place import TEST
from .case import EndToEnd

WRONG = "canary-of-a-wrong-secret"
# What access tokens look like, the simulated system's and ours: two parts of JSON in base64, and a signature.
TOKEN = re.compile(r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.")
# The tick, and what the emulator takes until it calls.
RENEWED_SECONDS = 150
LONG_AGO = "2020-01-01T00:00:00Z"


class Tokens(EndToEnd):
    def setUp(self):
        super().setUp()
        self.id = f"{self.organization.id}:dynamics365"
        self.path = f"/v1/integrations/{self.id}"

    def test_a_token_is_renewed_on_request(self):
        self.connect()
        first, second = self._refresh(), self._refresh()
        for standing in (first, second):
            self.assertStands(standing)
        self.assertGreater(_time(second["refreshedAt"]), _time(first["refreshedAt"]))

    def test_a_token_is_renewed_by_direct_invocation(self):
        self.connect()
        self.assertStands(self.invoke("token-refresh", {"operation": "refreshOAuthToken", "integrationId": self.id}))

    def test_an_integration_that_is_not_there_has_no_token(self):
        self.assertProblem(self._ask_to_refresh(), 404, "unknown_integration")
        self.assertProblem(self.api.ask("POST", f"{self.path}/oauth/start"), 404, "unknown_integration")

    def test_a_sync_uses_the_token_that_is_there(self):
        self.connect()
        self._refresh()
        self.simulator.ask("DELETE", "/_simulator/journal")
        self.assertEqual(self.sync()["state"], "succeeded")
        asked = [entry["target"] for entry in self.simulator.get("/_simulator/journal")]
        self.assertTrue(any("/api/data/" in path for path in asked))
        self.assertEqual([path for path in asked if "/oauth2/" in path], [])

    def test_a_refused_credential_is_said_and_another_one_puts_it_right(self):
        self.connect()
        self._put_secret(WRONG)
        self.assertProblem(self._ask_to_refresh(), 409, "needs_reauthorization")
        self.assertEqual(self.status()["state"], "needs_reauthorization")
        self.assertProblem(self.api.ask("POST", f"{self.organization.integration}/sync"), 409, "needs_reauthorization")
        self._put_secret(self._secret())
        self.assertEqual(self.status()["state"], "active")
        self.assertStands(self._refresh())
        self.assertEqual(self.sync()["state"], "succeeded")

    def test_credentials_are_changed_only_for_such_as_work(self):
        self.connect()
        refused = self._rotate(WRONG)
        self.assertProblem(refused, 400, "invalid_request")
        self.assertNotIn(WRONG, refused.text)
        self.assertStands(self._refresh())
        self.assertEqual(self._rotate(self._secret()).status, 200)
        self.assertStands(self._refresh())

    def test_a_token_is_renewed_by_the_clock_before_it_ends(self):
        self.connect()
        self._refresh()
        before = self._make_due()["generation"]
        processes.wait_until(lambda: self._row()["generation"] > before, RENEWED_SECONDS, "nobody has renewed the token.")
        row = self._row()
        self.assertGreater(_time(row["renewAt"]), datetime.now(timezone.utc))
        self.assertNotIn("failure", row)

    def test_who_comes_back_without_having_been_sent_away_is_let_in_nowhere(self):
        self.connect()
        query = f"code=canary-of-a-code&state={self.id}.canary-of-a-state"
        answer = Api.anonymous(TEST).ask("GET", f"/v1/oauth/callback?{query}")
        self.assertProblem(answer, 404, "unknown_sign_in")

    def test_no_token_and_no_secret_is_logged_or_kept_in_the_open(self):
        self.connect()
        self._put_secret(WRONG)
        self.assertEqual(self._ask_to_refresh().status, 409)
        self.assertEqual(self._rotate(self._secret()).status, 200)
        self._refresh()
        self.assertEqual(self.sync()["state"], "succeeded")
        Api.anonymous(TEST).ask("GET", f"/v1/oauth/callback?code=canary-of-a-code&state={self.id}.canary-of-a-state")
        processes.wait_until(lambda: self.id in _logged(), 30, "the functions have logged nothing of all that.")
        for text in (_logged(), json.dumps(self._row())):
            self.assertIsNone(TOKEN.search(text))
            for secret in (WRONG, self._secret(), "canary-of-a-code", "canary-of-a-state"):
                self.assertNotIn(secret, text)

    def _ask_to_refresh(self) -> Answer:
        return self.api.ask("POST", f"{self.path}/token/refresh")

    def _refresh(self) -> dict:
        return self.api.post(f"{self.path}/token/refresh")

    def _rotate(self, secret: str) -> Answer:
        credentials = {**organization.connection(TEST)["credentials"], "clientSecret": secret}
        return self.api.ask("PUT", f"{self.path}/credentials", credentials)

    def _put_secret(self, secret: str) -> None:
        wish = organization.connection(TEST)
        wish["credentials"]["clientSecret"] = secret
        answer = self.api.ask("PUT", self.organization.integration, wish)
        self.assertEqual(answer.status, 200, answer.text)

    def _secret(self) -> str:
        return organization.connection(TEST)["credentials"]["clientSecret"]

    def _key(self) -> dict:
        return {"pk": {"S": self.organization.id}, "sk": {"S": "token#dynamics365"}}

    def _row(self) -> dict:
        """Returns what is kept of the tokens, sealed as they are."""
        table = emulator.client(TEST, "dynamodb")
        row = table.get_item(TableName=deploy.outputs(TEST)["ControlTable"], Key=self._key(), ConsistentRead=True)
        return json.loads(row["Item"]["body"]["S"])

    def _make_due(self) -> dict:
        """Has the time come at which the token is to be renewed, though it is good for a while yet."""
        row = {**self._row(), "renewAt": LONG_AGO}
        emulator.client(TEST, "dynamodb").update_item(
            TableName=deploy.outputs(TEST)["ControlTable"], Key=self._key(),
            UpdateExpression="SET body = :body, due_at = :due",
            ExpressionAttributeValues={":body": {"S": json.dumps(row)}, ":due": {"N": "0"}},
        )
        return row

    def assertStands(self, standing: dict) -> None:
        refreshed, renewed, ended = (_time(standing[name]) for name in ("refreshedAt", "nextRefreshAt", "expiresAt"))
        self.assertEqual(standing["integrationId"], self.id)
        self.assertLess(refreshed, renewed)
        self.assertLess(renewed, ended)
        self.assertGreater(ended, datetime.now(timezone.utc))
        self.assertIsNone(TOKEN.search(json.dumps(standing)))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _logged() -> str:
    """Returns all that the functions have logged since the stack was made."""
    return "\n".join(text for _, _, text in logs.lines(TEST))
