"""Large objects being made: segments, and the manifest that names them (a static large object).

See https://docs.openstack.org/swift/latest/overview_large_objects.html. distribution 2.8 makes dynamic ones,
which are whatever a listing shows at the moment: while it lags they are short. It reads static ones as well,
but leaves the segments behind when it deletes one; they are purged from here.

Segments belong to one object: they stand below ``segments/udist/<set>/<key>/``, and the object's metadata
name the set. So whoever finds a segment can tell whether it is still used.
"""

from __future__ import annotations

import os
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import quote

from udist_plugin.drivers.swift.answers import digest, errors
from udist_plugin.drivers.swift.client import MARK_FIELD
from udist_plugin.errors import PathNotFound, StorageError
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

    from udist_plugin.drivers.objects.store import StoredObject
    from udist_plugin.drivers.swift.client import SwiftClient

IN_FLIGHT: Final = 3
"""Segments sent or copied at once."""
COPIED_MAX: Final = 256 << 20
"""Bytes that the service copies in one request, which it answers only when it is done."""
SET_FIELD: Final = "X-Object-Meta-Udistsegments"
FRESH: Final = {"X-Fresh-Metadata": "true"}
"""Has a copy go without the metadata of what it is of."""


class Segment(NamedTuple):
    """One entry of a manifest."""

    key: str
    version: str
    size: int


def sets(root: str) -> str:
    """What the keys of all segments made here begin with."""
    return f"{root}segments/udist/"


class SegmentedObject:
    """One on its way: segments in their order, then ``commit``."""

    def __init__(self, client: SwiftClient, key: str) -> None:
        self._client = client
        self._key = key
        self._set = os.urandom(8).hex()
        self._count = 0
        self._pool: Helpers | None = None
        self._dropped = False
        self._made: list[Segment] = []
        self._making: deque[Future[Segment]] = deque()

    def send(self, data: bytes) -> None:
        """Makes a segment of bytes from here. Waits when too many are on their way."""

        def make(key: str) -> Segment:
            version = digest(data)
            self._client.make(key, data=data, headers={"Etag": version})
            return Segment(key, version, len(data))

        self._add(make)

    def copy(self, source: StoredObject) -> None:
        """Makes segments of another object's bytes, in the service itself."""
        for start in range(0, source.size, COPIED_MAX):
            self._add(partial(self._copy, source, start, min(start + COPIED_MAX, source.size)))

    def commit(self, mark: str = "") -> None:
        """Makes the object, a new one with that mark if there is one. Raises ``PathBusy``."""
        self._wait(0)
        most, segments, level = self._client.info["slo"]["max_manifest_segments"], self._made, 0
        while len(segments) > most:
            level += 1
            groups = [segments[first : first + most] for first in range(0, len(segments), most)]
            segments = [
                Segment(key := self._name(f"{level}-{number:016}"), self._manifest(key, group), _size(group))
                for number, group in enumerate(groups, 1)
            ]
        fields = {SET_FIELD: self._set}
        if mark:
            fields |= {MARK_FIELD: mark, "If-None-Match": "*"}
        self._made = []
        self._manifest(self._key, segments, fields)

    def cancel(self) -> None:
        """Drops what was made, but after ``commit`` nothing: whatever that said, the object may stand. What
        cannot be dropped is purged later."""
        self._dropped = True
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        done = [
            each for each in self._making if each.done() and not each.cancelled() and not each.exception()
        ]
        left = [*self._made, *(each.result() for each in done)]
        self._making.clear()
        self._made = []
        for segment in left:
            self._drop(segment.key)

    def _drop(self, key: str) -> None:
        with suppress(StorageError):
            self._client.delete(key)

    def _name(self, name: str) -> str:
        return f"{sets(self._client.settings.root)}{self._set}/{self._key}/{name}"

    def _add(self, make: Callable[[str], Segment]) -> None:
        if self._pool is None:
            self._pool = Helpers(IN_FLIGHT, "udist-swift")
        self._wait(IN_FLIGHT - 1)
        self._count += 1
        self._making.append(self._pool.submit(self._make, make, self._name(f"{self._count:016}")))

    def _make(self, make: Callable[[str], Segment], key: str) -> Segment:
        segment = make(key)
        if self._dropped:
            self._drop(key)
        return segment

    def _wait(self, most: int) -> None:
        """Returns when no more segments than that are on their way; raises what befell the others."""
        while len(self._making) > most:
            self._made.append(self._making[0].result())
            self._making.popleft()

    def _copy(self, source: StoredObject, start: int, end: int, key: str) -> Segment:
        name = quote(f"{self._client.settings.container}/{source.key}")
        fields = {**FRESH, "X-Copy-From": name, "If-Match": source.version}
        if (start, end) != (0, source.size):
            fields["Range"] = f"bytes={start}-{end - 1}"
        return Segment(key, self._client.make(key, headers=fields, unmet=PathNotFound), end - start)

    def _manifest(self, key: str, segments: list[Segment], fields: dict[str, str] | None = None) -> str:
        import json

        container = self._client.settings.container
        entries = [
            {"path": f"/{container}/{each.key}", "etag": each.version, "size_bytes": each.size}
            for each in segments
        ]
        return self._client.make(
            key, params={"multipart-manifest": "put"}, data=json.dumps(entries), headers=fields or {}
        )


def segments_of(client: SwiftClient, key: str, own: str) -> Iterator[str]:
    """The keys of the segments below ``own`` that a static large object is made of, and of the manifests
    between."""
    options: dict[str, Any] = {"params": {"multipart-manifest": "get"}, "headers": {"X-Newest": "true"}}
    try:
        response, _ = client.attempt("GET", key, accept={200}, **options)
    except PathNotFound:
        return
    with errors(key):
        entries = [(each["name"].partition("/")[2], each.get("sub_slo")) for each in response.json()]
    for name, large in entries:
        segment = name.removeprefix(f"{client.settings.container}/")
        if segment.startswith(own):
            if large:
                yield from segments_of(client, segment, own)
            yield segment


def _size(segments: list[Segment]) -> int:
    return sum(each.size for each in segments)
