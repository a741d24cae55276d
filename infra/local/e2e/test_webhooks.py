"""Webhooks: registered, taken, followed once, and seen."""

import base64
import hashlib
import hmac
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

from .. import processes, simulator
from ..api import Answer, Api
from ..place import TEST
from .case import EndToEnd

HEADER = "x-webhook-secret"
# What reaches the real functions, of which a tenth is sent for the first time and two tenths are forged.
DELIVERIES = 10_000
SENDERS = 8
SEED = 6
FOLLOWED_SECONDS = 60
ALL_FOLLOWED_SECONDS = 900


class Webhooks(EndToEnd):
    def setUp(self):
        super().setUp()
        self.anyone = Api.anonymous(TEST)
        self.webhooks = f"{self.organization.integration}/webhooks"
        self.events = f"{self.organization.integration}/webhook-events"

    def test_a_change_in_the_system_reaches_the_platform_without_a_sync(self):
        self.connect()
        self.assertEqual(self.sync()["state"], "succeeded")
        runs = self._runs()
        endpoint = self._open({"type": "dataverse", "header": HEADER}, registers=True)
        address = f"{self.webhooks}/{endpoint['endpointId']}"
        registered = lambda: self.api.get(address).get("registration", {}).get("seenAt")  # noqa: E731
        processes.wait_until(registered, FOLLOWED_SECONDS * 2, "the webhook was not registered.")
        # What happened before it was registered is caught up with once.
        processes.wait_until(lambda: self._runs() > runs and self._rests(), FOLLOWED_SECONDS, "nothing was caught up with.")
        runs = self._runs()
        simulator.edit(TEST, 3, SEED)
        told = {row["contactid"]: row for row in simulator.rows(TEST, "contacts")}
        processes.wait_until(lambda: self._names() == {id: row["lastname"] for id, row in told.items()},
                             FOLLOWED_SECONDS, "the changes did not arrive.")
        self.assertEqual(self._runs(), runs, "a sync brought the changes")
        self.assertEqual(self.api.status("DELETE", address), 204)
        gone = lambda: not json.loads(self.simulator.ask("GET", "/_simulator/tables/serviceendpoints").text or "null")  # noqa: E731
        processes.wait_until(gone, FOLLOWED_SECONDS * 2, "the registration was not ended.")

    def test_whatever_is_wrong_is_answered_alike(self):
        self.connect()
        endpoint = self._open({"type": "dataverse", "header": HEADER})
        path = self._path(endpoint)
        body = {"PrimaryEntityName": "contact", "PrimaryEntityId": "1c8c4d2e-0a5b-4c3d-9e8f-102938475610"}
        nobody = path[:-22] + "A" * 22
        refused = [
            self.anyone.ask("POST", path, body, x_webhook_secret="wrong"),
            self.anyone.ask("POST", path, body),
            self.anyone.ask("POST", nobody, body, x_webhook_secret=endpoint["secret"]),
            self.anyone.ask("POST", f"{path}?code={endpoint['secret']}", body, x_webhook_secret=endpoint["secret"]),
        ]
        for answer in refused:
            self.assertProblem(answer, 401, "webhook_refused")
        told = [{name: value for name, value in answer.json.items() if name != "instance"} for answer in refused]
        self.assertEqual(told, [told[0]] * len(told))
        self.assertEqual(self.anyone.status("GET", path), 405)
        self.assertEqual(self.anyone.ask("POST", path, body, x_webhook_secret=endpoint["secret"]).status, 202)
        self.assertEqual(self.api.get(self.webhooks)["items"][0].get("secret"), None)

    def test_a_test_delivery_is_among_the_events(self):
        self.connect()
        endpoint = self._open({"type": "standard"}, records=[{"kind": "member", "id": "/id"}])
        tested = self.api.post(f"{self.webhooks}/{endpoint['endpointId']}/test")
        self.assertTrue(tested["accepted"], tested)
        processes.wait_until(lambda: self._states() == {"ignored": 1}, FOLLOWED_SECONDS, "the test delivery did not arrive.")

    def test_a_webhook_that_is_signed_by_date_is_taken(self):
        self.connect()
        token = base64.urlsafe_b64encode(random.Random(SEED).randbytes(32)).decode()
        endpoint = self._open({"type": "xledger"}, records=[{"kind": "member", "id": "/id"}], secret=token)
        body = json.dumps({"id": "1c8c4d2e-0a5b-4c3d-9e8f-102938475610"})
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(now := int(time.time())))
        key = base64.urlsafe_b64decode(token)
        code = hmac.new(key, f"{now}.{body}".encode(), hashlib.sha256).digest()
        signature = base64.urlsafe_b64encode(code).decode()
        answer = self.anyone.ask("POST", self._path(endpoint), json.loads(body), date=date, X_XL_Webhook_Signature=signature)
        self.assertEqual(answer.status, 202, answer.text)

    def test_of_ten_thousand_deliveries_each_webhook_is_followed_once_and_no_forgery(self):
        self.connect()
        endpoint = self._open({"type": "standard"}, records=[{"kind": "member", "id": "/id"}])
        self.sender = _Sender(endpoint["secret"])
        contacts = [row["contactid"] for row in simulator.rows(TEST, "contacts")]
        dice = random.Random(SEED)
        unique = [(f"msg_{number}", dice.choice(contacts)) for number in range(DELIVERIES // 10)]
        forged = [(f"forged_{number}", dice.choice(contacts)) for number in range(DELIVERIES // 5)]
        again = [dice.choice(unique) for _ in range(DELIVERIES - len(unique) - len(forged))]
        sent = [(True, *each) for each in unique + again] + [(False, *each) for each in forged]
        dice.shuffle(sent)
        path = self._path(endpoint)
        with ThreadPoolExecutor(SENDERS) as senders:
            answers = list(senders.map(lambda each: self._send(path, *each, dice.random()), sent))
        for (genuine, *_), status in zip(sent, answers, strict=True):
            self.assertEqual(status, 202 if genuine else 401)
        done = lambda: self._states().get("applied") == len(unique)  # noqa: E731
        processes.wait_until(done, ALL_FOLLOWED_SECONDS, "not every webhook was followed.")
        self.assertEqual(self._states(), {"applied": len(unique)})
        senders_ids = [event["senderId"] for event in self.api.items(self.events)]
        self.assertEqual(sorted(senders_ids), sorted(name for name, _ in unique))

    def _open(self, scheme: dict, **more) -> dict:
        return self.api.post(self.webhooks, {"name": "e2e", "scheme": scheme, **more})

    def _path(self, endpoint: dict) -> str:
        return endpoint["setup"]["url"].removeprefix(self.api.base)

    def _send(self, path: str, genuine: bool, name: str, contact: str, chance: float) -> int:
        headers, body = self.sender.sign(name, contact)
        if not genuine:
            headers, body = self.sender.forge(headers, body, chance)
        while (answer := self._post(path, headers, body)).status == 503:
            time.sleep(chance)
        return answer.status

    def _post(self, path: str, headers: dict, body: dict) -> Answer:
        return self.anyone.ask("POST", path, body, **headers)

    def _states(self) -> dict[str, int]:
        states: dict[str, int] = {}
        for event in self.api.items(self.events):
            states[event["state"]] = states.get(event["state"], 0) + 1
        return states

    def _names(self) -> dict[str, str]:
        members = self.api.items(f"{self.organization.path}/members")
        return {member["links"]["dynamics365"]: member["lastName"] for member in members}

    def _runs(self) -> int:
        return len(list(self.api.items(f"{self.organization.integration}/runs")))

    def _rests(self) -> bool:
        return "activeRun" not in self.status()


class _Sender:
    """Signs as Standard Webhooks says."""

    def __init__(self, secret: str):
        self.key = base64.b64decode(secret.removeprefix("whsec_"))

    def sign(self, name: str, contact: str) -> tuple[dict, dict]:
        body, now = {"id": contact}, int(time.time())
        signed = f"{name}.{now}.{json.dumps(body)}".encode()
        code = base64.b64encode(hmac.new(self.key, signed, hashlib.sha256).digest()).decode()
        return {"webhook_id": name, "webhook_timestamp": str(now), "webhook_signature": f"v1,{code}"}, body

    def forge(self, headers: dict, body: dict, chance: float) -> tuple[dict, dict]:
        kind = int(chance * 5)
        forged = dict(headers)
        if kind == 0:
            forged["webhook_signature"] = "v1," + base64.b64encode(random.randbytes(32)).decode()
        elif kind == 1:
            body = {**body, "more": 1}
        elif kind == 2:
            forged["webhook_timestamp"] = str(int(headers["webhook_timestamp"]) - 301)
        elif kind == 3:
            del forged["webhook_signature"]
        else:
            forged["webhook_id"] = headers["webhook_id"] + "x"
        return forged, body
