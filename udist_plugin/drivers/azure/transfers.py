"""An object of Azure Blob Storage on its way out, or in by blocks."""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Final

from udist_plugin.content import Content
from udist_plugin.drivers.azure.bounds import PIECE
from udist_plugin.drivers.azure.client import NAME, error_code
from udist_plugin.drivers.objects.chunks import ChunkedWriter
from udist_plugin.errors import PathBusy, StorageError
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from concurrent.futures import Future

    from azure.storage.blob import StorageStreamDownloader

    from udist_plugin.drivers.azure.blocks import Blocks
    from udist_plugin.drivers.azure.client import AzureClient

IN_FLIGHT: Final = 3
"""Blocks of an upload sent at once: one connection does not fill a line to Azure."""
BESIDE: Final = ".udist-part"
"""The end of the name of an object that is about to get another."""

_TAKEN: Final = {"BlobAlreadyExists", "InvalidBlockList", "InvalidBlobType"}


class AzureContent(Content):
    """Pieces of one version; the library asks again for one that is cut short."""

    def __init__(self, client: AzureClient, key: str, download: StorageStreamDownloader[bytes]) -> None:
        self.size = download.size
        self._client = client
        self._key = key
        self._download = download

    def read(self, size: int = -1) -> bytes:
        data = self._client.read(self._key, self._download, size)
        self.size -= len(data)
        return data


class AzureWriter(ChunkedWriter):
    """One request when it is small, else blocks.

    A commit throws away all other blocks sent for the same name. So unless the object has to be new, which
    one of two commits is not, the blocks are sent for a name of the writer's own, and the service takes the
    bytes from there.
    """

    def __init__(self, client: AzureClient, blocks: Blocks, key: str, mark: str) -> None:
        super().__init__(PIECE)
        self._client = client
        self._blocks = blocks
        self._key = key
        self._mark = mark
        self._target = key if mark else f"{key}.{os.urandom(8).hex()}{BESIDE}"
        self._sent: list[str] = []
        self._pool: Helpers | None = None
        self._sending: deque[Future[None]] = deque()

    def commit(self) -> None:
        try:
            if self._sent:
                self._send()
                self._wait(0)
                self._blocks.commit(self._target, self._sent, self._mark)
                if not self._mark:
                    self._blocks.join([self._client.head(self._target)], self._key)
            elif self._mark:
                self._blocks.put_new(self._key, bytes(self._chunk), self._mark)
            else:
                self._blocks.put(self._key, bytes(self._chunk))
        except StorageError as error:
            if self._mark and error_code(error) in _TAKEN:
                raise PathBusy("already exists", driver=NAME, path=self._key) from error
            raise
        self.cancel()

    def cancel(self) -> None:
        """Blocks without a commit are dropped by the service within a week."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        if self._sent and not self._mark:
            self._blocks.discard(self._target)
        self._sent.clear()
        self._drop_chunk()

    def _send(self) -> None:
        if self._pool is None:
            self._pool = Helpers(IN_FLIGHT, "udist-azure")
        self._wait(IN_FLIGHT - 1)
        block = self._blocks.new_id()
        self._sent.append(block)
        self._sending.append(self._pool.submit(self._blocks.stage, self._target, block, bytes(self._chunk)))
        self._drop_chunk()

    def _wait(self, most: int) -> None:
        """Returns when no more blocks than that are on their way; raises what befell the others."""
        while len(self._sending) > most:
            self._sending.popleft().result()
