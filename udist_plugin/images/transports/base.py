"""Transports, references, sources and destinations, as containers/image has them.

A transport parses references. A reference names one image, and opens it as a source or as a destination.
``copying`` moves an image between any two, and ``syncing`` those of whole repositories.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from contextlib import contextmanager

from udist_plugin.errors import ImageError, ReferenceInvalid, SignatureError
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.registry import Page
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType
    from typing import Self

    from udist_plugin.content import Content
    from udist_plugin.images.signatures.attached import Attached
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.images.signatures.signing import Signed
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent


class ImageTransport(ABC):
    """A kind of place for images. ``name`` is what stands before the colon."""

    name: str

    @abstractmethod
    def parse_reference(self, text: str) -> ImageReference:
        """The image that ``text``, which is behind ``name:``, refers to. Raises ``ReferenceInvalid``."""

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> Repositories:  # noqa: ARG002
        """The repositories at the place ``text``, which is behind ``name:``.

        Raises ``ReferenceInvalid``, also where the transport has no repositories.
        """
        raise ReferenceInvalid("this transport has images, but no repositories", f"{self.name}:{text}")


class ImageReference(ABC):
    """The place of one image. Its text is ``transport:reference``, which parses to an equal one."""

    transport: ImageTransport

    @property
    @abstractmethod
    def string_within_transport(self) -> str:
        """What is behind the transport's name, with defaults filled in or left out."""

    @abstractmethod
    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> ImageSource:
        """Opens the image for reading. Raises ``ImageUnknown`` where there is none."""

    @abstractmethod
    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> ImageDestination:
        """Opens the place for writing. Nothing is written before the first ``put``."""

    @contextmanager
    def opened_blob(self, blob: Descriptor, system: SystemContext = THIS_SYSTEM) -> Iterator[Content]:
        """A blob that is at this place, whatever images are there. Raises ``BlobUnknown``."""
        with self.new_image_source(system) as source, source.open_blob(blob) as content:
            yield content

    def list_tags(self, system: SystemContext = THIS_SYSTEM) -> list[str]:  # noqa: ARG002
        """The names that images have at this place, in lexical order (``GetRepositoryTags``).

        Raises ``ImageError`` where images have no names.
        """
        raise ImageError(f"the images of {self.transport.name}: have no names", str(self))

    def delete_image(self, system: SystemContext = THIS_SYSTEM) -> None:  # noqa: ARG002
        """Deletes the image's name, or if the reference has its digest, the image with all names
        (``DeleteImage``). Blobs stay.

        Raises ``ImageError`` where that cannot be done, and ``ImageUnknown`` or ``ManifestUnknown``.
        """
        raise ImageError(
            f"{self.transport.name}: is written as a whole, and nothing is deleted from it; "
            "delete the file or folder itself, or copy the images to keep elsewhere",
            str(self),
        )

    def __str__(self) -> str:
        return f"{self.transport.name}:{self.string_within_transport}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"


class Opened(ABC):
    """What a source and a destination have in common. Close it, or use it as a context manager."""

    def cancel(self) -> None:
        """Makes whatever other threads do here end soon, with ``Cancelled``."""

    @abstractmethod
    def close(self) -> None:
        """Gives back what is held; twice is once."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ImageSource(Opened):
    """An image being read. Safe for any number of threads."""

    @abstractmethod
    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        """The image's manifest or index, or the one of its manifests that has ``digest``.

        Its bytes have the digest that it says. Raises ``ManifestUnknown`` or ``NameUnknown``.
        """

    def resolve(self) -> Descriptor:
        """What ``get_manifest`` gives, without its content. Raises the same."""
        found = self.get_manifest()
        return Descriptor(found.media_type, found.digest, len(found.content))

    @abstractmethod
    def open_blob(self, descriptor: Descriptor) -> Content:
        """A blob of the image. Raises ``BlobUnknown``.

        The content is checked by whoever reads it, unless it says that it is ``verified``.
        """

    def list_referrers(self, digest: Digest) -> list[Descriptor]:  # noqa: ARG002
        """The manifests whose subject is ``digest``, as far as they are known here."""
        return []

    def get_tagged(self, tag: str) -> ManifestContent | None:  # noqa: ARG002
        """What has ``tag`` in the image's repository, if there is such a thing here."""
        return None

    def get_lookaside(self, digest: Digest) -> list[bytes]:  # noqa: ARG002
        """The files with signatures of a manifest that are not in this place, but beside it."""
        return []

    def get_signatures(self, manifest: Manifest) -> Iterable[Attached]:  # noqa: ARG002
        """The signatures of one of the image's manifests, by whomever; this kind of place keeps none."""
        return ()


