"""The file systems of a driver: each is one connection, which one thread uses at a time.

Few of fsspec's file systems may be shared: two threads on one SFTP client take each other's answers.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.fsspec import sftp
from udist_plugin.drivers.fsspec.library import open_system
from udist_plugin.drivers.fsspec.settings import NAME, SFTP, Settings
from udist_plugin.errors import StorageUnavailable, UdistError

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT: Final = 60.0
"""Seconds to wait for a connection that another thread uses."""


class Connection:
    """A file system and the turn to use it."""

    def __init__(self, settings: Settings) -> None:
        url, options = settings.url, settings.options
        self.system: Any
        if settings.protocol in SFTP:
            self.system, self.root = sftp.connect(url, settings.known_hosts, options)
        else:
            self.system, self.root = open_system(url, options)
        self.root = self.root.rstrip("/")
        self.turn = threading.Lock()

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The file system, for this thread alone."""
        if not self.turn.acquire(timeout=WAIT):
            raise busy()
        try:
            yield self.system
        finally:
            self.turn.release()


class Connections:
    """Opened as they are needed, ``settings.connections`` at most."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._open: list[Connection] = []
        self._opening = 0
        self._next = 0
        self._guard = threading.Lock()

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """A connection, for this thread alone. One that turns out to be lost is not used again."""
        connection = self._take()
        try:
            yield connection
        except Exception as error:
            if is_lost(error):
                self.forget(connection)
            raise
        finally:
            connection.turn.release()

    def forget(self, connection: Connection) -> None:
        """Another is opened in its place."""
        with self._guard, suppress(ValueError):
            self._open.remove(connection)
        self._end(connection)

    def close(self) -> None:
        with self._guard:
            connections, self._open = self._open, []
        for connection in connections:
            self._end(connection)

    def _take(self) -> Connection:
        """A free one, else a new one, else the next whose turn it is."""
        with self._guard:
            for connection in self._open:
                if connection.turn.acquire(blocking=False):
                    return connection
            full = self._open and len(self._open) + self._opening >= self._settings.connections
            if full:
                self._next = (self._next + 1) % len(self._open)
                connection = self._open[self._next]
            else:
                self._opening += 1
        if not full:
            return self._opened()
        if not connection.turn.acquire(timeout=WAIT):
            raise busy()
        return connection

    def _opened(self) -> Connection:
        try:
            connection = Connection(self._settings)
            connection.turn.acquire()
        except BaseException:
            with self._guard:
                self._opening -= 1
            raise
        with self._guard:
            self._opening -= 1
            self._open.append(connection)
        return connection

    def _end(self, connection: Connection) -> None:
        if self._settings.protocol in SFTP:
            with suppress(Exception):  # it may be lost
                sftp.close(connection.system)


def is_lost(error: Exception) -> bool:
    """Whether the connection is to blame: what a file system says of a file is an ``OSError``."""
    if isinstance(error, UdistError):
        return False
    lost = (EOFError, ConnectionError, TimeoutError)
    return isinstance(error, lost) or not isinstance(error, OSError) or "closed" in str(error)


def busy() -> StorageUnavailable:
    return StorageUnavailable("every connection is in use; raise storage.fsspec.connections", driver=NAME)
