"""An object being read, over as many answers as that takes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, Generic, TypeVar

from udist_plugin.content import Content
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

RESUMPTIONS: Final = 5
"""How often a content that is cut short is asked for again."""
PIECE: Final = 1 << 20
"""Bytes read at once at most."""


class Bytes(ABC):
    """The content of one answer."""

    @abstractmethod
    def read(self, size: int) -> bytes:
        """Some of up to ``size`` bytes, empty at the end."""

    @abstractmethod
    def close(self) -> None:
        """Ends the connection, unless the answer was read to its end: then it serves another request."""


A = TypeVar("A", bound=Bytes)


class ResumedContent(Content, Generic[A]):
    """An answer's bytes, and the same version's from where they broke off."""

    name: ClassVar[str]
    """The driver's, for errors."""
    failures: ClassVar[tuple[type[BaseException], ...]]
    """What the service's library raises where an answer breaks off."""

    def __init__(self, key: str, start: int, size: int, answer: A, again: Callable[[int], A]) -> None:
        """``again`` asks for the rest of the version that ``answer`` is of, from an offset on."""
        self.size = size
        self._key = key
        self._position = start
        self._answer = answer
        self._again = again
        self._resumptions = 0

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            return b"".join(iter(lambda: self.read(PIECE), b""))
        data = b""

        def read(size: int) -> int:
            nonlocal data
            data = self._answer.read(size)
            return len(data)

        self._move(read, min(size, PIECE))
        return data

    def close(self) -> None:
        self._answer.close()

    def _move(self, move: Callable[[int], int], size: int) -> int:
        """How many of up to ``size`` bytes ``move`` has moved, if need be from another answer."""
        size = min(size, self.size)
        while size:
            problem: object = "it ended early"
            try:
                count = move(size)
            except self.failures as error:
                problem, count = error, 0
            if count:
                self.size -= count
                self._position += count
                return count
            self._resume(problem)
        return 0

    def _resume(self, problem: object) -> None:
        self.close()
        if self._resumptions == RESUMPTIONS:
            raise StorageError(
                f"the transfer broke off at byte {self._position}: {problem}",
                driver=self.name,
                path=self._key,
            )
        self._resumptions += 1
        self._answer = self._again(self._position)
