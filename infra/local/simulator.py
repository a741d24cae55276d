"""The simulated Dynamics 365 (and its Entra ID), as a process beside the emulator."""

from pathlib import Path

from . import processes
from .api import Api
from .console import Problem
from .place import Place

SEED = 365


def start(place: Place, binary: Path, contacts: int, port: int) -> None:
    """Starts it with so many contacts, the same ones each time."""
    command = [str(binary), "--port", str(port), "--contacts", str(contacts), "--seed", str(SEED)]
    processes.start(place, "simulator", command, {}, url=origin(port))
    log = place.path("simulator.log")
    processes.wait_until(lambda: not processes.is_free(port) or "simulator" not in processes.running(place), 60,
                         f"the simulated system does not answer at {origin(port)}; see {log}.")
    if "simulator" not in processes.running(place):
        raise Problem(f"the simulated system ended while starting:\n{processes.tail(log)}")


def origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def control(place: Place) -> Api:
    """Returns a client for the simulator's own controls."""
    return Api(processes.running(place)["simulator"]["url"])
