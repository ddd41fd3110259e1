"""Objects being deleted, and the segments of large ones: after the object, so that none is there in part.

Segments of ours belong to one object. Those of distribution's dynamic large objects may belong to two, as it
moves one by a second manifest of the same segments: their names hold, in hexadecimal digits, the path that
they were first written for, and that object is asked.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.swift.listing import listed
from udist_plugin.drivers.swift.segments import SET_FIELD, segments_of, sets
from udist_plugin.errors import PathNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from udist_plugin.drivers.swift.client import SwiftClient

DYNAMIC: Final = "X-Object-Manifest"
_SALT: Final = 32 + 20
"""Bytes behind the path in the name of distribution's segments: random ones, and a digest of nothing."""


class Deletion:
    """Deletes objects of a container."""

    def __init__(self, client: SwiftClient) -> None:
        self._client = client
        self._root = client.settings.root
        self._sets = sets(self._root)

    def delete(self, key: str) -> None:
        """One that is not there does not matter."""
        try:
            fields = self._client.look(key)
        except PathNotFound:
            return
        segments = list(self._segments(key, fields))
        self._client.delete(key)
        for segment in segments:
            self._client.delete(segment)

    def purge(self, prefix: str, age: float) -> None:
        """Deletes segments made more than ``age`` seconds ago that belong to no object below ``prefix``:
        a writer was killed before its object stood, or another object stands there now."""
        before = time.time() - age
        used: tuple[str, bool] = ("", False)
        for segment in listed(self._client, self._sets):
            name, _, rest = segment.key.removeprefix(self._sets).partition("/")
            key = rest.rpartition("/")[0]
            if not key.startswith(prefix) or segment.modified >= before:
                continue
            if used[0] != name:  # segments of one object stand together
                used = name, self._set_of(key) == name
            if not used[1]:
                self._client.delete(segment.key)

    def _set_of(self, key: str) -> str:
        try:
            return self._client.look(key).get(SET_FIELD, "")
        except PathNotFound:
            return ""

    def _segments(self, key: str, fields: Mapping[str, str]) -> Iterator[str]:
        """What goes with the object. Segments that others have put elsewhere stay."""
        if name := fields.get(SET_FIELD):
            yield from segments_of(self._client, key, f"{self._sets}{name}/{key}/")
        elif (manifest := fields.get(DYNAMIC)) and self._is_sole(key, manifest):
            folder = manifest.removeprefix(f"{self._client.settings.container}/")
            for segment in listed(self._client, f"{folder}/"):
                yield segment.key

    def _is_sole(self, key: str, manifest: str) -> bool:
        """Whether the segments of a dynamic large object are surely of no other.

        Of an upload that was never moved they are not: it may have been moved a moment before whoever did so
        was killed, nobody knows where to.
        """
        origin = self._origin(manifest)
        if origin is None or origin == key:
            return False
        try:
            return self._client.look(origin).get(DYNAMIC) != manifest
        except PathNotFound:
            return True

    def _origin(self, manifest: str) -> str | None:
        """The key that distribution wrote these segments for, if it did."""
        folder = f"{self._client.settings.container}/{self._root}segments/"
        name = manifest.removeprefix(folder).replace("/", "", 1)
        try:
            path = bytes.fromhex(name)[:-_SALT].decode()
        except ValueError:
            return None
        return f"{self._root}files{path}" if manifest.startswith(folder) and path.startswith("/") else None
