"""A function that dies in the middle of its work costs minutes, and nothing else."""

import base64
import os
import signal
import subprocess

from .. import deploy, emulator, equality, processes
from ..place import TEST
from .case import EndToEnd

# The lease of the dead worker, then a tick of reconcile, then the work itself.
RECOVERY_SECONDS = 300


class Crash(EndToEnd):
    def test_a_run_whose_worker_was_killed_ends_by_itself(self):
        self.connect(pageSize=100)
        self.slow_down(500)
        run_id = self.start()
        processes.wait_until(lambda: self._is_working(run_id), 60, "the run did not begin.")
        self.assertGreater(_kill("dynamics365"), 0)
        self.simulator.ask("DELETE", "/_simulator/faults")
        run = self.watch(run_id, RECOVERY_SECONDS)
        self.assertEqual(run["state"], "succeeded", run)
        self.assertEqual(equality.compare(TEST, self.api, self.organization).differences, [])

    def _is_working(self, run_id: str) -> bool:
        run = self.api.get(f"{self.organization.integration}/runs/{run_id}")
        return run["totals"].get("member", {}).get("read", 0) > 0


def _kill(function: str) -> int:
    """Kills the processes of a function, which the emulator runs from a folder named after its code."""
    configuration = emulator.client(TEST, "lambda").get_function_configuration(FunctionName=f"{deploy.NAME}-{function}")
    code = base64.b64decode(configuration["CodeSha256"]).hex()
    group = processes.running(TEST)["emulator"]["pid"]
    listed = subprocess.run(["ps", "-A", "-o", "pid=,pgid=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    workers = [int(pid) for pid, pgid, command in rows if int(pgid) == group and code in command]
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    return len(workers)
