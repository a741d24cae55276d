"""Tokens: renewed on request and by the clock, shared by the functions, and shown to nobody."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from urllib.parse import parse_qsl, urlencode, urlsplit

from .. import deploy, emulator, logs, organization, processes
from ..api import Answer, Api
from ..place import ROOT, TEST
from . import workers
from .case import EndToEnd

# The simulated sign-in server's controls, and what it knows an application by.
SIGN_IN = "/_simulator/sign-in/entra"
CERTIFICATES = ROOT / "tests" / "certificates"
TICK = {"operation": "refreshDueTokens"}
CROWD = 20
# The right to show a refresh token, and some time to find out.
SHOWN_SECONDS = 240
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

    def test_a_person_is_sent_to_the_sign_in_server_and_may_come_back_once(self):
        self.connect(signIn="user")
        self.assertProblem(self._ask_to_refresh(), 409, "needs_reauthorization")
        started = self.api.post(f"{self.path}/oauth/start")
        address = urlsplit(started["authorizationUrl"])
        told = dict(parse_qsl(address.query))
        self.assertEqual(f"{address.scheme}://{address.netloc}", self.simulator.base)
        self.assertEqual(told["redirect_uri"], f"{self.api.base}/v1/oauth/callback")
        self.assertGreater(_time(started["expiresAt"]), datetime.now(timezone.utc))
        back = "/v1/oauth/callback?" + urlencode({"error": "access_denied", "state": told["state"]})
        self.assertProblem(Api.anonymous(TEST).ask("GET", back), 409, "sign_in_declined")
        self.assertProblem(Api.anonymous(TEST).ask("GET", back), 404, "unknown_sign_in")

    def test_an_integration_works_in_the_name_of_a_person_until_that_is_taken_back(self):
        self.connect(signIn="user")
        self._know_the_way_back()
        self._sign_in()
        self.assertEqual(self.status()["state"], "active")
        before = self._row()["refresh"]
        self.assertStands(self._refresh())
        self.assertNotEqual(self._row()["refresh"], before)
        self.assertEqual(self.sync()["state"], "succeeded")
        self.simulator.ask("POST", f"{SIGN_IN}/clients/{self._client()}/revoke-consent")
        self.assertProblem(self._ask_to_refresh(), 409, "needs_reauthorization")
        self._sign_in()
        self.assertEqual(self.status()["state"], "active")
        self.assertStands(self._refresh())

    def test_of_many_who_renew_a_sign_in_at_once_one_shows_the_refresh_token(self):
        self.connect(signIn="user")
        self._know_the_way_back()
        self._sign_in()
        before = self._family()["refreshes"]
        self._slow_down_sign_ins(2_000)
        self._make_due()
        with ThreadPoolExecutor(CROWD) as crowd:
            ticks = [crowd.submit(self.invoke, "token-refresh", TICK) for _ in range(CROWD)]
        self.assertEqual({tick.result()["failed"] for tick in ticks}, {0})
        family = self._family()
        self.assertEqual((family["refreshes"] - before, family["revoked"]), (1, None))

    def test_who_dies_while_a_refresh_token_is_shown_leaves_a_sign_in_to_be_made_anew(self):
        self.connect(signIn="user")
        self._know_the_way_back()
        self._sign_in()
        self._slow_down_sign_ins(5_000)
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(self._ask_to_refresh)
            processes.wait_until(lambda: self._family()["refreshes"] == 1, 30, "the refresh token was not shown.")
            self.assertGreater(workers.kill("token-refresh"), 0)
            self.assertGreaterEqual(asked.result().status, 500)
        self.simulator.ask("DELETE", "/_simulator/faults")
        # Nobody shows it again while an answer may come.
        self.assertProblem(self._ask_to_refresh(), 503, "unavailable")
        self.assertIsNone(self._family()["revoked"])
        processes.wait_until(lambda: self._ask_to_refresh().status == 409, SHOWN_SECONDS, "nobody said that it has ended.")
        self.assertEqual(self.status()["state"], "needs_reauthorization")
        self._sign_in()
        self.assertEqual(self.status()["state"], "active")
        self.assertStands(self._refresh())

    def test_an_application_signs_in_with_a_certificate(self):
        wish = organization.connection(TEST)
        certificate, key = ((CERTIFICATES / name).read_text() for name in ("registered.pem", "registered.key.pem"))
        wish["credentials"] = {"clientId": self._client(), "certificate": certificate, "privateKey": key}
        self.put(wish)
        self.assertStands(self._refresh())
        self.assertIn("credentialsExpireAt", self.status())

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

    def _know_the_way_back(self) -> None:
        """Has the sign-in server know where it may send browsers back to."""
        registered = f"{SIGN_IN}/clients/{self._client()}/redirect-uris"
        self.simulator.ask("POST", registered, [f"{self.api.base}/v1/oauth/callback"])
        self.addCleanup(self.simulator.ask, "POST", registered, [])

    def _sign_in(self) -> None:
        """Goes where the answer says, as a browser does: to the sign-in server, and back."""
        address = self.api.post(f"{self.path}/oauth/start")["authorizationUrl"]
        answer = Api(address).ask("GET", "")
        self.assertEqual(answer.status, 200, answer.text)
        self.assertIn(self.id, answer.text)

    def _family(self) -> dict:
        """Returns what the sign-in server knows of the last sign-in."""
        return self.simulator.get(f"{SIGN_IN}/families")[-1]

    def _slow_down_sign_ins(self, milliseconds: int) -> None:
        """Has answers to requests for tokens come late, after what they tell of was done."""
        fault = {"kind": "delayAfter", "milliseconds": milliseconds}
        self.simulator.ask("POST", "/_simulator/faults", [{"path": "/oauth2/v2.0/token", "fault": fault}])
        self.addCleanup(self.simulator.ask, "DELETE", "/_simulator/faults")

    def _client(self) -> str:
        return organization.connection(TEST)["credentials"]["clientId"]

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
