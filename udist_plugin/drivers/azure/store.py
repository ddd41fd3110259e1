"""The block blobs of a container of Azure Blob Storage; a version is an ETag."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.azure.blocks import Blocks
from udist_plugin.drivers.azure.client import NAME, AzureClient, error_code, failure, stored
from udist_plugin.drivers.azure.probe import probe
from udist_plugin.drivers.azure.transfers import BESIDE, AzureContent, AzureWriter
from udist_plugin.drivers.base import MemoryContent
from udist_plugin.drivers.objects.store import ObjectStore, StoredObject
from udist_plugin.errors import InvalidOffset, PathBusy, PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.drivers.azure.settings import Settings
    from udist_plugin.drivers.objects.store import ObjectWriter

DELETED_MAX: Final = 256
"""Deletions in a batch (Blob Batch)."""


class AzureStore(ObjectStore):
    """See ``ObjectStore``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        """Raises ``ConfigurationError`` for credentials that cannot be any."""
        self._client = AzureClient(settings)
        self._container = self._client.container
        self._blocks = Blocks(self._client)

    def head(self, key: str) -> StoredObject:
        return self._client.head(key)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        empty = start < 0 or (end is not None and end <= start)  # what no range can say
        if not empty:
            try:
                return AzureContent(self._client, key, self._client.download(key, start, end))
            except StorageError as error:
                if error_code(error) != "InvalidRange":
                    raise
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=NAME, path=key)
        return MemoryContent(memoryview(b""))

    def put(self, key: str, content: bytes) -> None:
        self._blocks.put(key, content)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        return AzureWriter(self._client, self._blocks, key, mark)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        self._blocks.join(sources, key)

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        with self._client.errors(prefix):
            for blob in self._container.list_blobs(prefix, start_from=after or None):
                if blob.name > after:
                    yield stored(blob)

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        """All are read first: by their keys ``a-b/`` comes before ``a/``."""
        with self._client.errors(prefix):
            listing = self._container.walk_blobs(prefix, start_from=prefix + after if after else None)
            keys = [each.name for each in listing]
        found = {key[len(prefix) :].rstrip("/") for key in keys if key.endswith("/") or not folders}
        yield from sorted(name for name in found if name > after)

    def delete(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), DELETED_MAX):
            part = keys[first : first + DELETED_MAX]
            request = partial(
                self._container.delete_blobs, *part, delete_snapshots="include", raise_on_any_failure=False
            )
            answers = self._client.finish(part[0], request)
            for key, answer in zip(part, answers, strict=True):
                if answer.status_code >= 400 and answer.status_code != 404:
                    said = f"not deleted: {answer.reason}"
                    raise failure(key, answer.status_code, said, self._client.denied)

    def delete_version(self, found: StoredObject) -> bool:
        try:
            with suppress(PathNotFound):
                self._client.delete_version(found.key, found.version)
        except PathBusy:
            return False
        return True

    def purge(self, prefix: str, age: float) -> None:
        """Blocks never committed go by themselves; what stood beside its name in the moment of its copy does
        not."""
        before = time.time() - age
        left = [
            each.key for each in self.objects(prefix) if each.key.endswith(BESIDE) and each.modified < before
        ]
        self.delete(left)

    def url_for(self, key: str) -> str | None:
        return self._client.signed(key)

    def probe(self) -> None:
        probe(self._client)
