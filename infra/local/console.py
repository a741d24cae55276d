"""What the terminal shows: plain ASCII, in colour where somebody is looking."""

import sys
import threading
import time
from contextlib import contextmanager

TTY = sys.stdout.isatty()


class Problem(Exception):
    """Something the reader can act on, in a sentence."""


def heading(text: str) -> None:
    print(f"\n{_styled(text, '1')}", flush=True)


def say(text: str = "") -> None:
    print(f"  {text}" if text else "", flush=True)


def fail(text: str) -> None:
    print(f"{_styled('failed:', '1;31')} {text}", file=sys.stderr, flush=True)


@contextmanager
def step(title: str):
    """Shows a step while it lasts, and how long it took; yields a function that adds what came of it."""
    began = time.monotonic()
    notes: list[str] = []
    over = threading.Event()
    ticker = threading.Thread(target=_tick, args=(title, began, over), daemon=True)
    ticker.start()
    what = "failed"
    try:
        yield notes.append
        what = ", ".join(notes) or "done"
    finally:
        over.set()
        ticker.join()
        clear()
        say(f"{title}: {what} ({time.monotonic() - began:.1f} s)")


def progress(text: str) -> None:
    """Replaces the line on a terminal; elsewhere a line for each would be noise."""
    if TTY:
        print(f"\r\033[K  {text}", end="", flush=True)


def clear() -> None:
    """Takes away what `progress` showed last."""
    if TTY:
        print("\r\033[K", end="", flush=True)


def _tick(title: str, began: float, over: threading.Event) -> None:
    while not over.wait(0.5):
        progress(f"{title} ... {time.monotonic() - began:.0f} s")


def _styled(text: str, style: str) -> str:
    return f"\033[{style}m{text}\033[0m" if TTY else text
