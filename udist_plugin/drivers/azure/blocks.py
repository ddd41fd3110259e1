"""Block blobs being made: of blocks sent from here, or copied by the service itself."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.azure.bounds import PIECE
from udist_plugin.drivers.azure.client import MISSING, NAME, error_code, listed
from udist_plugin.drivers.objects.store import MARK
from udist_plugin.errors import PathBusy, PathNotFound, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from udist_plugin.drivers.azure.client import AzureClient
    from udist_plugin.drivers.objects.store import StoredObject

COPIED_MAX: Final = 100 << 20
"""Bytes that the service takes from another object in one request, at least (Put Block From URL)."""
ATTEMPTS: Final = 5
"""How often objects are joined anew when another commit on the same name threw the blocks away."""


class Blocks:
    """Makes objects of a container."""

    def __init__(self, client: AzureClient) -> None:
        self._client = client

    def put(self, key: str, content: bytes) -> None:
        """Makes or replaces an object in one request."""
        self._replace(key, lambda: self._put(key, content))

    def put_new(self, key: str, content: bytes, mark: str) -> None:
        """As ``put``, of an object that must not be there."""
        blob = self._client.blob(key)
        try:
            self._client.make(key, lambda **hook: blob.upload_blob(content, metadata={MARK: mark}, **hook))
        except PathBusy:
            # Azurite also refuses it where a dead writer left blocks. Committed as a block it is taken there.
            blocks = [self.new_id()] if content else []
            for block in blocks:
                self.stage(key, block, content)
            self.commit(key, blocks, mark)

    def new_id(self) -> str:
        """Nobody else's: several may be sending blocks for one name."""
        return os.urandom(16).hex()

    def stage(self, key: str, block: str, data: bytes) -> None:
        """Sends a block of an object to be."""
        with self._client.errors(key):
            self._client.blob(key).stage_block(block, data, len(data))

    def commit(self, key: str, ids: Sequence[str], mark: str = "") -> None:
        """Makes the blocks the object, a new one with that mark if there is one."""
        condition: dict[str, Any] = {"match_condition": MISSING, "metadata": {MARK: mark}} if mark else {}
        blob, blocks = self._client.blob(key), listed(ids)
        self._client.make(key, lambda **hook: blob.commit_block_list(blocks, **condition, **hook))

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        """See ``ObjectStore.join``.

        Another commit on the same name throws away all blocks sent for it: then the join begins anew.
        """
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
        raise PathBusy("other writers keep replacing it; try again", driver=NAME, path=key)

    def discard(self, key: str) -> None:
        """Deletes an object that may have been made; what fails here, purging tries again."""
        with suppress(StorageError), self._client.errors(key):
            self._client.container.delete_blob(key)

    def _put(self, key: str, content: bytes) -> None:
        blob = self._client.blob(key)
        self._client.make(key, lambda **hook: blob.upload_blob(content, overwrite=True, **hook))

    def _check(self, source: StoredObject) -> None:
        if self._client.head(source.key).version != source.version:
            raise PathNotFound("changed by another writer at the same time", driver=NAME, path=source.key)

    def _copy(self, source: StoredObject, key: str) -> Iterator[str]:
        """The ids of blocks of ``key`` that hold the source's bytes, taken by the service itself."""
        for start in range(0, source.size, COPIED_MAX):
            block = self.new_id()
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
        download = self._client.download(source.key, start, end)
        while data := self._client.read(source.key, download, PIECE):
            block = self.new_id()
            self.stage(key, block, data)
            yield block

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
