"""A function that dies in the middle of its work costs minutes, and nothing else."""

from .. import equality, processes
from ..place import TEST
from . import workers
from .case import EndToEnd

# The lease of the dead worker, then a tick of reconcile, then the work itself.
RECOVERY_SECONDS = 300


class Crash(EndToEnd):
    def test_a_run_whose_worker_was_killed_ends_by_itself(self):
        self.connect(pageSize=100)
        self.slow_down(500)
        run_id = self.start()
        processes.wait_until(lambda: self._is_working(run_id), 60, "the run did not begin.")
        self.assertGreater(workers.kill("dynamics365"), 0)
        self.simulator.ask("DELETE", "/_simulator/faults")
        run = self.watch(run_id, RECOVERY_SECONDS)
        self.assertEqual(run["state"], "succeeded", run)
        self.assertEqual(equality.compare(TEST, self.api, self.organization).differences, [])

    def _is_working(self, run_id: str) -> bool:
        run = self.api.get(f"{self.organization.integration}/runs/{run_id}")
        return run["totals"].get("member", {}).get("read", 0) > 0
