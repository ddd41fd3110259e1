"""A registry of dictionaries: small enough to be obviously right, and no store behind it to be slow."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

from udist_plugin.content import Content, chunks
from udist_plugin.errors import (
    BlobUnknown,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestUnknown,
    NameUnknown,
)
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.registry import ManifestContent, Page, Registry, Upload

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Readable


class Bytes(Content):
    def __init__(self, data: bytes) -> None:
        self.size = len(data)
        self._data = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


class MemoryUpload(Upload):
    def __init__(self, registry: MemoryRegistry, name: str) -> None:
        self.registry, self.name = registry, name
        self.id, self.data = str(uuid.uuid4()), bytearray()
        registry.uploads[name, self.id] = self

    @property
    def offset(self) -> int:  # type: ignore[override]
        return len(self.data)

    def write(self, content: Readable) -> int:
        for chunk in chunks(content):
            self.data += chunk.view
            chunk.release()
        return self.offset

    def commit(self, digest: str) -> Descriptor:
        digest = Digest(digest)
        self.cancel()
        if Digest.of(self.data, digest.algorithm) != digest:
            raise DigestInvalid({"digest": digest})
        self.registry.blobs[self.name, digest] = bytes(self.data)
        return self.registry.resolve_blob(self.name, digest)

    def cancel(self) -> None:
        self.registry.uploads.pop((self.name, self.id), None)


class MemoryRegistry(Registry):
    def __init__(self) -> None:
        self.blobs: dict[tuple[str, Digest], bytes] = {}
        self.manifests: dict[tuple[str, Digest], ManifestContent] = {}
        self.tags: dict[tuple[str, str], Digest] = {}
        self.uploads: dict[tuple[str, str], MemoryUpload] = {}

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        if (name, digest) not in self.blobs:
            raise BlobUnknown(digest)
        return Descriptor(OCTET_STREAM, digest, len(self.blobs[name, digest]))

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        self.resolve_blob(name, digest)
        return Bytes(self.blobs[name, digest][start:end])

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        for (holder, held), data in list(self.blobs.items()):
            if held == digest and source in (None, holder):
                self.blobs[name, digest] = data
                return self.resolve_blob(name, digest)
        raise BlobUnknown(digest)

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        upload = MemoryUpload(self, name)
        try:
            upload.write(content)
            return upload.commit(digest)
        finally:
            upload.cancel()

    def delete_blob(self, name: str, digest: Digest) -> None:
        self.resolve_blob(name, digest)
        del self.blobs[name, digest]

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        return MemoryUpload(self, name)

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        if (name, upload_id) not in self.uploads:
            raise BlobUploadUnknown({"id": upload_id})
        return self.uploads[name, upload_id]

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        found = self.get_manifest(name, target)
        return Descriptor(found.media_type, found.digest, len(found.content))

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        digest = target if isinstance(target, Digest) else self.tags.get((name, target))
        if digest is None or (name, digest) not in self.manifests:
            raise ManifestUnknown({"name": name, "reference": target})
        return self.manifests[name, digest]

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        content, media_type, digest = manifest.content, manifest.media_type, manifest.digest
        self.manifests[name, digest] = ManifestContent(content, media_type, digest)
        self.tags.update({(name, tag): digest for tag in tags})
        return Descriptor(media_type, digest, len(content))

    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        self.get_manifest(name, digest)
        del self.manifests[name, digest]
        deleted = [key for key, value in self.tags.items() if (key[0], value) == (name, digest)]
        for key in deleted:
            del self.tags[key]
        return [tag for _, tag in deleted]

    def delete_tag(self, name: str, tag: str) -> None:
        self.get_manifest(name, tag)
        del self.tags[name, tag]

    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        return _page({name for name, _ in [*self.blobs, *self.manifests]}, limit, last)

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        if not any(holder == name for holder, _ in [*self.blobs, *self.manifests]):
            raise NameUnknown({"name": name})
        return _page({tag for holder, tag in self.tags if holder == name}, limit, last)

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        found = []
        for (holder, held), stored in sorted(self.manifests.items()):
            manifest = Manifest.parse(stored.content, stored.media_type)
            if holder == name and manifest.subject and manifest.subject.digest == digest and held > last:
                kind = manifest.referrer_type
                if artifact_type in (None, kind):
                    size = len(stored.content)
                    found.append(Descriptor(manifest.media_type, held, size, kind, manifest.annotations))
        return Page(found)


def _page(items: set[str], limit: int | None, last: str) -> Page[str]:
    after = sorted(item for item in items if item > last)
    page = after[:limit]
    return Page(page, page[-1] if len(page) < len(after) else None)
