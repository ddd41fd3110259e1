"""The block blobs of a container of Azure Blob Storage; a version is an ETag."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import InvalidOffset, PathBusy, PathNotFound, StorageError
from udist_plugin.storage.drivers.azure_bounds import PIECE
from udist_plugin.storage.drivers.azure_client import (
    MISSING,
    NAME,
    AzureClient,
    blocks,
    error_code,
    failure,
)
from udist_plugin.storage.drivers.azure_probe import probe
from udist_plugin.storage.drivers.azure_transfers import BESIDE, AzureContent, AzureWriter
from udist_plugin.storage.drivers.inmemory import MemoryContent
from udist_plugin.storage.drivers.object_store import MARK, ObjectStore, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from azure.storage.blob import BlobProperties

    from udist_plugin.content import Content
    from udist_plugin.storage.drivers.azure import Settings
    from udist_plugin.storage.drivers.object_store import ObjectWriter

COPIED_MAX: Final = 100 << 20
"""Bytes that the service takes from another object in one request, at least (Put Block From URL)."""
DELETED_MAX: Final = 256
"""Deletions in a batch (Blob Batch)."""
ATTEMPTS: Final = 5
"""How often objects are joined anew when another commit on the same name threw the blocks away."""


class AzureStore(ObjectStore):
    """See ``ObjectStore``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        """Raises ``ConfigurationError`` for credentials that cannot be any."""
        self._client = AzureClient(settings)
        self._container = self._client.container

    def head(self, key: str) -> StoredObject:
        with self._client.errors(key):
            return _stored(self._client.blob(key).get_blob_properties())

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        empty = start < 0 or (end is not None and end <= start)  # what no range can say
        if not empty:
            try:
                with self._client.errors(key):
                    length = None if end is None else end - start
                    return AzureContent(self._client, key, self._container.download_blob(key, start, length))
            except StorageError as error:
                if error_code(error) != "InvalidRange":
                    raise
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=NAME, path=key)
        return MemoryContent(memoryview(b""))

    def put(self, key: str, content: bytes) -> None:
        self._replace(key, lambda: self._put(key, content))

    def put_new(self, key: str, content: bytes, mark: str) -> None:
        """As ``put``, of an object that must not be there."""
        with self._client.errors(key):
            self._client.blob(key).upload_blob(content, metadata={MARK: mark})

    def _put(self, key: str, content: bytes) -> None:
        with self._client.errors(key):
            self._client.blob(key).upload_blob(content, overwrite=True)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        return AzureWriter(self, key, mark)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        """Another commit on the same name throws away all blocks on their way to it, so the join begins
        anew then."""
        if not any(source.size for source in sources):
            for source in sources:
                self._check(source)
            self.put(key, b"")
            return

        def attempt() -> None:
            self.commit(key, [block for source in sources for block in self._copy(source, key)])

        for _ in range(ATTEMPTS):
            try:
                self._replace(key, attempt)
            except StorageError as error:
                if error_code(error) != "InvalidBlockList":
                    raise
            else:
                return
        raise PathBusy("others keep committing it", driver=NAME, path=key)

    def _check(self, source: StoredObject) -> None:
        if self.head(source.key).version != source.version:
            raise PathNotFound("changed by another meanwhile", driver=NAME, path=source.key)

    def _copy(self, source: StoredObject, key: str) -> Iterator[str]:
        """The ids of blocks of ``key`` that hold the source's bytes, taken by the service itself."""
        for start in range(0, source.size, COPIED_MAX):
            block = self.block_id()
            length = min(COPIED_MAX, source.size - start)
            try:
                with self._client.errors(source.key, unmet=PathNotFound):
                    self._client.blob(key).stage_block_from_url(
                        block,
                        source_offset=start,
                        source_length=length,
                        headers={"x-ms-source-if-match": f'"{source.version}"'},
                        **self._client.readable(source.key),
                    )
                yield block
            except StorageError as error:
                if getattr(error.__cause__, "status_code", None) != 501:
                    raise
                yield from self._carry(source, key, start, start + length)

    def _carry(self, source: StoredObject, key: str, start: int, end: int) -> Iterator[str]:
        """As ``_copy``, through here: not every service of this protocol can read by itself."""
        self._check(source)
        with self.get(source.key, start, end) as content:
            while data := content.read(PIECE):
                block = self.block_id()
                self.stage(key, block, data)
                yield block

    def block_id(self) -> str:
        """Nobody else's: several may be sending blocks for one name."""
        return os.urandom(16).hex()

    def stage(self, key: str, block: str, data: bytes) -> None:
        """Sends a block of an object to be."""
        with self._client.errors(key):
            self._client.blob(key).stage_block(block, data, len(data))

    def commit(self, key: str, ids: Sequence[str], mark: str = "") -> None:
        """Makes the blocks the object, a new one with that mark if there is one."""
        condition: dict[str, Any] = {"match_condition": MISSING, "metadata": {MARK: mark}} if mark else {}
        with self._client.errors(key):
            self._client.blob(key).commit_block_list(blocks(ids), **condition)

    def _replace(self, key: str, action: Callable[[], None]) -> None:
        """``action`` makes an object anew. Azure replaces none by one of another type, and distribution's
        are append blobs: such a one has to go first."""
        try:
            action()
        except StorageError as error:
            if error_code(error) != "InvalidBlobType":
                raise
            self._client.drop(key)
            action()

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        with self._client.errors(prefix):
            for blob in self._container.list_blobs(prefix):
                if blob.name > after:
                    yield _stored(blob)

    def names(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """All are read first: by their keys ``a-b/`` comes before ``a/``."""
        with self._client.errors(prefix):
            found = {each.name[len(prefix) :].rstrip("/") for each in self._container.walk_blobs(prefix)}
        yield from sorted(name for name in found if name > after)

    def delete(self, keys: Sequence[str]) -> None:
        for first in range(0, len(keys), DELETED_MAX):
            part = keys[first : first + DELETED_MAX]
            with self._client.errors(part[0]):
                answers = self._container.delete_blobs(
                    *part, delete_snapshots="include", raise_on_any_failure=False
                )
            for key, answer in zip(part, answers, strict=True):
                if answer.status_code >= 400 and answer.status_code != 404:
                    said = f"not deleted: {answer.reason}"
                    raise failure(key, answer.status_code, said, self._client.denied)

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


def _stored(blob: BlobProperties) -> StoredObject:
    modified = blob.last_modified.timestamp()
    mark = (blob.metadata or {}).get(MARK, "")
    return StoredObject(blob.name, blob.size, modified, blob.etag.strip('"'), mark)
