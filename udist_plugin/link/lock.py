"""A lock that is let go of within the ``with`` that took it."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from threading import Lock


def take_back(lock: Lock) -> None:
    """Takes ``lock`` though Ctrl-C comes meanwhile: the ``with`` it was let go of in will release it."""
    taken: list[bool] = []
    interrupt = None
    while not taken:
        try:
            taken.extend(map(lock.acquire, (True,)))  # in one call: no interrupt can part the two
        except BaseException as error:
            interrupt = error
    if interrupt:
        raise interrupt
