"""Links and manifests as the collector reads them: what cannot be read ends the run."""

from __future__ import annotations

import re
from contextlib import suppress

from udist_plugin.errors import DigestInvalid, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.walk import failure
from udist_plugin.storage.data import BlobData
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.errors import StorageError

_DIGEST: Final = re.compile(r"sha\d+:[0-9a-f]{64,128}", re.ASCII)
_QUOTED_DIGEST: Final = re.compile(f'"{_DIGEST.pattern}"', re.ASCII)
"""In JSON without escapes a string, or a member's name."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)


class Reader:
    """Reads in a store's place and in quarantine, and changes nothing. Every verb raises ``StorageError``."""

    def __init__(self, driver: StorageDriver) -> None:
        self.driver = driver
        self._data = BlobData(driver, restore=False)
        self._quarantine = Quarantine(driver)

    def link(self, path: str) -> Digest | None:
        """What a link holds, ``None`` if there is none."""
        try:
            return self._digest(self.driver.get_content(path), path)
        except PathNotFound:
            return None

    def link_in_quarantine(self, origin: str) -> Digest | None:
        """As ``link``, of one that is not where it belongs."""
        try:
            return self._digest(self._quarantine.find(origin, self.driver.get_content, restore=False), origin)
        except PathNotFound:
            return None

    def manifest(self, target: Digest, link: str) -> bytes | None:
        """The manifest that a link leads to; ``None`` if the link was deleted meanwhile, or if it is in
        quarantine and a stock server's collector, which does not look there, has deleted the manifest."""
        try:
            content = self._data.content(target)
        except PathNotFound as error:
            if link.startswith(f"{paths.QUARANTINE}/") or not self.driver.stands(link):
                return None
            problem = "is missing, though {} leads there; push the manifest again, or delete it"
            raise self._failure(problem.format(link), error.path or link) from error
        if Digest.of(content, target.algorithm) != target:
            problem = "holds other content than its digest says; push the manifest again, or delete it"
            raise self._failure(problem, paths.blob_data(target))
        return content

    def blobs(self, repository: str, content: bytes, digest: Digest) -> tuple[set[Digest], bool]:
        """The blobs that a manifest names, and whether links of ``repository``, a path, were asked for them:
        stock servers keep data by its sha256, and say in a link what another digest stands for."""
        found: set[Digest] = set()
        asked = False
        for text in self._digests(content, digest):
            parts = text.partition(":")
            with suppress(DigestInvalid):  # sha384, which stock servers take
                found.add(Digest(text))
            if parts[0] != "sha256":
                asked = True
                link = f"{repository}/{paths.LAYERS}/{parts[0]}/{parts[2]}/link"
                if (target := self.link(link)) is not None:
                    found.add(target)
        return found, asked

    def _digests(self, content: bytes, digest: Digest) -> set[str]:
        """Every string in a manifest that may be a digest."""
        text = content.decode(errors="replace")
        if "\\" in text:  # a digest may be written with escapes
            return {each for each in self.strings(content, digest) if _DIGEST.fullmatch(each)}
        self._parsed(text, digest)
        return {each[1:-1] for each in _QUOTED_DIGEST.findall(text)}

    def strings(self, content: bytes, digest: Digest) -> Iterator[str]:
        """Every string in a manifest, whatever its member is called: what is not a reference but looks like
        one costs some room, one that is overlooked an image."""
        text = content.decode(errors="replace")
        found: list[Any] = [self._parsed(text, digest, lambda pairs: [value for _, value in pairs])]
        while found:
            value = found.pop()
            if isinstance(value, list):
                found += value
            elif isinstance(value, str):
                yield value

    def _parsed(
        self, text: str, digest: Digest, pairs: Callable[[list[tuple[str, Any]]], Any] | None = None
    ) -> Any:
        import json

        try:
            return json.loads(text, object_pairs_hook=pairs)
        except (ValueError, RecursionError) as error:
            if not isinstance(error, json.JSONDecodeError):
                # It is deeper, or has longer numbers, than Python reads.
                with suppress(ValueError):
                    return [json.loads(each) for each in _STRING.findall(text)]
            raise self._failure(f"is not a manifest: {error}", paths.blob_data(digest)) from error

    def _digest(self, content: bytes, path: str) -> Digest:
        try:
            return Digest(content.decode("ascii", "replace"))
        except DigestInvalid as error:
            raise self._failure("holds no digest; push again what it led to, or delete it", path) from error

    def _failure(self, problem: str, path: str) -> StorageError:
        return failure(self.driver, problem, path)
