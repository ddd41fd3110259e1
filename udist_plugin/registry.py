"""The one interface: a registry in the distribution-spec's words.

Rooms implement it (``storage``, ``remote``), wrap it (``wrappers``), serve it (``http_api``) or call it
(``images``, ``cli``). Names, tags and digests are checked by whoever takes them from outside; ``name`` is
always a repository's name, and every verb may raise ``NameInvalid``, ``StorageError`` or ``Unavailable``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from udist_plugin.errors import BlobUnknown, NameUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Content, Readable
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest

Item = TypeVar("Item")


class Page(NamedTuple, Generic[Item]):
    """One page of a list. ``last`` is the marker to ask the next page with, ``None`` on the last page."""

    items: list[Item]
    last: str | None = None


class ManifestContent(NamedTuple):
    """A manifest as stored: its exact bytes, media type and digest."""

    content: bytes
    media_type: str
    digest: Digest


class Upload(ABC):
    """One upload session. ``offset`` is the number of bytes received so far, read from the store."""

    id: str
    offset: int

    @abstractmethod
    def write(self, content: Readable) -> int:
        """Appends everything ``content`` has and returns the new ``offset``.

        What was written before ``content`` raised stays part of the upload.
        """

    @abstractmethod
    def commit(self, digest: Digest) -> Descriptor:
        """Ends the session: its bytes become the blob ``digest``, durable when this returns.

        Raises ``DigestInvalid`` when the bytes have another digest; the session is gone then too.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Ends the session and drops its bytes."""

    def close(self) -> None:
        """Lets go of the session without ending it, so that it can be resumed."""


class Registry(ABC):
    """An OCI registry."""

    @abstractmethod
    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        """Raises ``BlobUnknown`` unless the repository has the blob. The size may be a remembered one."""

    def has_blob(self, name: str, digest: Digest) -> bool:
        """Whether the repository has the blob and its data stands: nothing of this is remembered."""
        try:
            self.resolve_blob(name, digest)
        except (BlobUnknown, NameUnknown):
            return False
        return True

    @abstractmethod
    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        """The blob's bytes from ``start`` up to, not including, ``end``. Raises ``BlobUnknown``."""

    def locate_blob(self, name: str, digest: Digest) -> str | None:  # noqa: ARG002
        """A URL that serves the blob to whoever has it, or ``None``. Raises ``BlobUnknown``."""
        return None

    @abstractmethod
    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        """Makes a blob of the repository ``source`` (of any, when ``None``) part of ``name``.

        Raises ``BlobUnknown`` when there is nothing to mount.
        """

    @abstractmethod
    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        """Stores all of ``content`` as the blob ``digest``. Raises ``DigestInvalid``."""

    @abstractmethod
    def delete_blob(self, name: str, digest: Digest) -> None:
        """Takes the blob from the repository. Raises ``BlobUnknown``."""

    @abstractmethod
    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        """A new upload session; ``algorithm`` is the digest's that is expected at its end."""

    @abstractmethod
    def resume_upload(self, name: str, upload_id: str) -> Upload:
        """A session begun before, here or elsewhere. Raises ``BlobUploadUnknown``."""

    @abstractmethod
    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        """What a digest or a tag stands for. Raises ``NameUnknown`` or ``ManifestUnknown``."""

    @abstractmethod
    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        """A manifest by digest or tag. Raises ``NameUnknown`` or ``ManifestUnknown``."""

    @abstractmethod
    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        """Stores a manifest and points ``tags`` at it.

        Raises ``ManifestInvalid``, and ``ManifestBlobUnknown`` when the repository lacks what it refers to.
        """

    @abstractmethod
    def delete_manifest(self, name: str, digest: Digest) -> None:
        """Deletes a manifest and every tag that points at it. Raises ``ManifestUnknown``."""

    @abstractmethod
    def delete_tag(self, name: str, tag: str) -> None:
        """Deletes a tag, not the manifest. Raises ``ManifestUnknown``."""

    @abstractmethod
    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        """Names in lexical order, at most ``limit``, only those after ``last``."""

    @abstractmethod
    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        """Tags in lexical order, at most ``limit``, only those after ``last``. Raises ``NameUnknown``."""

    @abstractmethod
    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        """Manifests whose subject is ``digest``, in the order of their digests; empty when there are none."""


class RegistryWrapper(Registry):
    """Delegates every verb to ``inner``; a wrapper overrides what it changes."""

    def __init__(self, inner: Registry) -> None:
        self.inner = inner

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        return self.inner.resolve_blob(name, digest)

    def has_blob(self, name: str, digest: Digest) -> bool:
        return self.inner.has_blob(name, digest)

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        return self.inner.open_blob(name, digest, start, end)

    def locate_blob(self, name: str, digest: Digest) -> str | None:
        return self.inner.locate_blob(name, digest)

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        return self.inner.mount_blob(name, digest, source)

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        return self.inner.push_blob(name, digest, content)

    def delete_blob(self, name: str, digest: Digest) -> None:
        self.inner.delete_blob(name, digest)

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        return self.inner.start_upload(name, algorithm)

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        return self.inner.resume_upload(name, upload_id)

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        return self.inner.resolve_manifest(name, target)

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        return self.inner.get_manifest(name, target)

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        return self.inner.push_manifest(name, manifest, tags)

    def delete_manifest(self, name: str, digest: Digest) -> None:
        self.inner.delete_manifest(name, digest)

    def delete_tag(self, name: str, tag: str) -> None:
        self.inner.delete_tag(name, tag)

    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        return self.inner.list_repositories(limit, last)

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        return self.inner.list_tags(name, limit, last)

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        return self.inner.list_referrers(name, digest, artifact_type, last)
