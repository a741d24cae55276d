"""Where a local stack keeps what it made, and the note of what it is running."""

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .console import Problem

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Place:
    """One local stack: its name on the emulator, and its folder."""

    name: str
    folder: Path

    def path(self, *parts: str) -> Path:
        return self.folder.joinpath(*parts)

    def state(self) -> dict:
        try:
            return json.loads(self.path("state.json").read_text())
        except FileNotFoundError:
            return {}

    def note(self, **changes) -> None:
        """Writes changes into the state as a whole or not at all; `None` removes an entry."""
        state = {key: value for key, value in {**self.state(), **changes}.items() if value is not None}
        self.write("state.json", json.dumps(state, indent=2) + "\n")

    def write(self, name: str, text: str) -> Path:
        """Writes a file that only its owner may read: some hold a token."""
        self.folder.mkdir(parents=True, exist_ok=True)
        target, draft = self.path(name), self.path(f"{name}.new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        os.replace(draft, target)
        return target

    @contextmanager
    def alone(self):
        """Keeps two commands from building up and taking down the same stack at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.path("lock"), "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Problem(f"another infra/stack is at work in {self.folder}; wait until it has ended.") from None
            yield


DEMO = Place("demo", ROOT / ".local")
TEST = Place("test", ROOT / ".local" / "test")
