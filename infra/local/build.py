"""Builds the functions, and the simulated systems, for this machine."""

import json
import shutil
import subprocess
import time
from pathlib import Path

from . import template as templates
from .console import Problem, say
from .place import ROOT

SIMULATOR = "simulated_systems"


def build(profile: str) -> dict[str, Path]:
    """Builds what has changed and returns the binaries by name; cargo itself shows the progress."""
    if shutil.which("cargo") is None:
        raise Problem("cargo is not on the PATH; install Rust from https://rustup.rs.")
    wanted = [argument for name in [*templates.packages(templates.load()), SIMULATOR] for argument in ("--bin", name)]
    say(f"cargo build --profile {profile} (the first time takes some minutes)")
    began = time.monotonic()
    done = subprocess.run(
        ["cargo", "build", "--locked", "--workspace", "--profile", profile, "--message-format", "json-render-diagnostics", *wanted],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )
    if done.returncode != 0:
        raise Problem("the build failed; what cargo says about it stands above.")
    say(f"built ({time.monotonic() - began:.1f} s)")
    return _executables(done.stdout)


def _executables(messages: str) -> dict[str, Path]:
    artifacts = (json.loads(line) for line in messages.splitlines())
    return {
        artifact["target"]["name"]: Path(artifact["executable"])
        for artifact in artifacts
        if artifact["reason"] == "compiler-artifact" and artifact["executable"]
    }
