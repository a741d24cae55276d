"""The processes of the functions, as the emulator runs them."""

import base64
import os
import signal
import subprocess

from .. import deploy, emulator, processes
from ..place import TEST


def kill(function: str) -> int:
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
