"""Checks `template.yaml`: with cfn-lint and its serverless rules, then with the project's own."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from . import template as templates
from .checks import RULES
from .console import say, step
from .place import ROOT

# WS1000: tracing takes a permission on every resource; a run tells its own cost.
# WS1004: does not see that log groups have the names of the functions; our own rule does.
IGNORED = ("WS1000", "WS1004")


def run() -> int:
    """Says what is wrong with the template; 0 if nothing is."""
    with step("cfn-lint with the serverless rules") as note:
        lint = _lint()
        note("failed" if lint else "passed")
    if lint:
        say(lint)
    found = faults(templates.load())
    for fault in found:
        say(f"template.yaml: {fault}")
    say(f"template: {len(RULES)} rules of our own, {len(found)} faults")
    return 1 if lint or found else 0


def faults(template: dict) -> list[str]:
    return [f"{fault} ({rule.__name__})" for rule in RULES for fault in _broken(rule, template)]


def _broken(rule: Callable[[dict], Iterator[str]], template: dict) -> Iterator[str]:
    try:
        yield from rule(template)
    except FileNotFoundError as error:
        yield f"{Path(error.filename).relative_to(ROOT)} is missing"


def _lint() -> str:
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--append-rules", "cfn_lint_serverless.rules",
               "--ignore-checks", *IGNORED, "--regions", "eu-north-1", "--template", str(templates.TEMPLATE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip()
