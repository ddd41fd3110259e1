"""Deletions that must not take what is pushed at the same moment, also if the process is killed.

/docker/registry/v2/udist/quarantine/<16 random hexadecimal digits>.note

Whoever deletes a link looks first that nobody wants it. A push may come between the look and the deletion,
so the look is repeated, and the link put back. A process that is killed in between leaves a note of the
deletion, and others look in its place: a plugin that misses a manifest, each run of the collector or of a
repair, and the upkeep of every plugin.

A note says when that was written which a push writes before the link: the data, or before a tag's link the
revision's. If it was written at any other time since, the link was pushed again. So it does not matter which
way the store's clock went. In turn, a link may come back that somebody else deleted while the note stood.

A note is dropped when it is a grace old. So this needs one thing: a process that is killed before it has
looked again was not held up for a grace before its deletion.
"""

from __future__ import annotations

import os
from contextlib import suppress

from udist_plugin.errors import DigestInvalid, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import is_hex
from udist_plugin.storage.leases import Leases
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.drivers.base import StorageDriver

_TAG: Final = f"/{paths.MANIFESTS}/tags/"


class Note(NamedTuple):
    """``content`` is what stood, or should have stood, at ``origin``; ``written`` in seconds since 1970."""

    path: str
    origin: str
    content: str
    written: float | None


class Notes:
    """The deletions that are under way in a store, and those of processes that were killed."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver

    def delete(
        self,
        origin: str,
        content: bytes,
        act: Callable[[], bool],
        is_wanted: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Lets ``act`` delete the file at ``origin``; whether it did, and the file was not put back.

        It is put back, with this content, if ``is_wanted``, if it was pushed again, or if it is that of a tag
        under a lease. Raises ``PathNotFound`` if ``act`` does.
        """
        note = self._make(origin, content)
        try:
            deleted = act()
        except PathNotFound:
            self._drop(note)
            raise
        if deleted and (is_wanted() or self._is_wanted(note)):
            self._put_back(note)
            deleted = False
        self._drop(note)
        return deleted

    def finish(self, before: float | None = None) -> None:
        """Puts back what was pushed again, whoever deletes it; drops the notes made until ``before``."""
        try:
            names = self._driver.list(paths.QUARANTINE)
        except PathNotFound:
            return
        for note in self._among(names):
            with suppress(PathNotFound):  # dropped by another
                is_old = before is not None and self._driver.stat(note.path).modified <= before
                self._settle(note)
                if is_old:
                    self._drop(note)

    def put_back(self, origin: str, names: Iterable[str]) -> bool:
        """Whether a file that is missing was put back; ``names`` are those in the quarantine's folder."""
        return any(note.origin == origin and self._settle(note) for note in self._among(names))

    def _among(self, names: Iterable[str]) -> Iterator[Note]:
        import json

        for name in names:
            if name.endswith(paths.NOTE) and is_hex(name.removesuffix(paths.NOTE)):
                path = f"{paths.QUARANTINE}/{name}"
                with suppress(PathNotFound, ValueError, KeyError, TypeError):  # dropped, or none of ours
                    found = json.loads(self._driver.get_content(path))
                    yield Note(path, str(found["origin"]), str(found["content"]), found["written"])

    def _make(self, origin: str, content: bytes) -> Note:
        import json

        path = f"{paths.QUARANTINE}/{os.urandom(8).hex()}{paths.NOTE}"
        note = Note(path, origin, content.decode("ascii", "replace"), None)
        note = note._replace(written=self._written(note, origin))
        document = {"origin": origin, "content": note.content, "written": note.written}
        self._driver.put_content(path, json.dumps(document).encode())
        return note

    def _drop(self, note: Note) -> None:
        with suppress(PathNotFound):
            self._driver.delete(note.path, durable=False)

    def _settle(self, note: Note) -> bool:
        with suppress(PathNotFound):
            if not self._driver.stands(note.origin) and self._is_wanted(note):
                self._put_back(note)
                return True
        return False

    def _is_wanted(self, note: Note) -> bool:
        written = self._written(note, _aside(note.origin))
        return written not in (None, note.written) or self._is_leased(note.origin)

    def _put_back(self, note: Note) -> None:
        if note.origin.startswith(f"{paths.BLOBS}/"):
            self._driver.move(_aside(note.origin), note.origin)
        else:
            self._driver.put_content(note.origin, note.content.encode())

    def _written(self, note: Note, data: str) -> float | None:
        """When that was written which tells of a push; of a blob it is the file itself, at ``data``."""
        if not note.origin.startswith(f"{paths.BLOBS}/"):
            try:
                target = Digest(note.content)
            except DigestInvalid:
                return None
            data = paths.blob_data(target)
            manifests, found, _ = note.origin.partition(_TAG)
            if found:
                data = f"{manifests}/{paths.MANIFESTS}/revisions/{target.replace(':', '/')}/link"
        try:
            return self._driver.stat(data).modified
        except PathNotFound:
            return None

    def _is_leased(self, origin: str) -> bool:
        manifests, found, tag = origin.partition(_TAG)
        name = manifests.removeprefix(f"{paths.REPOSITORIES}/")
        return bool(found) and Leases(self._driver).holds(name, tag.removesuffix(f"/{paths.CURRENT}"))


def _aside(origin: str) -> str:
    """Where a repair puts the blob that stands at ``origin``."""
    return f"{paths.DAMAGED}{origin.removeprefix(paths.BLOBS).removesuffix('/data')}"
