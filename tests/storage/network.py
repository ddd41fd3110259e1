"""A network file system on which one call fails once.

The client sends a request again when its answer is lost: the server has done it, and says of the second one
that there is nothing left to do. A call may fail before or after it was done, and what the kernel took to be
written may be lost without a word until the file is synced or closed.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from udist_plugin.drivers.filesystem import calls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

EIO, ESTALE, EBUSY, ENOSPC, EDQUOT = errno.EIO, errno.ESTALE, errno.EBUSY, errno.ENOSPC, errno.EDQUOT
ENOENT, EEXIST, ENOTEMPTY, EINVAL = errno.ENOENT, errno.EEXIST, errno.ENOTEMPTY, errno.EINVAL
EPERM, ENOLCK, ETIMEDOUT = errno.EPERM, errno.ENOLCK, errno.ETIMEDOUT


class Fault(NamedTuple):
    """A call that answers ``number``: ``done`` all the same, or not; what was written is ``lost``."""

    number: int
    done: bool = False
    lost: bool = False
    hidden: bool = False  # whoever asked must not notice

    def __repr__(self) -> str:
        kind = "lost" if self.lost else "done" if self.done else "failed"
        return f"{errno.errorcode[self.number]} {kind}"


def _failed(*numbers: int) -> list[Fault]:
    return [Fault(number) for number in numbers]


def _hidden(*numbers: int) -> list[Fault]:
    return [Fault(number, hidden=True) for number in numbers]


_LOST = [Fault(number, lost=True) for number in (EIO, ENOSPC, EDQUOT)]

FAULTS: dict[str, list[Fault]] = {
    "create": [
        Fault(EEXIST, done=True, hidden=True),
        *_hidden(ESTALE),
        *_failed(EIO, ENOSPC),
        Fault(EIO, done=True),
    ],
    "open_end": [*_hidden(ESTALE), *_failed(EIO, ENOSPC), Fault(EIO, done=True)],
    "write": _failed(EIO, ENOSPC, EDQUOT, ESTALE),
    "share": _failed(EIO, ENOSPC),
    "sync": [*_LOST, *_failed(ESTALE)],
    "close": _LOST,
    "sync_folder": [*_hidden(ESTALE, EINVAL), *_failed(EIO)],
    "make_folder": [
        Fault(EEXIST, done=True, hidden=True),
        *_failed(EIO, ENOSPC, ESTALE),
        Fault(EIO, done=True),
    ],
    "rename": [
        *[Fault(number, done=True, hidden=True) for number in (ENOENT, EIO, ESTALE, ETIMEDOUT)],
        *_hidden(EIO, ESTALE, EBUSY, ETIMEDOUT),
        *_failed(ENOSPC, EPERM),
    ],
    "unlink": [Fault(ENOENT, done=True), Fault(EIO, done=True), *_failed(EIO, EBUSY, ESTALE)],
    "remove_folder": [
        Fault(ENOENT, done=True, hidden=True),
        Fault(EIO, done=True),
        *_failed(EIO, EBUSY, ENOTEMPTY),
    ],
    "lock": [*_hidden(ENOLCK), *_failed(EIO)],
}


class Planted:
    """Replaces the functions of ``calls``. The call numbered ``at`` has the ``fault``; without, all succeed.
    ``made`` tells which there are. Nothing waits for a disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int = -1, fault: Fault | None = None) -> None:
        self.made: list[str] = []
        self._at = at
        self._fault = fault
        self._real = {verb: getattr(calls, verb) for verb in FAULTS}
        monkeypatch.setattr(calls, "_flush", lambda descriptor: None)
        for verb, call in self._real.items():
            monkeypatch.setattr(calls, verb, self._counted(verb, call))

    def _counted(self, verb: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            self.made.append(verb)
            if self._fault is not None and len(self.made) - 1 == self._at:
                assert self._fault in FAULTS[verb]
                self._fail(self._fault, verb, lambda: call(*arguments, **named), arguments)
            return call(*arguments, **named)

        return counted

    def _fail(self, fault: Fault, verb: str, call: Callable[[], Any], arguments: tuple[Any, ...]) -> NoReturn:
        if fault.lost:
            _lose(arguments[0])
        made = call() if fault.done or verb == "close" else None
        if verb in ("create", "open_end") and made is not None:
            os.close(made)
        paths = [argument for argument in arguments if isinstance(argument, str)][:2]
        about = (paths[0], None, paths[1]) if len(paths) == 2 else tuple(paths)
        raise OSError(fault.number, os.strerror(fault.number), *about)


def _lose(descriptor: int) -> None:
    """Zeros in place of what was written. The file is as long as before, and the next sync succeeds."""
    size = os.fstat(descriptor).st_size
    os.ftruncate(descriptor, 0)
    os.ftruncate(descriptor, size)


def faults(made: list[str], most: int) -> Iterator[tuple[int, Fault]]:
    """The faults of every call, each kind at ``most`` calls of a verb at most, spread over them."""
    for verb, kinds in FAULTS.items():
        places = [at for at, name in enumerate(made) if name == verb]
        step = max(1, -(-len(places) // most))
        for number, fault in enumerate(kinds):
            for at in places[number % step :: step]:
                yield at, fault
