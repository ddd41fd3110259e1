"""One exchange as the client's user sees it, by the driver's reports."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.testing.callers.errors import Unexpected

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from udist_plugin.testing.callers.pump import Pump

    class Client(Protocol):
        """Takes commands, and may have failed at its start; ``Run`` is one."""

        pump: Pump
        failure: Failure | None

        def command(self, word: str, *words: object) -> None: ...


class Failure(NamedTuple):
    """Why an exchange failed, or the plugin's start; of the latter nobody says whether to repeat it."""

    code: str
    message: str
    repeatable: bool | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class Exchange:
    """The exchange ``number`` with its ``target``, and what was reported of it.

    ``status`` and ``fields`` are the head's, ``contents`` what was read and nobody has compared yet, as
    numbers of bytes and CRC-32. ``trailers`` is ``None`` until the response has ended.
    """

    def __init__(self, run: Client, number: int, target: str) -> None:
        self.number = number
        self.target = target
        self.status = 0
        self.fields: list[tuple[str, str]] = []
        self.contents: list[tuple[int, int]] = []
        self.trailers: list[tuple[str, str]] | None = None
        self.written = 0
        self.failure: Failure | None = None
        self._run = run

    # What its user does

    def write(self, count: int) -> None:
        self._run.command("write", self.number, count)

    def end(self, *trailers: str) -> None:
        self._run.command("end", self.number, *trailers)

    def read(self, count: int | str) -> None:
        self._run.command("read", self.number, count)

    def cancel(self) -> None:
        self._run.command("cancel", self.number)

    # What its user sees

    def answered(self, status: int) -> None:
        """Waits for the response's head."""
        self._await(lambda: self.status, f"the head {status} of {self}")
        if self.status != status:
            raise Unexpected(f"expected status {status} of {self}, not {self.status}")

    def has_read(self, content: bytes) -> None:
        """Waits for the next content, and takes it."""
        self._await(lambda: self.contents, f"content of {len(content)} bytes of {self}")
        count, checksum = self.contents.pop(0)
        if (count, checksum) != (len(content), zlib.crc32(content)):
            wanted = f"{len(content)} bytes with CRC-32 {zlib.crc32(content):08x}"
            raise Unexpected(f"expected content of {wanted} of {self}, not {count} with {checksum:08x}")

    def has_written(self, times: int) -> None:
        """Waits until that many commands to write were done, in all."""
        self._await(lambda: self.written >= times, f"{self} to have written {times} times")

    def ends(self, trailers: Sequence[tuple[str, str]] = ()) -> None:
        """Waits for the response's end."""
        self.over()
        if self.trailers != list(trailers):
            raise Unexpected(f"expected the trailers {list(trailers)} of {self}, not {self.trailers}")

    def over(self) -> None:
        """Waits for the response's end, whatever its trailers."""
        self._await(lambda: self.trailers is not None, f"the end of {self}")

    def succeeds(self, status: int, content: bytes = b"", trailers: Sequence[tuple[str, str]] = ()) -> None:
        """Waits for a whole response."""
        self.answered(status)
        self.has_read(content)
        self.ends(trailers)

    def fails(self, *codes: str, repeatable: bool | None = None, saying: str = "") -> None:
        """Waits for its failure, or that of the plugin's start, with one of ``codes`` (any if none is given),
        and ``saying`` something."""
        run = self._run
        expected = f"{self} to fail" + (f" with {' or '.join(codes)}" if codes else "")
        run.pump.until(lambda: self.failure or run.failure or self.trailers is not None, expected)
        failure = self.failure or run.failure
        if failure is None:
            raise Unexpected(f"expected {expected}, but it succeeded")
        if codes and failure.code not in codes:
            raise Unexpected(f"expected {expected}; it failed with {failure}")
        if repeatable is not None and failure.repeatable not in (None, repeatable):
            wanted, said = ("yes", "no") if repeatable else ("no", "yes")
            raise Unexpected(f"{self} failed with {failure}; expected REPEATABLE {wanted}, not {said}")
        if saying not in failure.message:
            raise Unexpected(f"expected the error of {self} to contain {saying!r}: {failure.message}")

    def _await(self, reached: Callable[[], object], expected: str) -> None:
        run = self._run
        run.pump.until(lambda: reached() or self.failure or run.failure, expected)
        if not reached() and (failure := self.failure or run.failure):
            raise Unexpected(f"expected {expected}; it failed with {failure}")

    def report(self, word: str, rest: list[str]) -> None:
        """Takes in a driver's report. Raises ``ValueError`` and ``IndexError`` for one that is malformed."""
        match word:
            case "head":
                self.status = int(rest[0])
                self.fields = _fields(rest[1:])
            case "content":
                self.contents.append((int(rest[0]), int(rest[1], 16)))
            case "end":
                self.trailers = _fields(rest)
            case "written":
                self.written += 1
            case "error":
                if self.failure:
                    raise Unexpected(f"the driver reported the failure of {self} twice")
                if rest[1] not in ("yes", "no"):
                    raise ValueError(f"{rest[1]} is neither yes nor no")
                self.failure = Failure(rest[0], " ".join(rest[2:]), rest[1] == "yes")

    def __str__(self) -> str:
        return f"exchange {self.number} ({self.target})"


def _fields(words: list[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (word.partition(":") for word in words)]
