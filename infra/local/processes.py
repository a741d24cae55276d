"""Processes that outlive the command that started them: each is noted, and only what is noted is ended."""

import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .api import answers
from .console import Problem
from .place import Place


@dataclass(frozen=True)
class Service:
    """A process that answers at an address once it is ready."""

    name: str
    command: list[str]
    environment: dict[str, str]
    url: str
    ready: str


def start(place: Place, service: Service, seconds: float = 60, **facts) -> None:
    """Starts it at the head of a group of its own, in an environment with nothing else in it, and awaits it."""
    log = place.path(f"{service.name}.log")
    with open(log, "ab") as output:
        process = subprocess.Popen(
            service.command, env=service.environment, cwd=place.folder, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
        )
    entry = {"pid": process.pid, "born": _born(process.pid), "url": service.url, **facts}
    place.note(processes={**running(place), service.name: entry})
    wait_until(lambda: process.poll() is not None or answers(service.url + service.ready), seconds,
               f"the {service.name} does not answer at {service.url}; see {log}.")
    if process.poll() is not None:
        raise Problem(f"the {service.name} ended while starting:\n{_tail(log)}")


def running(place: Place) -> dict[str, dict]:
    """Returns what was noted and still runs, by name."""
    noted = place.state().get("processes", {})
    return {name: entry for name, entry in noted.items() if _is(entry)}


def stop(place: Place, name: str) -> bool:
    """Ends a process and those that it started; says whether there was any."""
    noted = place.state().get("processes", {})
    entry = noted.get(name)
    if entry is None:
        return False
    alive = _end(entry)
    place.note(processes={other: entry for other, entry in noted.items() if other != name} or None)
    return alive


def free_port(wanted: int | None, preferred: int = 0) -> int:
    """Returns the port that is wanted, or else the preferred one, or else any that is free."""
    if wanted is not None:
        if not _is_free(wanted):
            raise Problem(f"port {wanted} of 127.0.0.1 is taken; name another one.")
        return wanted
    if preferred and _is_free(preferred):
        return preferred
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return any_port.getsockname()[1]


def wait_until(ready, seconds: float, otherwise: str) -> None:
    """Waits until `ready()` is true."""
    until = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > until:
            raise Problem(otherwise)
        time.sleep(0.05)


def _end(entry: dict) -> bool:
    group = entry["pid"]
    # A leader that is gone may have left members behind; the number stays theirs for as long as there are any.
    if not _is(entry) and (_born(group) or not _members(group)):
        return False
    for sign, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 2)):
        try:
            os.killpg(group, sign)
        except ProcessLookupError:
            return True
        until = time.monotonic() + seconds
        while _members(group) and time.monotonic() < until:
            time.sleep(0.05)
    return True


def _is(entry: dict) -> bool:
    # Numbers of processes are used again: the time of birth tells ours from a stranger.
    return bool(entry["born"]) and _born(entry["pid"]) == entry["born"]


def _born(pid: int) -> str:
    return _ps("-o", "lstart=", "-p", str(pid))


def _members(group: int) -> list[str]:
    rows = (row.split() for row in _ps("-A", "-o", "pgid=,stat=").splitlines())
    return [stat for pgid, stat, *_ in rows if int(pgid) == group and not stat.startswith("Z")]


def _ps(*arguments: str) -> str:
    done = subprocess.run(["ps", *arguments], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    return done.stdout.strip()


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
