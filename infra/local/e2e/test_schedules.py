"""Schedules: looked at before they are kept, kept without anybody calling, and gone once nobody wants them."""

import time

from .. import deploy, emulator, processes
from ..place import TEST
from .case import EndToEnd

EVERY_MINUTE = {"expression": "rate(1 minute)", "zone": "UTC"}
EVERY_NOON = {"expression": "cron(0 12 * * ? *)", "zone": "Europe/Oslo"}
# A minute until a run is due, a tick of reconcile where the Scheduler did not call, then the work itself.
SYNCED_SECONDS = 180
# What was left to reconcile is its own after a minute; then its next tick.
MENDED_SECONDS = 180
# A run of every minute, had there been one, would have been opened by then.
QUIET_SECONDS = 90


class Schedules(EndToEnd):
    def setUp(self):
        super().setUp()
        self.schedule = f"{self.organization.integration}/schedule"
        self.connect()
        # No later test shares its workers with runs that start by themselves.
        self.addCleanup(self.api.ask, "DELETE", self.schedule)

    def test_a_preview_says_when_it_would_run_and_saves_nothing(self):
        before = _kept()
        preview = self.api.put(f"{self.schedule}?preview=true", EVERY_NOON)
        fires = preview["nextFires"]
        self.assertEqual(len({fire["at"] for fire in fires}), 5, fires)
        self.assertEqual(fires, sorted(fires, key=lambda fire: fire["at"]))
        for fire in fires:
            self.assertTrue(fire["at"].endswith("Z"), fire)
            # Each integration is moved by up to five minutes.
            self.assertRegex(fire["local"], "12:0[0-5]")
        self.assertUnscheduled()
        self.assertEqual(_kept() - before, set())

    def test_a_faulty_expression_is_refused_by_its_field(self):
        answer = self.api.ask("PUT", self.schedule, {"expression": "cron(0 12 * *)", "zone": "UTC"})
        problem = self.assertProblem(answer, 400, "invalid_request")
        self.assertEqual(problem["errors"][0]["field"], "expression")
        self.assertUnscheduled()

    def test_what_was_scheduled_is_shown(self):
        self.api.put(self.schedule, EVERY_NOON)
        shown = self.api.get(self.schedule)
        self.assertEqual(shown["integrationId"], f"{self.organization.id}:dynamics365")
        self.assertEqual({key: shown[key] for key in EVERY_NOON}, EVERY_NOON)
        self.assertTrue(shown["enabled"])
        self.assertTrue(shown["reading"])
        self.assertEqual(self.status()["nextRunAt"], shown["nextFires"][0]["at"])

    def test_a_scheduled_integration_is_synced_without_anybody_calling(self):
        self.api.put(self.schedule, EVERY_MINUTE)
        processes.wait_until(self._has_succeeded, SYNCED_SECONDS, "no run has succeeded by itself.")
        self.assertEqual({run["trigger"] for run in self._runs()}, {"schedule"})

    def test_a_cancelled_schedule_starts_no_further_run(self):
        name = self._keep(EVERY_MINUTE)
        for _ in range(2):
            self.assertEqual(self.api.status("DELETE", self.schedule), 204)
        self.assertUnscheduled()
        before = self._opened()
        time.sleep(QUIET_SECONDS)
        self.assertEqual(self._opened(), before)
        self.assertGone(name)

    def test_a_disconnected_integration_leaves_no_schedule(self):
        name = self._keep(EVERY_NOON)
        self.disconnect()
        self.assertGone(name)

    def _keep(self, wish: dict) -> str:
        """Schedules the integration, and returns the name under which the Scheduler keeps that."""
        before = _kept()
        self.api.put(self.schedule, wish)
        processes.wait_until(lambda: _kept() - before, MENDED_SECONDS, "the Scheduler was not told.")
        [name] = _kept() - before
        return name

    def _runs(self) -> list[dict]:
        return self.api.get(f"{self.organization.integration}/runs")["items"]

    def _opened(self) -> list[str]:
        return [run["runId"] for run in self._runs()]

    def _has_succeeded(self) -> bool:
        return any(run["state"] == "succeeded" for run in self._runs())

    def assertUnscheduled(self) -> None:
        self.assertProblem(self.api.ask("GET", self.schedule), 404, "unknown_schedule")
        self.assertIsNone(self.status().get("nextRunAt"))

    def assertGone(self, name: str) -> None:
        processes.wait_until(lambda: name not in _kept(), MENDED_SECONDS, f"the Scheduler still has {name}.")


def _kept() -> set[str]:
    """Returns the names of what the Scheduler keeps for integrations."""
    listed = emulator.client(TEST, "scheduler").list_schedules(GroupName=deploy.NAME, NamePrefix="sync-")
    return {schedule["Name"] for schedule in listed["Schedules"]}
