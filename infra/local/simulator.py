"""The simulated systems, with what they sign in by, as a process beside the emulator."""

import json
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


def rows(place: Place, table: str) -> list[dict]:
    """Returns every row of a table, with all its columns."""
    answer = control(place).ask("GET", f"/_simulator/tables/{table}")
    return [json.loads(line) for line in answer.text.splitlines()]


def edit(place: Place, count: int, seed: int = SEED) -> dict[str, int]:
    """Changes, creates and deletes contacts as humans do, and with a contact its memberships."""
    edits = control(place).post("/_simulator/edits", {"count": count, "seed": seed})
    orphans = [row for row in rows(place, "hlf_memberships") if row["_hlf_contact_value"] is None]
    for orphan in orphans:
        control(place).ask("DELETE", f"/_simulator/tables/hlf_memberships/{orphan['hlf_membershipid']}")
    contacts = {f"contacts {what}": len(ids) for what, ids in edits.items()}
    return {**contacts, "memberships deleted": len(orphans)}
