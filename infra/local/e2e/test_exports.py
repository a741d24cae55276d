"""Reimbursements: approved on the platform, and booked in the simulated Xledger, once."""

import json
import time

from .. import deploy, emulator, processes, result_events, simulator
from ..place import TEST
from .case import EndToEnd

BOOKED_SECONDS = 180
POSTED_SECONDS = 180
# A voucher that was just accepted is left alone for a minute, whatever the ledger says of it.
ALONE_SECONDS = 65


class Exports(EndToEnd):
    def setUp(self):
        super().setUp()
        self.reimbursements = f"{self.organization.path}/reimbursements"
        self.integration = f"{self.organization.path}/integrations/xledger"
        # The job posts when a test says so.
        self.books("POST", "settings", {"jobMinutes": 0})

    def test_what_is_approved_is_booked_once_and_the_books_say_so(self):
        self.connect_books(automatic=False)
        tested = self.api.post(f"{self.integration}/test")
        self.assertTrue(tested["works"], tested)
        self.open_webhook()
        for number in ("1", "2"):
            self.reimburse(number, "101.00")
        self.reimburse("3", "50.00", expenseType="theatre")
        told = self.export(["1", "2", "3", "4"])
        self.assertEqual({each["reimbursementId"] for each in told["exports"]}, {"1", "2"})
        refused = {each["reimbursementId"]: each["faults"][0]["code"] for each in told["refused"]}
        self.assertEqual(refused, {"3": "unknown_expense_type", "4": "missing"})
        self.settles("1", "accepted")
        self.settles("2", "accepted")
        again = self.api.ask("POST", f"{self.reimbursements}/export", {"reimbursementIds": ["1", "2"]})
        self.assertProblem(again, 422, "not_exportable")
        self.post()
        self.settles("1", "posted")
        self.settles("2", "posted")
        references = {line["extIdentifier"].rsplit("-", 1)[0] for line in self.lines("journal")}
        self.assertEqual(references, {self.first("1")["reference"], self.first("2")["reference"]})
        self.assertEqual(self.api.status("POST", f"{self.integration}/books/comparison"), 202)
        compared = lambda: self.api.get(f"{self.integration}/books").get("comparison", {}).get("at")  # noqa: E731
        processes.wait_until(compared, BOOKED_SECONDS, "the books were not compared.")
        comparison = self.api.get(f"{self.integration}/books")["comparison"]
        self.assertEqual(comparison["vouchers"], 2, comparison)
        # Other organizations of these tests book into the same entity.
        ours = [each for each in comparison["differences"] if each["reference"] in references]
        self.assertEqual(ours, [], comparison)

    def test_an_approval_on_the_bus_exports_by_itself(self):
        self.connect_books(automatic=True)
        self.announce("7")
        self.reimburse("7", "70.00")
        self.announce("7")
        self.settles("7", "accepted")
        self.announce("7")
        told: list[str] = []
        processes.wait_until(lambda: told.extend(self._told()) or told, BOOKED_SECONDS, "nothing was told of the export.")
        self.assertEqual(told, ["accepted"])
        self.assertEqual(len(self.lines("queue")), 2, self.lines("queue"))

    def test_a_connection_that_breaks_after_the_ledger_took_it_books_nothing_twice(self):
        self.connect_books(automatic=False)
        self.reimburse("1", "101.00")
        self.simulator.ask("POST", "/_simulator/faults", [
            {"path": "/graphql", "body": "addGLImportItems", "times": 1, "fault": {"kind": "resetAfter"}},
        ])
        self.export(["1"])
        self.settles("1", "accepted")
        self.assertEqual(len(self.lines("queue")), 2, self.lines("queue"))

    def connect_books(self, automatic: bool) -> None:
        system = self.simulator.get("/_simulator/connection")
        self.token, entity = system["xledger"]["token"], system["xledger"]["entity"]
        answer = self.api.ask("PUT", self.integration, {
            "displayName": "Books in Xledger",
            "direction": "pull",
            "settings": {
                "graphqlUrl": system["baseUrl"],
                "protocol": "graphql",
                "automatic": automatic,
                "booking": {
                    "entity": entity, "voucherType": "GL", "counterAccount": "2910", "currencies": ["NOK"],
                    "timeZone": "Europe/Oslo", "text": "{expenseType} {reimbursement}",
                    "vatCodes": {"none": {"taxRule": "0"}}, "defaults": {"vatCode": "none"},
                    "expenseTypes": {"travel": {"account": "7140"}},
                },
            },
            "credentials": {"apiToken": self.token},
        })
        self.assertEqual(answer.status, 201, answer.text)

    def open_webhook(self) -> None:
        wish = {"name": "books", "registers": True, "scheme": {"type": "xledger"}, "secret": self.token}
        opened = self.api.post(f"{self.integration}/webhooks", wish)
        address = f"{self.integration}/webhooks/{opened['endpointId']}"
        registered = lambda: self.api.get(address).get("registration", {}).get("seenAt")  # noqa: E731
        processes.wait_until(registered, BOOKED_SECONDS, "the webhook was not registered.")

    def reimburse(self, number: str, amount: str, expenseType: str = "travel") -> None:
        answer = self.api.ask("PUT", f"{self.reimbursements}/{number}", {
            "claimant": {"kind": "supplier", "code": "50012"},
            "currency": "NOK",
            "total": amount,
            "approval": {"at": "2026-02-17T09:30:00Z", "by": "treasurer-7"},
            "lines": [{"id": "1", "expenseType": expenseType, "amount": amount, "date": "2026-02-14", "text": "Train"}],
        })
        self.assertEqual(answer.status, 201, answer.text)

    def export(self, numbers: list[str]) -> dict:
        answer = self.api.ask("POST", f"{self.reimbursements}/export", {"reimbursementIds": numbers})
        self.assertEqual(answer.status, 202, answer.text)
        return answer.json if answer.text else None

    def announce(self, number: str) -> None:
        """Says on the bus that a reimbursement was approved, as the platform does."""
        detail = {"organizationId": self.organization.id, "reimbursementId": number}
        entry = {"EventBusName": deploy.outputs(TEST)["EventBus"], "Source": "membership-platform",
                 "DetailType": "ReimbursementApproved", "Detail": json.dumps(detail)}
        put = emulator.client(TEST, "events").put_events(Entries=[entry])
        self.assertEqual(put["FailedEntryCount"], 0, put)

    def _told(self) -> list[str]:
        """Takes what was told of this organization's exports since this was last asked."""
        details = (event["detail"] for event in result_events.take(TEST)
                   if event["detail-type"] == "reimbursement.export_changed.v1")
        return [detail["state"] for detail in details if detail["organizationId"] == self.organization.id]

    def first(self, number: str) -> dict:
        exports = self.api.get(f"{self.reimbursements}/{number}/exports")["items"]
        return exports[0] if exports else {}

    def settles(self, number: str, state: str) -> None:
        reached = lambda: self.first(number).get("state") == state  # noqa: E731
        seconds = POSTED_SECONDS if state == "posted" else BOOKED_SECONDS
        processes.wait_until(reached, seconds, f"the export of {number} is not {state}.")

    def post(self) -> None:
        """Has the ledger post what waits, and tell of it until everybody has looked."""
        time.sleep(ALONE_SECONDS)
        self.books("POST", "job")
        processes.wait_until(self._are_all_posted, POSTED_SECONDS, "what was posted was not noticed.")

    def _are_all_posted(self) -> bool:
        self.books("POST", "deliveries")
        return all(each["state"] == "posted" for each in self.api.items(f"{self.integration}/exports"))

    def lines(self, where: str) -> list[dict]:
        """Returns what the organization has in the queue, or in the books."""
        ours = {each["reference"] for each in self.api.items(f"{self.integration}/exports")}
        lines = self.books("GET", where)
        return [line for line in lines if line["extIdentifier"].rsplit("-", 1)[0] in ours]

    def books(self, method: str, path: str, body: dict | None = None):
        answer = simulator.control(TEST).ask(method, f"/_simulator/xledger/{path}", body)
        self.assertLess(answer.status, 300, f"{path}: {answer.text}")
        return answer.json if answer.text else None
