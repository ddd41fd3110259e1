"""Upload sessions. All they are stands in the store, so one begun here can go on anywhere."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from udist_plugin.content import CHUNK_SIZE, length_of
from udist_plugin.errors import (
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    PathBusy,
    PathNotFound,
    RangeInvalid,
    RegistryError,
    StorageError,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Upload
from udist_plugin.storage import paths
from udist_plugin.storage.cache import Cache
from udist_plugin.storage.pump import RunningHash
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.content import Readable
    from udist_plugin.drivers.base import FileWriter, Growing, StorageDriver
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.storage.blobs import BlobStore

STARTED: Final = "startedat"
"""The file of a session that stands from its start to its end."""
STARTED_AT: Final = "%Y-%m-%dT%H:%M:%SZ"
HASHES: Final = 1024
"""Running hashes kept of sessions nobody holds open."""


class UploadStore:
    """Starts and resumes upload sessions."""

    def __init__(self, driver: StorageDriver, blobs: BlobStore) -> None:
        self.driver = driver
        self.blobs = blobs
        self.hashes: Cache[tuple[str, int, str], RunningHash] = Cache(HASHES)

    def start(self, name: str, algorithm: str) -> Upload:
        running = RunningHash(algorithm)
        upload_id = _new_id()
        started = time.strftime(STARTED_AT, time.gmtime()).encode("ascii")
        self.driver.put_content(f"{paths.upload(name, upload_id)}/{STARTED}", started, durable=False)
        return StoredUpload(self, name, upload_id, 0, running)

    def resume(self, name: str, upload_id: str) -> Upload:
        try:
            data = self.driver.growing(f"{paths.upload(name, upload_id)}/data", STARTED)
        except PathNotFound:
            raise BlobUploadUnknown({"uuid": upload_id}) from None
        running = self.hashes.take((upload_id, data.size, data.version))
        return StoredUpload(self, name, upload_id, data.size, running, data)


class StoredUpload(Upload):
    """One session, its bytes in ``data``.

    ``running`` is a cache: it counts only while it covers exactly what stands in the store, by its size and
    version. Where it does not, the bytes are read again before the commit.
    """

    def __init__(
        self,
        store: UploadStore,
        name: str,
        upload_id: str,
        offset: int,
        running: RunningHash | None,
        data: Growing | None = None,
    ) -> None:
        self.id = upload_id
        self.offset = offset
        self._store = store
        self._name = name
        self._folder = paths.upload(name, upload_id)
        self._running = running if running or offset else RunningHash("sha256")
        self._version = data.version if data else ""
        self._data = data

    def write(self, content: Readable) -> int:
        if length_of(content) == 0:
            return self.offset
        try:
            with self._open() as writer:
                self._running = self._current(writer)
                try:
                    self._store.blobs.pump(content, writer, self._running)
                finally:
                    self.offset = writer.size
        except PathBusy:
            self._running = None  # what it covers is not what stands in the store
            raise self._overtaken() from None
        except StorageError:
            self._running = None
            raise
        self._version = writer.version
        return self.offset

    def commit(self, digest: str) -> Descriptor:
        digest = Digest(digest)
        data = self._data
        with self._open() as writer:
            if not writer.exclusive:
                return self._commit_copy(writer, digest)
            # Other writers are locked out from here until the data has its new name, so what is hashed
            # is what becomes the blob.
            try:
                actual = self._hash(writer, digest.algorithm)
                if actual == digest:
                    writer.commit(paths.blob_data(digest))
            except PathNotFound:  # cancelled or purged meanwhile
                raise BlobUploadUnknown({"uuid": self.id}) from None
            except StorageError:
                self._running = None  # what it covers may not be what stands in the store
                raise
            if actual != digest:
                writer.cancel()
                self._end()
                digest.check(actual)
        descriptor = self._store.blobs.link(self._name, digest, self.offset)
        self._data = data  # of which the writer has made the blob
        self._end()
        return descriptor

    def _commit_copy(self, writer: FileWriter, digest: Digest) -> Descriptor:
        """Where others cannot be locked out, the copy that is hashed becomes the blob."""
        try:
            with self._store.driver.appended(f"{self._folder}/data") as content:
                descriptor = self._store.blobs.push(self._name, digest, content)
        except PathNotFound:  # cancelled or purged meanwhile
            raise BlobUploadUnknown({"uuid": self.id}) from None
        except DigestInvalid:
            writer.cancel()
            self._end()
            raise
        self._end()
        return descriptor

    def cancel(self) -> None:
        try:
            self._drop()
        except PathNotFound:
            raise BlobUploadUnknown({"uuid": self.id}) from None

    def close(self) -> None:
        running, self._running = self._running, None
        if running is not None and running.count == self.offset:
            self._store.hashes.put((self.id, self.offset, self._version), running)

    def _open(self) -> FileWriter:
        """A writer that stands where this session believes to be."""
        driver = self._store.driver
        data, self._data = self._data, None  # what comes may change it
        try:
            writer = data.writer() if data else driver.writer(f"{self._folder}/data", append=True)
        except PathBusy:
            raise _busy() from None
        found = writer.size
        has_looked = data is not None and not driver.has_folders
        if found == self.offset and (found or has_looked or driver.stands(f"{self._folder}/{STARTED}")):
            return writer
        writer.close()
        if not found:  # committed or cancelled by another request, and opened anew just now
            with suppress(PathNotFound):
                driver.delete(self._folder, durable=False)
            raise BlobUploadUnknown({"uuid": self.id})
        raise self._out_of_step(found)

    def _overtaken(self) -> RegistryError:
        """What a writer is told that was not the first."""
        driver = self._store.driver
        if not driver.has_folders:
            with suppress(StorageError):
                found = driver.appended_size(f"{self._folder}/data")
                if found != self.offset:
                    return self._out_of_step(found)
        return _busy()

    def _out_of_step(self, found: int) -> RegistryError:
        return RangeInvalid({"uuid": self.id, "offset": found, "expected": self.offset})

    def _current(self, writer: FileWriter) -> RunningHash | None:
        running = self._running
        if running is None or (running.count, self._version) != (writer.size, writer.version):
            return None
        return running

    def _hash(self, writer: FileWriter, algorithm: str) -> Digest:
        running = self._current(writer)
        if running is None or running.algorithm != algorithm:
            running = RunningHash(algorithm)
            if not writer.size:
                return running.digest()
            path = f"{self._folder}/data"
            with self._store.driver.appended(path) as content:
                if content.size != writer.size:
                    raise PathNotFound("another process changed the upload", path=path)
                while data := content.read(CHUNK_SIZE):
                    running.update(data)
        return running.digest()

    def _end(self) -> None:
        """The session is over, if another request has not ended it already."""
        with suppress(PathNotFound):
            self._drop()

    def _drop(self) -> None:
        """Takes the session out of the store. Raises ``PathNotFound``."""
        self._running = None
        driver = self._store.driver
        if driver.has_folders:
            driver.delete(f"{self._folder}/{STARTED}", durable=False)
            if not driver.remove_if_empty(self._folder):  # mostly there is nothing else in it
                with suppress(PathNotFound):
                    driver.delete(self._folder, durable=False)
        elif self._data is not None:
            self._data.drop()
        else:
            driver.delete(self._folder, durable=False)


def _busy() -> BlobUploadInvalid:
    return BlobUploadInvalid(
        "another request is writing to this upload; check its status and continue from there"
    )


def _new_id() -> str:
    """A random UUID (RFC 9562, version 4), without importing the module for it."""
    value = bytearray(os.urandom(16))
    value[6] = value[6] & 0x0F | 0x40
    value[8] = value[8] & 0x3F | 0x80
    text = value.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
