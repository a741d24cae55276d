"""Brings the local stack up and takes it down."""

import argparse
import shutil

from . import build, deploy, emulator, integration_system, processes, simulator
from .console import heading, say, step
from .place import Place


def up(place: Place, options: argparse.Namespace, afresh: bool = False) -> None:
    """Builds, starts and deploys what does not stand yet; `afresh` begins with an empty stack."""
    heading("Building the functions and the simulated system")
    binaries = build.build(options.profile)
    if afresh:
        down(place, quietly=True)
    heading("Starting an emulator of AWS and the simulated systems")
    _start(place, binaries, options)
    heading("Deploying template.yaml")
    functions = {name: path for name, path in binaries.items() if name != build.SIMULATOR}
    with step("Deployment") as note:
        note(deploy.deploy(place, functions))


def down(place: Place, quietly: bool = False) -> None:
    """Ends everything that was started here, and forgets what was deployed; what was built is kept."""
    ended = [name for name in ("emulator", "simulator") if processes.stop(place, name)]
    place.note(processes=None, deployed=None, outputs=None, api=None)
    place.path("authorization").unlink(missing_ok=True)
    integration_system.forget(place)
    shutil.rmtree(place.path("tmp"), ignore_errors=True)
    for log in place.folder.glob("*.log"):
        log.unlink()
    if not quietly:
        say(f"ended: {', '.join(ended)}" if ended else "nothing was running")


def status(place: Place) -> int:
    """Says what runs and where; 0 if the whole stack does."""
    alive = processes.running(place)
    for name in ("emulator", "simulator"):
        say(f"{name}: {alive[name]['url']} (process {alive[name]['pid']})" if name in alive else f"{name}: not running")
    if "emulator" not in alive or "api" not in place.state():
        say("API: not deployed")
        return 1
    say(f"API: {place.state()['api']}")
    return 0 if "simulator" in alive else 1


def _start(place: Place, binaries, options: argparse.Namespace) -> None:
    alive = processes.running(place)
    if "simulator" not in alive:
        with step(f"Simulated system with {options.contacts:,} contacts") as note:
            port = processes.free_port(options.simulator_port, preferred=7365)
            simulator.start(place, binaries[build.SIMULATOR], options.contacts, port)
            note(simulator.origin(port))
    origin = processes.running(place)["simulator"]["url"]
    if "emulator" in alive and alive["emulator"]["outbound_exceptions"] != origin:
        # Its functions may only call the simulated system that it was started with.
        processes.stop(place, "emulator")
        del alive["emulator"]
    if "emulator" not in alive:
        place.note(deployed=None)
        integration_system.forget(place)
        with step("Emulator") as note:
            emulator.start(place, options.port, outbound_exceptions=origin)
            note(emulator.url(place))
