"""The Python environment of the local stack: made once from `requirements.lock`, and entered by starting anew in it."""

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from .console import Problem, step
from .place import ROOT

LOCK = Path(__file__).with_name("requirements.lock")
VENV = ROOT / ".local" / "venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "made-from"


def enter() -> None:
    """Goes on in the environment: returns only once this process runs in it."""
    if Path(sys.prefix) == VENV:
        return
    with alone("environment"):
        make()
    os.execv(PYTHON, [str(PYTHON), *sys.argv])


def enter_if_made() -> bool:
    """Goes on in the environment as it is; says whether there is one."""
    if Path(sys.prefix) == VENV or not STAMP.exists():
        return STAMP.exists()
    os.execv(PYTHON, [str(PYTHON), *sys.argv])


@contextlib.contextmanager
def alone(what: str) -> Iterator[None]:
    """Waits for its turn, where many make the same thing at once."""
    VENV.parent.mkdir(parents=True, exist_ok=True)
    with open(VENV.with_name(f"{what}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make() -> None:
    """Makes the environment, unless the one there is already has what the lock file says."""
    made_from = f"{sys.version}\n{hashlib.sha256(LOCK.read_bytes()).hexdigest()}\n"
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text() == made_from:
        return
    if importlib.util.find_spec("ensurepip") is None:
        raise Problem("this Python cannot make virtual environments; install its venv module (Debian: python3-venv).")
    with step("Installing what the local stack needs into .local/venv"):
        _run([sys.executable, "-m", "venv", "--clear", str(VENV)])
        _run([str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
              "--require-hashes", "--requirement", str(LOCK)])
    STAMP.write_text(made_from)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no reason given"]
        raise Problem(f"`{' '.join(command[1:4])}` failed: {last[0]}")