class ImageDestination(Opened):
    """A place being written. Safe for any number of threads, but for ``commit``.

    Closing it without ``commit`` leaves what was under its name before. Whole blobs may stay, where they
    shorten the next attempt.
    """

    single = False
    """Whether it takes one image only, and no index."""

    keeps_signatures = False
    """Whether ``sign`` may be called."""

    keeps_referrers = False
    """Whether ``put_referrers``, ``get_tagged`` and ``put_tagged`` may be called."""

    @abstractmethod
    def has_blob(self, descriptor: Descriptor) -> bool:
        """Whether all of the blob is there already."""

    def reuse_blob(self, descriptor: Descriptor, source: ImageSource) -> bool:  # noqa: ARG002
        """Takes a blob over from ``source`` without moving it. ``False`` where that cannot be done."""
        return False

    @abstractmethod
    def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        """Stores ``content``. Raises ``DigestInvalid`` if it is not what ``descriptor`` says; then nothing is
        stored."""

    @abstractmethod
    def put_manifest(self, manifest: Manifest) -> None:
        """Stores a manifest of the image without a name. All that it refers to is there."""

    @abstractmethod
    def commit(self, root: Manifest) -> None:
        """Stores the image's own manifest or index under the reference's name. All else is there."""

    def put_referrers(self, subject: Digest, referrers: Sequence[Manifest]) -> None:
        """Lists manifests, which are there, as what refers to ``subject``."""
        raise NotImplementedError

    def get_tagged(self, tag: str) -> ManifestContent | None:
        """What has ``tag`` in the repository that is written to, if anything has."""
        raise NotImplementedError

    def put_tagged(self, manifest: Manifest, tag: str) -> None:
        """Stores a manifest under ``tag``, beside the image. All that it refers to is there."""
        raise NotImplementedError

    @property
    def keeps_lookaside(self) -> bool:
        """Whether ``put_lookaside`` may be called."""
        return False

    def put_lookaside(self, digest: Digest, signatures: Sequence[bytes]) -> None:
        """Adds files with signatures of a manifest, unless they are there."""
        raise NotImplementedError

    def sign(self, manifest: Manifest, key: PrivateKey, identity: str) -> Signed:  # noqa: ARG002
        """Attaches signatures to a manifest that is there, which say that the image is called
        ``identity``. Raises ``SignatureError`` where that cannot be."""
        raise SignatureError("signatures are kept in registries: udist: or docker://", identity)


class Repositories(Opened):
    """One repository of a place that has several, such as a registry or a layout, or all of them.

    ``chosen`` is the repository that was asked for, empty for all. ``nameless`` says whether the place can
    have a repository without a name, as a layout of plain tags is. A ``target`` is a tag or a digest. Safe
    for any number of threads. Every method may raise what the place raises: ``RegistryError``,
    ``ImageError``, ``TransportError`` or ``OSError``.
    """

    chosen = ""
    nameless = False

    @abstractmethod
    def list_repositories(self) -> list[str]:
        """The names of the repositories, in lexical order."""

    @abstractmethod
    def list_tags(self, name: str) -> list[str]:
        """All tags, in lexical order. Raises ``NameUnknown`` if there is no such repository."""

    def page_repositories(self, limit: int, last: str = "") -> Page[str]:
        """At most ``limit`` names of repositories after ``last``."""
        return page_of(self.list_repositories(), limit, last)

    def page_tags(self, name: str, limit: int, last: str = "") -> Page[str]:
        """At most ``limit`` tags after ``last``. Raises ``NameUnknown``."""
        return page_of(self.list_tags(name), limit, last)

    @abstractmethod
    def resolve(self, name: str, target: str) -> Digest | None:
        """The digest of the image there, ``None`` if there is none."""

    @abstractmethod
    def reference(self, name: str, target: str) -> ImageReference:
        """The image there, to be read or written. Cancelling one of them concerns no other."""

    @abstractmethod
    def list_referrers(self, name: str, digest: Digest) -> list[Descriptor]:
        """The manifests whose subject is ``digest``; none where referrers are unknown."""

    def tag_referrers(self, name: str, subject: Digest, referrers: Sequence[Descriptor]) -> None:
        """Lists ``referrers``, which are there, as those of ``subject``, where that does not happen by
        itself."""

    @abstractmethod
    def delete_tag(self, name: str, tag: str) -> None:
        """Deletes a tag. What it points at stays."""

    def close(self) -> None:
        """Gives back what is held; twice is once."""


def page_of(names: Sequence[str], limit: int, last: str) -> Page[str]:
    """At most ``limit`` of ``names``, which are sorted, after ``last``; from the first if that is empty."""
    start = bisect_right(names, last) if last else 0
    items = list(names[start : start + limit])
    return Page(items, items[-1] if start + limit < len(names) else None)
