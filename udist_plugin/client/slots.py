"""The plugin's slots for streams, as they run out.

A slot is in use from a request's head to the plugin's last frame about it, and a response that nobody reads
keeps its own for ever.
"""

from __future__ import annotations

import time

from udist_plugin.errors import DeadlineExceeded, NoFreeSlot, TransportError
from udist_plugin.link.waiter import Waiter
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.link.role import Role
    from udist_plugin.wire.caller import CallerConnection

UNREAD: Final = 0.5
"""Seconds without a frame or a read after which closing waits no more for responses."""

HELD: Final = 60.0
"""Seconds without a frame or a read after which a slot is not waited for: not while unread responses hold all
of them, and nothing but reading those would end the wait."""

LATE: Final = "all of the plugin's slots stayed in use for the time allowed for the request"


class Slots:
    """Threads that wait for a slot of ``connection``. Every method is called under the link's lock."""

    def __init__(self, connection: CallerConnection, role: Role) -> None:
        self._connection = connection
        self._role = role
        self._waiting: list[Waiter] = []
        self._frames = 0

    @property
    def free(self) -> bool:
        """Whether a stream can be opened now, and nobody waits to do so."""
        return self._connection.can_open and not self._waiting

    def on_frame(self) -> None:
        """A frame has come: there may be a slot."""
        self._frames += 1
        connection = self._connection
        if self._waiting and (connection.can_open or connection.exhausted):
            for waiter in self._waiting:
                self._role.wake(waiter)

    def wait(self, who: Waiter) -> None:
        """Returns once a stream can be opened, or none can any more; ``who`` waits until its deadline. Raises
        ``NoFreeSlot``."""
        connection = self._connection
        who.patience = HELD
        while not self._wait(lambda: connection.can_open or connection.exhausted, who):
            if _late(who):
                raise NoFreeSlot(LATE)
            if connection.streams and all(each.owner.unread for each in connection.streams.values()):
                raise NoFreeSlot(
                    f"all of the plugin's slots are held by responses that nobody has read for {HELD:g} s; "
                    "read or close the responses that are open"
                )

    def drain(self, quiet: Callable[[], bool], deadline: float) -> None:
        """Waits for the open streams as long as somebody reads them, and for what the plugin still writes on
        those given up: it would hang in a full pipe. ``quiet`` tells whether nothing more is to come."""
        try:
            self._wait(quiet, Waiter(deadline, UNREAD))
        except TransportError:
            return

    def _wait(self, ready: Callable[[], bool], who: Waiter) -> bool:
        """Waits until ``ready()``. ``False`` at the deadline of ``who``, or when nothing was received or read
        for as long as it has patience."""
        while not ready():
            before = self._frames, self._connection.consumed
            self._waiting.append(who)
            try:
                self._role.wait(who, ready)
            except DeadlineExceeded:
                if _late(who) or before == (self._frames, self._connection.consumed):
                    return False
            finally:
                self._waiting.remove(who)
        return True


def _late(who: Waiter) -> bool:
    return who.deadline is not None and time.monotonic() >= who.deadline
