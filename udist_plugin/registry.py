"""The central interface: a registry in the terms of the distribution-spec.

Packages implement it (``storage``, ``remote``), wrap it (``wrappers``), serve it (``http_api``) or call it
(``images``, ``cli``). Code that accepts names, tags and digests from outside validates them. ``name`` is
always the name of a repository. Every method may raise ``NameInvalid``, ``StorageError`` or ``Unavailable``.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from udist_plugin.content import Content, Readable
from udist_plugin.errors import BlobUnknown, NameUnknown
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.typed import Final, Generic, NamedTuple, TypeVar

Item = TypeVar("Item")

LOOK_HOLDS: Final = 5.0
"""Seconds after a look at content within which a manifest may be linked that refers to it. Whoever is slower
looks again; see ``storage/collection/collect.py``."""


class Page(NamedTuple, Generic[Item]):
    """One page of a list. Pass ``last`` to get the next page; it is ``None`` on the last page."""

    items: list[Item]
    last: str | None = None


class ManifestContent(NamedTuple):
    """A stored manifest: its exact bytes, its media type and its digest."""

    content: bytes
    media_type: str
    digest: Digest


class Upload(ABC):
    """An upload session. ``offset`` is the number of bytes that the store has received so far."""

    id: str
    offset: int

    @abstractmethod
    def write(self, content: Readable) -> int:
        """Appends all of ``content`` and returns the new ``offset``.

        If reading ``content`` fails, the bytes written until then stay part of the upload.
        """

    @abstractmethod
    def commit(self, digest: str) -> Descriptor:
        """Ends the session and makes its bytes the blob ``digest``, which is durable when this returns.

        Raises ``DigestInvalid`` if the bytes have a different digest; that ends the session, too.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Ends the session and discards its bytes."""

    def close(self) -> None:
        """Releases the session without ending it, so that it can be resumed."""


class Registry(ABC):
    """An OCI registry."""

    @abstractmethod
    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        """The blob's descriptor; its size may come from a cache. Raises ``BlobUnknown``."""

    def has_blob(self, name: str, digest: Digest) -> bool:
        """Whether the repository has the blob and its data exists. Caches are not used."""
        try:
            self.resolve_blob(name, digest)
        except (BlobUnknown, NameUnknown):
            return False
        return True

    @abstractmethod
    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        """The blob's bytes from ``start`` up to but excluding ``end``. Raises ``BlobUnknown``."""

    def locate_blob(self, name: str, digest: Digest) -> str | None:  # noqa: ARG002
        """A URL that serves the blob without further credentials, or ``None``. Raises ``BlobUnknown``."""
        return None

    @abstractmethod
    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        """Adds a blob of the repository ``source``, or of any repository if ``None``, to ``name``.

        Raises ``BlobUnknown`` if there is no such blob.
        """

    @abstractmethod
    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        """Stores all of ``content`` as the blob ``digest``. Raises ``DigestInvalid``."""

    @abstractmethod
    def delete_blob(self, name: str, digest: Digest) -> None:
        """Removes the blob from the repository. Raises ``BlobUnknown``."""

    @abstractmethod
    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        """Starts an upload session. ``algorithm`` is that of the digest it will be committed with."""

    @abstractmethod
    def resume_upload(self, name: str, upload_id: str) -> Upload:
        """Resumes a session that was started here or elsewhere. Raises ``BlobUploadUnknown``."""

    @abstractmethod
    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        """The descriptor of a manifest, by digest or tag. Raises ``NameUnknown`` or ``ManifestUnknown``."""

    @abstractmethod
    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        """A manifest by digest or tag. Raises ``NameUnknown`` or ``ManifestUnknown``."""

    def open_manifest(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        """As ``get_manifest``; what is large may be left where it is, to be read and closed."""
        found = self.get_manifest(name, target)
        return Descriptor(found.media_type, found.digest, len(found.content)), found.content

    @abstractmethod
    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        """Stores a manifest and points ``tags`` at it.

        Raises ``ManifestInvalid``, and ``ManifestBlobUnknown`` if it refers to content that is missing.
        """

    @abstractmethod
    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        """Deletes a manifest and all tags that point at it. Returns those tags; none where only the server
        behind this registry knows them. Raises ``ManifestUnknown``."""

    @abstractmethod
    def delete_tag(self, name: str, tag: str) -> None:
        """Deletes a tag but keeps the manifest. Raises ``ManifestUnknown``."""

    @abstractmethod
    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        """At most ``limit`` repository names after ``last``, in lexical order; without a limit, all."""

    @abstractmethod
    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        """At most ``limit`` tags after ``last``, in lexical order; without a limit, all.

        Raises ``NameUnknown``.
        """

    @abstractmethod
    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        """The manifests whose subject is ``digest``, ordered by digest; empty if there are none."""


class RegistryWrapper(Registry):
    """Delegates every method to ``inner``. Subclasses override what they change."""

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

    def open_manifest(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        return self.inner.open_manifest(name, target)

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        return self.inner.push_manifest(name, manifest, tags)

    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        return self.inner.delete_manifest(name, digest)

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
