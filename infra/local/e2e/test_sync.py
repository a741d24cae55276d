"""Syncs: both ways, one at a time, stopped, and told of."""

import json

from .. import equality, result_events, simulator
from ..place import TEST
from .case import EndToEnd


class Sync(EndToEnd):
    def test_changes_on_both_sides_make_both_sides_equal(self):
        self.connect()
        first = self.sync()
        self.assertEqual(first["state"], "succeeded", first)
        simulator.edit(TEST, 40, seed=1)
        self._change_platform()
        delta = self.sync()
        self.assertEqual(delta["state"], "succeeded", delta)
        self.assertLess(delta["totals"]["member"]["read"], first["totals"]["member"]["read"] / 2)
        found = equality.compare(TEST, self.api, self.organization)
        self.assertEqual(found.differences, [])
        self.assertGreater(found.fields, 10_000)

    def test_a_sync_of_what_is_equal_writes_nothing(self):
        self.connect()
        self.sync()
        before = self.simulator.get("/_simulator/counters")
        run = self.sync(mode="full")
        after = self.simulator.get("/_simulator/counters")
        self.assertEqual(run["totals"]["member"]["unchanged"], run["totals"]["member"]["read"], run)
        for written in ("created", "updated", "deleted"):
            self.assertEqual(after[written], before[written])

    def test_a_dry_run_counts_and_changes_nothing(self):
        self.connect()
        run = self.sync(dryRun=True)
        self.assertGreater(run["totals"]["member"]["created"], 0)
        self.assertEqual(list(self.api.items(f"{self.organization.path}/members")), [])

    def test_one_run_at_a_time_and_it_can_be_stopped(self):
        self.connect(pageSize=50)
        self.slow_down(300)
        run_id = self.start()
        answer = self.api.ask("POST", f"{self.organization.integration}/sync")
        self.assertEqual(self.assertProblem(answer, 409, "run_active")["runId"], run_id)
        self.api.post(f"{self.organization.integration}/runs/{run_id}/cancel")
        self.assertEqual(self.watch(run_id)["state"], "cancelled")
        self.simulator.ask("DELETE", "/_simulator/faults")
        self.assertEqual(self.sync()["state"], "succeeded")

    def test_what_is_refused_waits_in_quarantine_and_is_retried(self):
        self.connect()
        broken = self.simulator.post("/_simulator/tables/contacts", {"firstname": "Uten", "hlf_memberno": "777000"})
        run = self.sync()
        self.assertEqual(run["state"], "partial", run)
        waiting = self.api.get(f"{self.organization.integration}/quarantine")["items"]
        self.assertEqual(len(waiting), 1, waiting)
        self.assertIn("lastName", json.dumps(waiting))
        row = f"/_simulator/tables/contacts/{broken['id']}"
        self.simulator.ask("PATCH", row, {"lastname": "Etternavn"})
        retried = self.api.post(f"{self.organization.integration}/quarantine/retry")
        self.assertEqual(self.watch(retried["runId"])["state"], "succeeded")
        self.assertEqual(self.api.get(f"{self.organization.integration}/quarantine")["items"], [])
        self.simulator.ask("DELETE", row)

    def test_the_platform_is_told_of_a_finished_run(self):
        result_events.take(TEST, seconds=0)
        self.connect()
        run_id = self.start()
        self.watch(run_id)
        told = [event for event in result_events.take(TEST) if run_id in json.dumps(event["detail"])]
        self.assertEqual([event["detail-type"] for event in told], ["sync.finished.v1"])
        self.assertEqual(told[0]["source"], "external-api-integration-service")

    def test_operations_are_taken_as_direct_invocations(self):
        self.connect()
        operation = {"organizationId": self.organization.id, "integrationType": "dynamics365"}
        started = self.invoke("trigger-sync", {"operation": "triggerSync", **operation})
        self.watch(started["runId"])
        last = self.invoke("trigger-sync", {"operation": "getLastSyncResult", **operation})
        self.assertIn(started["runId"], json.dumps(last))

    def _change_platform(self) -> None:
        members = self.api.get(f"{self.organization.path}/members?limit=20")["items"]
        changed = [{"id": member["id"], "lastName": member["lastName"], "city": "Lillehammer"} for member in members[5:15]]
        added = [{"id": f"9{n:05}", "lastName": "Medlem"} for n in range(3)]
        self.api.bulk(f"{self.organization.path}/members/bulk", changed + added)
        membership = {"memberId": "900000", "type": "Hovedmedlem", "status": "Aktiv"}
        self.api.put(f"{self.organization.path}/memberships/M-900000", membership)
