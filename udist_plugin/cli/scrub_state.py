"""How far ``udist scrub`` is, in a file, so that it can go on after an interruption."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from pathlib import Path

from udist_plugin.cli.output import note, printable
from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.scrubbing.damage import Damage
from udist_plugin.storage.scrubbing.scrub import START, Position
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Self

_OTHER: Final = {"store": "another store", "options": "other options"}

EVERY: Final = 10.0
"""Seconds between writes."""


class State:
    """A run's position, and the damage that it found. It is written from time to time, and if the block ends
    early. Without a file nothing is."""

    def __init__(self, file: str | None, run: Mapping[str, object]) -> None:
        self.position = START
        self.found: list[Damage] = []
        self.leftovers = 0
        """How much there is that is harmless and was not repaired."""
        self._file = file
        self._run = run
        self._kept = (0, 0)
        self._written = time.monotonic()

    @classmethod
    def load(cls, file: str | None, run: Mapping[str, object]) -> State:
        """As an earlier run left it. ``run`` says of which store it is, and with which options.

        Raises ``ConfigurationError`` for a file that is none of ours or of another ``run``, or that cannot be
        written.
        """
        state = cls(file, run)
        if file and os.path.exists(file):
            state._read(file)
        state._try()
        return state

    def _read(self, file: str) -> None:
        try:
            document = json.loads(Path(file).read_bytes())
            run = {key: dict(document[key]) for key in self._run}
            self.found = [Damage(**each) for each in document["found"]]
            self.leftovers = int(document["leftovers"])
            self.reached(Position(**document["position"]))
        except (ValueError, TypeError, KeyError) as error:
            problem = f"{file} is not a state of udist scrub; give another file"
            raise ConfigurationError(problem, key="state") from error
        for key, value in self._run.items():
            if run[key] != value:
                was = ", ".join(f"{name}: {each}" for name, each in run[key].items())
                problem = f"{file} is the state of a run with {_OTHER[key]} ({was}); give another file"
                raise ConfigurationError(problem, key="state")

    def _try(self) -> None:
        try:
            self.write()
        except OSError as error:
            problem = f"{self._file} cannot be written: {error.strerror}; give another file"
            raise ConfigurationError(problem, key="state") from error

    def reached(self, position: Position) -> None:
        """All is checked up to ``position``."""
        self.position, self._kept = position, (len(self.found), self.leftovers)
        if time.monotonic() - self._written > EVERY:
            self.write()

    def write(self) -> None:
        """What was found since the last position is found again."""
        if not self._file:
            return
        count, leftovers = self._kept
        document = {
            **self._run,
            "position": self.position._asdict(),
            "found": [damage._asdict() for damage in self.found[:count]],
            "leftovers": leftovers,
        }
        new = Path(f"{self._file}.new")
        new.write_text(json.dumps(document))
        new.replace(self._file)
        self._written = time.monotonic()

    def forget(self) -> None:
        """The run has ended, so the next one begins anew."""
        if self._file:
            with suppress(FileNotFoundError):
                os.unlink(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self.write()
        if kind is not None and issubclass(kind, KeyboardInterrupt):
            note(printable(self._interrupted()))

    def _interrupted(self) -> str:
        blob, repository = self.position
        reached = f"the repository {repository}" if repository else blob
        how_far = f"interrupted; all is checked up to {reached}" if reached else "interrupted"
        if self._file:
            return f"{how_far}; the next run with --state {self._file} goes on from there"
        return f"{how_far}; with --state FILE, the next run would go on from there"
