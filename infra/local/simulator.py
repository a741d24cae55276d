"""The simulated Dynamics 365 (and its Entra ID), as a process beside the emulator."""

from pathlib import Path

from . import processes
from .api import Api
from .place import Place
from .processes import Service

SEED = 365


def start(place: Place, binary: Path, contacts: int, port: int) -> None:
    """Starts it with so many contacts, the same ones each time."""
    command = [str(binary), "--port", str(port), "--contacts", str(contacts), "--seed", str(SEED)]
    processes.start(place, Service("simulator", command, {}, origin(port), "/_simulator/counters"))


def origin(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def control(place: Place) -> Api:
    """Returns a client for the simulator's own controls."""
    return Api(processes.running(place)["simulator"]["url"])
