"""What a store's manifests refer to: the blobs that are not garbage.

Every revision of every repository counts, tagged or not, so indexes, referrers and their subjects stay
whole. Layer links do not count, as with distribution's collector. All else fails closed: a link or manifest
that cannot be read raises ``StorageError`` with its path, for who knows what it referred to.
"""

from __future__ import annotations

import re
from contextlib import suppress
from itertools import islice

from udist_plugin.errors import DigestInvalid, PathNotFound, StorageError
from udist_plugin.helpers import Helpers
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import check_repositories, failure, revision_links
from udist_plugin.storage.data import BlobData
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver

    Progress = Callable[[int], object]
    """Takes how many manifests have been read."""

AT_ONCE: Final = 256
"""Manifests asked for before the first of them is awaited."""
_DIGEST: Final = re.compile(r"(sha\d+):([0-9a-f]{64,128})", re.ASCII)


class Marked:
    """A set of digests, in half the memory."""

    def __init__(self) -> None:
        self._raw: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, digest: Digest) -> bool:
        return bytes.fromhex(digest.hex) in self._raw

    def add(self, digest: Digest) -> None:
        self._raw.add(bytes.fromhex(digest.hex))


def mark(driver: StorageDriver, progress: Progress = lambda _: None) -> Marked:
    """The blobs that are referred to by any manifest whose link stood before this was called.

    Raises ``StorageError`` for what cannot be listed or read.
    """
    check_repositories(driver)
    marking = _Marking(driver)
    links = revision_links(driver)
    count = 0
    with Helpers(max(1, driver.lookups), "udist-mark") as pool:
        while batch := list(islice(links, AT_ONCE)):
            for _ in (
                pool.map(marking.revision, batch) if driver.lookups > 1 else map(marking.revision, batch)
            ):
                count += 1
            progress(count)
    return marking.marked


class _Marking:
    def __init__(self, driver: StorageDriver) -> None:
        self.marked = Marked()
        self._driver = driver
        self._data = BlobData(driver, restore=False)
        self._done = Marked()

    def revision(self, found: tuple[str, str]) -> None:
        """Marks the manifest that a revision's link leads to, and all that it names."""
        repository, link = found
        target = self._link(link)
        if target is None or target in self._done:
            return
        try:
            content = self._data.content(target)
        except PathNotFound as error:
            if not self._driver.stands(link):
                return  # deleted meanwhile
            problem = "is missing, though {} leads there; push the manifest again, or delete it"
            raise self._failure(problem.format(link), error.path or link) from error
        if Digest.of(content, target.algorithm) != target:
            problem = "holds other content than its digest says; push the manifest again, or delete it"
            raise self._failure(problem, paths.blob_data(target))
        self.marked.add(target)
        elsewhere = False
        for text in self._strings(content, target):
            if (parts := _DIGEST.fullmatch(text)) is not None:
                elsewhere |= self._refer(repository, parts[1], parts[2])
        if not elsewhere:
            self._done.add(target)

    def _refer(self, repository: str, algorithm: str, encoded: str) -> bool:
        """Marks a blob; whether the repository's own links had to be asked. Stock servers keep data by its
        sha256, and say in a link what another digest stands for."""
        link = f"{repository}/{paths.LAYERS}/{algorithm}/{encoded}/link"
        with suppress(DigestInvalid):  # sha384, which stock servers take
            self.marked.add(Digest(f"{algorithm}:{encoded}"))
        if algorithm == "sha256":
            return False
        if (target := self._link(link)) is not None:
            self.marked.add(target)
        return True

    def _link(self, path: str) -> Digest | None:
        """What a link holds, ``None`` if there is none."""
        try:
            return Digest(self._driver.get_content(path).decode("ascii", "replace"))
        except PathNotFound:
            return None
        except DigestInvalid as error:
            raise self._failure("holds no digest; push again what it led to, or delete it", path) from error

    def _strings(self, content: bytes, digest: Digest) -> Iterator[str]:
        """Every string in a manifest, whatever its member is called: what is not a reference but looks like
        one costs some room, one that is overlooked an image."""
        import json

        try:
            found: list[Any] = [
                json.loads(
                    content.decode(errors="replace"),
                    object_pairs_hook=lambda pairs: [value for _, value in pairs],
                )
            ]
        except (ValueError, RecursionError) as error:
            raise self._failure(f"is no manifest: {error}", paths.blob_data(digest)) from error
        while found:
            value = found.pop()
            if isinstance(value, list):
                found += value
            elif isinstance(value, str):
                yield value

    def _failure(self, problem: str, path: str) -> StorageError:
        return failure(self._driver, problem, path)
