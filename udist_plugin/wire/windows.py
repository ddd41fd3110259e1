"""Credit for data, per stream and direction (PROTOCOL.md, "Flow control").

A receiver's window has no fixed size. ``credit`` is what the peer may still send, ``unread`` what has come
and was not consumed yet; together they never exceed ``size``, so ``size`` is the memory that the stream may
take. A stream whose consumer keeps up is given a larger ``size`` out of a budget that all streams share.
Credit is announced when half of the window is free: an announcement for each read would cost a frame a
read, and one at the very end would leave the sender waiting for it.
"""

from __future__ import annotations

from udist_plugin.errors import RemoteProtocolError
from udist_plugin.wire.constants import INITIAL_CREDIT, MAX_CREDIT


class Budget:
    """Bytes that windows may grow by, beyond the initial credit of each."""

    __slots__ = ("left",)

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, amount: int) -> int:
        """As much of ``amount`` as is left."""
        taken = min(amount, self.left)
        self.left -= taken
        return taken


class ReceiveWindow:
    """What the peer may send on one stream. ``ended`` once it will send no more."""

    __slots__ = ("_budget", "_initial", "_largest", "credit", "ended", "size", "unread")

    def __init__(self, budget: Budget, largest: int, initial: int = INITIAL_CREDIT) -> None:
        self._budget = budget
        self._largest = largest
        self._initial = self.size = self.credit = initial
        self.unread = 0
        self.ended = False

    def receive(self, amount: int) -> None:
        """Accounts for a payload. Raises ``RemoteProtocolError`` when it exceeds the credit."""
        if amount > self.credit:
            raise RemoteProtocolError(f"{amount} bytes of data with {self.credit} bytes of credit")
        self.credit -= amount
        self.unread += amount

    def consume(self, amount: int) -> int:
        """Accounts for bytes that were read, and returns the credit to announce now, mostly 0."""
        self.unread -= amount
        if self.ended:
            self.end()
            return 0
        free = self.size - self.credit - self.unread
        if free * 2 < self.size:
            return 0
        grown = self._budget.take(min(self.size, self._largest - self.size))
        self.size += grown
        self.credit += free + grown
        return free + grown

    def end(self) -> None:
        """No more will come: what the window had grown by is free once everything was read."""
        self.ended = True
        if not self.unread:
            self.close()

    def close(self) -> None:
        """Nobody will read either: gives back to the budget at once; twice is once."""
        self.ended = True
        self._budget.left += self.size - self._initial
        self.size = self._initial


class SendWindow:
    """What this side may send on one stream."""

    __slots__ = ("credit",)

    def __init__(self, initial: int = INITIAL_CREDIT) -> None:
        self.credit = initial

    def grow(self, amount: int) -> None:
        """Raises ``RemoteProtocolError`` for an update of nothing, or beyond 2^31-1."""
        if not 0 < amount <= MAX_CREDIT - self.credit:
            raise RemoteProtocolError(f"a window update of {amount} bytes on {self.credit}")
        self.credit += amount
