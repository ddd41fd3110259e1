"""What a sync has done so far, and what failed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from udist_plugin.errors import Cancelled, HandshakeFailed, PluginDied, PluginNotFound, UdistError
from udist_plugin.images.syncing.result import Failure, Synced, SyncResult

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_OF_ALL: Final = (Cancelled, HandshakeFailed, PluginDied, PluginNotFound)
"""What no other image would survive either."""


class Record:
    """Written to by any number of threads."""

    def __init__(self) -> None:
        self.copied: list[Synced] = []
        self.present: list[Synced] = []
        self.deleted: list[str] = []
        self.failed: list[Failure] = []
        self.sizes: list[int] = []
        self._broken: set[tuple[str, str]] = set()

    def attempt(self, reference: str, name: str, target: str, act: Callable[[], Result]) -> Result | None:
        """What ``act`` returns; ``None`` if it fails for reasons of its own.

        Those are of ``reference``, which becomes ``target`` of the repository ``name`` at the destination.
        """
        try:
            return act()
        except _OF_ALL:
            raise
        except (UdistError, OSError) as error:
            error.__notes__ = [reference, *getattr(error, "__notes__", ())]
            self._broken.add((name, target))
            self.failed.append(Failure(reference, error))
            return None

    def refuse(self, reference: str, error: Exception) -> None:
        """Something was not done, for ``error``."""
        self.failed.append(Failure(reference, error))

    def is_broken(self, name: str, target: str) -> bool:
        return (name, target) in self._broken

    def broken_repositories(self) -> set[str]:
        """Those of the destination for which something failed."""
        return {name for name, _ in self._broken}

    def result(self) -> SyncResult:
        return SyncResult(
            sorted(self.copied), sorted(self.present), self.deleted, self.failed, sum(self.sizes)
        )
