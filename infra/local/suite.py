"""Runs every check and test that the project has, the quick ones first, and stops at the first that fails."""

import argparse
import os
import subprocess
import sys
import time
import unittest

from . import check, stack
from .console import fail, heading, say
from .place import ROOT, TEST

INFRA = ROOT / "infra"
CHECKS = [
    ("Formatting", ["cargo", "fmt", "--all", "--check"], {}),
    ("Template rules find what they are there for",
     [sys.executable, "-B", "-m", "unittest", "local.test_checks"], {"PYTHONPATH": str(INFRA)}),
]
TESTS = [
    ("Lints", ["cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"], {}),
    ("Tests", ["cargo", "test", "--locked", "--workspace"], {}),
    ("Documentation", ["cargo", "doc", "--locked", "--workspace", "--no-deps", "--document-private-items"],
     {"RUSTDOCFLAGS": "-D warnings"}),
]


def run(options: argparse.Namespace) -> int:
    """Returns 0 if everything passed."""
    quick = [*map(_command, CHECKS), ("The library knows nothing of Lambda", _knows_no_lambda), ("Template", check.run)]
    slow = [] if options.only_end_to_end else [*quick, *map(_command, TESTS)]
    for title, passes in [*slow, ("End to end", lambda: _end_to_end(options))]:
        heading(title)
        began = time.monotonic()
        if passes() != 0:
            fail(title)
            return 1
        say(f"passed ({time.monotonic() - began:.1f} s)")
    return 0


def _command(entry: tuple[str, list[str], dict[str, str]]):
    title, command, environment = entry

    def passes() -> int:
        say(" ".join(command))
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}).returncode

    return title, passes


def _knows_no_lambda() -> int:
    command = ["cargo", "tree", "--locked", "--package", "shared", "--edges", "normal", "--prefix", "none"]
    tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    known = [line for line in tree.stdout.splitlines() if line.startswith(("lambda_", "aws_lambda_events"))]
    for line in known:
        say(f"shared depends on {line}")
    return tree.returncode or len(known)


def _end_to_end(options: argparse.Namespace) -> int:
    """Deploys a stack of its own, so that one that is being looked at is left alone."""
    options.port = options.simulator_port = None
    with TEST.alone():
        try:
            stack.up(TEST, options, afresh=True)
            heading("Working with the deployed stack")
            return _unittests(options.matching)
        finally:
            stack.down(TEST, quietly=True)


def _unittests(matching: str) -> int:
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{matching}*"]
    tests = loader.discover(str(INFRA / "local" / "e2e"), top_level_dir=str(INFRA))
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, descriptions=False).run(tests)
    failed = len(result.failures) + len(result.errors)
    print(f"\n{result.testsRun - failed} passed, {failed} failed", flush=True)
    return failed
