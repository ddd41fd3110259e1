"""What ``udist gc`` prints: lines and a table, or one JSON document. Either is written while the run goes on,
so a large store takes no more memory than a small one."""

from __future__ import annotations

from udist_plugin.cli.output import print_table, printable, size_text
from udist_plugin.typed import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.storage.collection.step import Step

BLOBS: Final = {
    "delete": "nothing refers to them, and they were in quarantine for the grace period",
    "restore": "in quarantine, but a manifest refers to them",
    "quarantine": "nothing refers to them",
    "wait": "in quarantine; the grace period is not over",
    "keep": "nothing refers to them, but they are newer than the grace period",
}
"""The actions on blobs, and why they are taken."""
RESTORED: Final = BLOBS | {"restore": "they were in quarantine"}
"""The same, of ``--undo``."""
_MEMBERS: Final = {
    "manifests": ("action", "name", "tag", "digest", "reason"),
    "blobs": ("action", "digest", "size"),
}
"""The lists of the document, and what of a step they have."""


class Report(Protocol):
    """Takes each step as it is done."""

    def add(self, step: Step) -> None: ...

    def end(self) -> None:
        """Nothing more is done."""


class Output:
    """Standard output. With ``lasting``, a reader that goes away or a full disk does not end the work:
    ``end`` raises that ``OSError``.

    ``before`` is called before each line.
    """

    def __init__(self, *, lasting: bool, before: Callable[[], object]) -> None:
        self._lasting = lasting
        self._before = before
        self._error: OSError | None = None

    def write(self, text: str, *, flush: bool = False) -> None:
        if self._error is not None:
            return
        self._before()
        try:
            print(text, end="", flush=flush)
        except OSError as error:
            error.filename = "standard output"
            if not self._lasting:
                raise
            self._error = error

    def end(self) -> None:
        if self._error is not None:
            raise self._error


class Totals:
    """How many blobs each action was taken on, and their bytes."""

    def __init__(self) -> None:
        self.found = {action: [0, 0] for action in BLOBS}

    def add(self, step: Step) -> None:
        total = self.found[step.action]
        total[0] += 1
        total[1] += step.size


class Lines:
    """A line for each tag and manifest, as it is dealt with, and at the end a table of the blobs.

    ``reasons`` are those of the actions on blobs. ``nothing`` is printed if there was no step, ``hint`` if
    something would change.
    """

    def __init__(self, output: Output, reasons: Mapping[str, str], nothing: str, hint: str = "") -> None:
        self._output = output
        self._reasons = reasons
        self._nothing = nothing
        self._hint = hint
        self._totals = Totals()
        self._is_empty = True
        self._changes = False

    def add(self, step: Step) -> None:
        self._is_empty = False
        self._changes |= step.changes
        if not step.name:
            self._totals.add(step)
            return
        what = f"{step.name}:{step.tag}" if step.tag else f"{step.name}@{step.digest}"
        line = "  ".join(filter(None, (step.action, what, step.reason)))
        self._output.write(f"{printable(line)}\n", flush=True)

    def end(self) -> None:
        self._output.end()
        rows = [
            (action, str(count), "blob" if count == 1 else "blobs", size_text(size), self._reasons[action])
            for action, (count, size) in self._totals.found.items()
            if count
        ]
        if rows:
            print_table(rows)
        if self._is_empty:
            print(self._nothing)
        if self._changes and self._hint:
            print(self._hint)


class Document:
    """One JSON document. Steps of one kind come one after another, so each kind is a list by itself."""

    def __init__(self, output: Output, *, applied: bool) -> None:
        self._output = output
        self._totals = Totals()
        self._left = list(_MEMBERS)
        self._kind = ""
        self._ending = f'{{\n  "applied": {_json(applied)}'
        """What ends whatever was written last."""

    def add(self, step: Step) -> None:
        kind = "manifests" if step.name else "blobs"
        if not step.name:
            self._totals.add(step)
        separator = ","
        if kind != self._kind:
            self._begin(kind)
            separator = ""
        members = {member: getattr(step, member) for member in _MEMBERS[kind]}
        self._output.write(f"{separator}\n    {_json(members)}")
        self._ending = "\n  ]"

    def end(self) -> None:
        while self._left:
            self._begin(self._left[0])
        rows = [
            f'    "{action}": {_json({"blobs": count, "bytes": size})}'
            for action, (count, size) in self._totals.found.items()
        ]
        totals = ",\n".join(rows)
        self._output.write(f'{self._ending},\n  "totals": {{\n{totals}\n  }}\n}}\n')
        self._output.end()

    def _begin(self, kind: str) -> None:
        self._output.write(f'{self._ending},\n  "{kind}": [')
        self._ending = "]"
        self._left.remove(kind)
        self._kind = kind


def _json(value: object) -> str:
    import json

    return json.dumps(value)
