"""The objects of a bucket of Google Cloud Storage; a version is a generation."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.base import MemoryContent
from udist_plugin.drivers.gcs.client import BOUNDS, NAME, ONCE, GcsClient, stored
from udist_plugin.drivers.gcs.probe import probe
from udist_plugin.drivers.gcs.transfers import GcsContent, GcsWriter
from udist_plugin.drivers.objects.pauses import PATIENCE, until
from udist_plugin.drivers.objects.store import MARK, UNDELETED, ObjectStore, StoredObject
from udist_plugin.errors import InvalidOffset, PathBusy, PathNotFound, StorageError, StorageUnavailable
from udist_plugin.helpers import Helpers

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from google.cloud.storage import Blob

    from udist_plugin.content import Content
    from udist_plugin.drivers.gcs.settings import Settings
    from udist_plugin.drivers.objects.store import ObjectWriter

COMPOSED_MAX: Final = 32
"""Objects that one request joins (https://cloud.google.com/storage/docs/composite-objects)."""
DELETED_AT_ONCE: Final = 16
URL_LIFETIME: Final = 20 * 60
"""Seconds, as in distribution."""

CONTENT_TYPE: Final = "application/octet-stream"


class GcsStore(ObjectStore):
    """See ``ObjectStore``."""

    name = NAME

    def __init__(self, settings: Settings) -> None:
        """Raises ``ConfigurationError`` without credentials."""
        self._chunk_size = settings.chunk_size
        self._client = GcsClient(settings)
        self._bucket = self._client.bucket

    def head(self, key: str) -> StoredObject:
        return self._client.head(key)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        empty = start < 0 or (end is not None and end <= start)  # what no range can say
        response = None if empty else self._client.open(key, start, end)
        if response is not None:
            return GcsContent(self._client, key, start, response)
        size = self.head(key).size
        if not 0 <= start <= size:
            raise InvalidOffset(f"offset {start} of {size} bytes", driver=self.name, path=key)
        return MemoryContent(memoryview(b""))

    def put(self, key: str, content: bytes) -> None:
        self._put(key, content)

    def _put(self, key: str, content: bytes, mark: str = "") -> None:
        blob = self._marked(key, mark)
        condition = {"if_generation_match": 0 if mark else None}
        upload = partial(blob.upload_from_string, content, CONTENT_TYPE, **condition, **ONCE)
        _, repeated = self._client.attempt(upload, key=key)
        if repeated:
            self._client.look(key, blob.generation)

    def _marked(self, key: str, mark: str) -> Blob:
        blob = self._bucket.blob(key)
        if mark:
            blob.metadata = {MARK: mark}
        return blob

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        def start() -> str:
            with self._client.errors(key):
                session: str = self._marked(key, mark).create_resumable_upload_session(
                    content_type=CONTENT_TYPE,
                    if_generation_match=0 if mark else None,
                    checksum=None,  # it would be of nothing: the content is not known yet
                    **BOUNDS,
                )
            return session

        def put(content: bytes) -> None:
            self._put(key, content, mark)

        return GcsWriter(self._client, key, self._chunk_size, start=start, put=put)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        if not sources:
            self.put(key, b"")
        elif len(sources) == 1:
            self._rewrite(sources[0], key)
        else:
            self._compose(sources, key)

    def _rewrite(self, source: StoredObject, key: str) -> None:
        blob = self._bucket.blob(source.key, generation=int(source.version))
        copy, token, uncertain = self._bucket.blob(key), None, False
        while True:  # one call within a class and region; across them each moves on
            rewrite = partial(copy.rewrite, blob, token=token, **ONCE)
            moved, repeated = self._client.attempt(rewrite, key=source.key)
            token, uncertain = moved[0], uncertain or repeated
            if token is None:
                break
        if uncertain:
            self._client.look(key, copy.generation)

    def _compose(self, sources: Sequence[StoredObject], key: str) -> None:
        """In a cascade when there are more than one request joins. What is between stands beside the sources,
        behind them, so that whoever purges those purges it."""
        folder, slash, _ = sources[0].key.rpartition("/")
        between: list[str] = []
        try:
            while len(sources) > COMPOSED_MAX:
                joined = []
                for first in range(0, len(sources), COMPOSED_MAX):
                    between.append(f"{folder}{slash}joined-{os.urandom(8).hex()}")
                    joined.append(self._compose_once(sources[first : first + COMPOSED_MAX], between[-1]))
                sources = joined
            self._compose_once(sources, key)
        finally:
            with suppress(StorageError):
                self.delete(between)

    def _compose_once(self, sources: Sequence[StoredObject], key: str) -> StoredObject:
        blob = self._bucket.blob(key)
        blob.content_type = CONTENT_TYPE
        parts = [self._bucket.blob(source.key) for source in sources]
        generations = [int(source.version) for source in sources]
        compose = partial(blob.compose, parts, if_source_generation_match=generations, **ONCE)
        _, repeated = self._client.attempt(compose, key=sources[0].key, unmet=PathNotFound)
        if repeated:
            self._client.look(key, blob.generation)
        return stored(blob)

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        with self._client.errors(prefix):
            for blob in self._client.library.list_blobs(
                self._bucket,
                prefix=prefix,
                start_offset=after or None,
                fields="items(name,size,updated,generation,md5Hash),nextPageToken",
                **BOUNDS,
            ):
                if blob.name != after:
                    yield stored(blob)

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        """All are read first: by their keys ``a-b/`` comes before ``a/``."""
        found: set[str] = set()
        with self._client.errors(prefix):
            listing = self._client.library.list_blobs(
                self._bucket,
                prefix=prefix,
                start_offset=prefix + after if after else None,
                delimiter="/",
                fields="items(name),prefixes,nextPageToken",
                **BOUNDS,
            )
            for page in listing.pages:
                keys = [*page.prefixes, *(() if folders else (blob.name for blob in page))]
                found.update(key[len(prefix) :].rstrip("/") for key in keys)
        yield from sorted(name for name in found if name > after)

    def delete(self, keys: Sequence[str]) -> None:
        """One request each, some at a time: the service's batches are no faster."""
        if len(keys) < 2:
            for key in keys:
                self._delete(key)
            return
        with Helpers(min(DELETED_AT_ONCE, len(keys)), "udist-gcs") as pool:
            for _ in pool.map(self._delete, keys):
                pass

    def _delete(self, key: str, **condition: int) -> None:
        """Again where the request was repeated: to delete twice is to delete once."""
        delete = partial(self._bucket.blob(key).delete, **condition, **ONCE)
        with suppress(PathNotFound):
            if not until(lambda: not self._client.attempt(delete, key=key)[1], PATIENCE):
                raise StorageUnavailable(UNDELETED, driver=self.name, path=key)

    def delete_version(self, found: StoredObject) -> bool:
        try:
            self._delete(found.key, if_generation_match=int(found.version))
        except PathBusy:
            return False
        return True

    def url_for(self, key: str) -> str | None:
        if not self._client.signs:
            return None
        url: str | None = None
        with suppress(StorageError), self._client.errors(key):  # some ask Google to sign, who may refuse
            url = self._bucket.blob(key).generate_signed_url(expiration=URL_LIFETIME, version="v4")
        return url

    def probe(self) -> None:
        probe(self._client)
