"""What is cached is dropped after its time.

That is written down in the store before the content is, a small file each, below
``/docker/registry/v2/udist/cached/<due>``: seconds since 1970, so that what is due is found by one list. Any
plugin on the store drops it, so the plan survives restarts and kills. What two plugins drop at once, or what
one fetches while another drops it, is at worst fetched again.

A stock server keeps one file for that, ``/scheduler-state.json``, which it writes every five seconds. What of
it is due is dropped here as well, and taken out of the file.
"""

from __future__ import annotations

import json
import math
import threading
import time
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from udist_plugin.errors import (
    BlobUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    PathNotFound,
    StorageError,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import check_name
from udist_plugin.proxy.unlinked import unlinked
from udist_plugin.storage import paths
from udist_plugin.storage.collection.collect import PAUSE
from udist_plugin.storage.collection.quarantine import CLOSED, Entry, Quarantine
from udist_plugin.storage.data import BlobData

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

    Record = Callable[[str, str], object]

STOCK: Final = "/scheduler-state.json"
BLOB, MANIFEST = 0, 1
"""What stock servers call the kinds of content."""

STEPS: Final = 100
"""Of a time to live, how late content may be dropped: what is due within such a step is in one folder."""

LOOKS: Final = (1.0, 3600.0)
"""Seconds between two looks for what is due: the least and the most."""

BATCH: Final = 10_000
"""Content that is dropped together: for each batch all links are looked for twice."""

CLOSING: Final = 1.0
"""Seconds that closing waits for a look that is under way."""


class Cached(NamedTuple):
    """Content of a repository: ``BLOB`` or ``MANIFEST``."""

    kind: int
    name: str
    digest: Digest

    @classmethod
    def of_text(cls, text: str, kind: int) -> Cached | None:
        """``name@digest``, if it is that."""
        name, _, digest = text.rpartition("@")
        try:
            return cls(kind, check_name(name), Digest(digest))
        except (NameInvalid, DigestInvalid):
            return None

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}"


class Expiry:
    """Plans what is dropped from ``driver``, and drops it. ``open_store`` gives the registry that stands
    there, ``clock`` seconds since 1970; ``ttl`` is the shortest time to live in use. ``pause`` waits for so
    many seconds, and is true if nobody should wait any longer."""

    def __init__(
        self,
        driver: StorageDriver,
        open_store: Callable[[], Registry],
        ttl: float,
        clock: Callable[[], float] = time.time,
        pause: Callable[[float], object] | None = None,
    ) -> None:
        self._driver = driver
        self._open_store = open_store
        self._clock = clock
        self._interval = min(max(ttl / STEPS, LOOKS[0]), LOOKS[1])
        self._stop = threading.Event()
        self._pause = pause or self._stop.wait
        self._thread: threading.Thread | None = None

    def plan(self, cached: Cached, ttl: float) -> None:
        """``cached`` is dropped in ``ttl`` seconds, which may be infinite, or a hundredth of that later."""
        if math.isinf(ttl):
            return
        step = max(1, int(ttl / STEPS))
        due = math.ceil((self._clock() + ttl) / step) * step
        content = json.dumps({"key": str(cached), "kind": cached.kind}).encode()
        self._driver.put_content(f"{paths.CACHED}/{due:012d}/{sha256(content).hexdigest()[:32]}", content)

    def start(self, record: Record) -> None:
        """Drops what is due, now and from now on, in a thread. ``record`` takes what goes wrong."""
        self._thread = threading.Thread(target=self._run, args=(record,), name="udist-expiry", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(CLOSING)

    def _run(self, record: Record) -> None:
        while True:
            try:
                self.drop_due()
            except StorageError as error:
                record("error", f"what the cache was to drop stays for now: {error}")
            if self._stop.wait(self._interval):
                return

    def drop_due(self) -> None:
        """Drops all whose time is over. Raises ``StorageError``."""
        now = self._clock()
        folders = list(self._due_folders(now))
        marks = (f"{folder}/{name}" for folder in folders for name in self._names(folder))
        while batch := list(islice(marks, BATCH)):
            if not self._drop([cached for mark in batch if (cached := self._read(mark))]):
                return
            for path in batch:
                with suppress(PathNotFound):  # another has done the same
                    self._driver.delete(path, durable=False)
        for folder in folders:
            self._driver.remove_if_empty(folder)
        self._drop_planned_by_stock(now)

    def _due_folders(self, now: float) -> Iterator[str]:
        for due in sorted(self._names(paths.CACHED)):
            if due.isdecimal() and int(due) <= now and not self._stop.is_set():
                yield f"{paths.CACHED}/{due}"

    def _names(self, folder: str) -> list[str]:
        try:
            return self._driver.list(folder)
        except PathNotFound:
            return []

    def _read(self, path: str) -> Cached | None:
        try:
            found = json.loads(self._driver.get_content(path))
            return Cached.of_text(found["key"], found["kind"])
        except (PathNotFound, ValueError, KeyError, TypeError, AttributeError):
            return None

    def _drop(self, due: list[Cached]) -> bool:
        """Links go first, then the data that no link is left to. ``False`` if the plugin closes meanwhile:
        then all of it is to be dropped again."""
        store = self._open_store()
        for kind, name, digest in due:
            if kind == MANIFEST:
                with suppress(ManifestUnknown, NameUnknown):
                    store.delete_manifest(name, digest)
            with suppress(BlobUnknown):  # of the first manifest of a repository there may be such a link, too
                store.delete_blob(name, digest)
        return self._drop_data(unlinked(self._driver, {each.digest for each in due}))

    def _drop_data(self, digests: set[Digest]) -> bool:
        """A push to another repository may have looked at the data, and make its link only now. So data is
        deleted as ``collect.py`` says: in quarantine, where every look restores it, and after a pause."""
        if not digests:
            return True
        quarantine = Quarantine(self._driver)
        run = quarantine.begin()
        for digest in digests:
            with suppress(PathNotFound):  # dropped by another, or taken by one that was killed since
                quarantine.take(Entry(run, paths.blob_data(digest)))
        if self._pause(PAUSE):
            return False
        left = unlinked(self._driver, digests)
        for digest in left:
            quarantine.forget(paths.blob_data(digest))
            self._driver.remove_if_empty(paths.blob_data(digest).removesuffix("/data"))
        data = BlobData(self._driver)
        for digest in digests - left:
            with suppress(PathNotFound):
                data.stat(digest)  # which restores it
        if not quarantine.end(run):
            quarantine.write(run, CLOSED)
        return True

    def _drop_planned_by_stock(self, now: float) -> None:
        """What is due is taken out of the file, as it may be cached again since."""
        try:
            planned: dict[str, Any] = json.loads(self._driver.get_content(STOCK))
            due = {key: entry for key, entry in planned.items() if _expired(entry, now)}
        except PathNotFound:
            return
        except (ValueError, AttributeError):  # not what a stock server writes
            return
        if due:
            cached = [Cached.of_text(key, entry["EntryType"]) for key, entry in due.items()]
            if not self._drop([each for each in cached if each]):
                return
            left = {key: entry for key, entry in planned.items() if key not in due}
            self._driver.put_content(STOCK, json.dumps(left).encode())


def _expired(entry: Any, now: float) -> bool:
    try:
        return entry["EntryType"] in (BLOB, MANIFEST) and (
            datetime.fromisoformat(entry["ExpiryData"]).timestamp() <= now
        )
    except (KeyError, TypeError, ValueError, OverflowError):
        return False
