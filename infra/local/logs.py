"""Shows what the functions logged."""

import time

from . import deploy, emulator, template as templates
from .console import Problem
from .place import Place


def show(place: Place, function: str | None, minutes: float) -> None:
    """Prints the log lines of one function or of all, in the order of time."""
    packages = templates.packages(templates.load())
    if function and function not in packages:
        raise Problem(f"there is no function {function}; there are {', '.join(packages)}.")
    since = int((time.time() - minutes * 60) * 1000)
    for stamp, name, text in lines(place, [function] if function else packages, since):
        print(time.strftime("%H:%M:%S", time.localtime(stamp / 1000)), f"{name}:", text)


def lines(place: Place, packages: list[str] | None = None, since: int = 0) -> list[tuple[int, str, str]]:
    """Returns when functions logged what, in the order of time: of all of them, where none are named."""
    names = packages or templates.packages(templates.load())
    return sorted(line for name in names for line in _lines(place, name, since))


def _lines(place: Place, name: str, since: int):
    pages = emulator.client(place, "logs").get_paginator("filter_log_events")
    group = f"/aws/lambda/{deploy.NAME}-{name}"
    for page in pages.paginate(logGroupName=group, startTime=since):
        for event in page["events"]:
            yield event["timestamp"], name, event["message"].rstrip()
