"""A bounded map that forgets what was not used for longest."""

from __future__ import annotations

import threading

from udist_plugin.typed import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """At most ``limit`` entries; safe from any thread."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._entries: dict[Key, Value] = {}  # in the order of their last use
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """What is kept under ``key``."""
        with self._lock:
            if (value := self._entries.pop(key, None)) is not None:
                self._entries[key] = value
            return value

    def put(self, key: Key, value: Value) -> None:
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = value
            if len(self._entries) > self._limit:
                del self._entries[next(iter(self._entries))]

    def take(self, key: Key) -> Value | None:
        """What was kept under ``key``, now the caller's alone."""
        with self._lock:
            return self._entries.pop(key, None)
