"""Images in a registry: the source and the destination on any ``Registry``."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property

from udist_plugin.errors import BlobUnknown, DigestInvalid, ManifestUnknown, NameUnknown
from udist_plugin.images.referrers import described, referrers_of, tag_referrers
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageDestination, ImageReference, ImageSource, Opened
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.transport import can_cancel
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from io import FileIO

    from udist_plugin.content import Content
    from udist_plugin.images.signatures.attached import Attached
    from udist_plugin.images.signatures.keys import PrivateKey
    from udist_plugin.images.signatures.signing import Signed
    from udist_plugin.images.signatures.storage import SignatureStorage
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent, Registry


class RegistryReference(ImageReference):
    """An image in a registry."""

    @abstractmethod
    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination: ...

    def list_tags(self, system: SystemContext = THIS_SYSTEM) -> list[str]:
        with self.new_image_destination(system) as place:
            return place.list_tags()

    def delete_image(self, system: SystemContext = THIS_SYSTEM) -> None:
        with self.new_image_destination(system) as place:
            place.delete()


class _InRegistry(Opened):
    """The tag or digest ``target`` of the repository ``name``. ``release`` ends the use of ``registry``;
    ``place`` is what that has in common with others of its kind, if not itself. ``storage`` says where else
    its images have signatures, and is called when that is needed."""

    def __init__(
        self,
        registry: Registry,
        name: str,
        target: str,
        release: Callable[[], None],
        *,
        place: object = None,
        storage: Callable[[], SignatureStorage] | None = None,
    ) -> None:
        self.registry = registry
        self.place = place or registry
        self.name = name
        self._target = target
        self._release = release
        self._storage = storage

    def get_tagged(self, tag: str) -> ManifestContent | None:
        try:
            return self.registry.get_manifest(self.name, tag)
        except (ManifestUnknown, NameUnknown):
            return None

    @cached_property
    def storage(self) -> SignatureStorage:
        """Where signatures are beside the registry, and whether they are in it."""
        from udist_plugin.images.signatures.storage import SignatureStorage

        return self._storage() if self._storage else SignatureStorage()

    def cancel(self) -> None:
        if can_cancel(self.registry):
            self.registry.cancel()

    def close(self) -> None:
        self._release()


class RegistrySource(_InRegistry, ImageSource):
    """The image at ``target``."""

    _root: ManifestContent | None = None

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        """The image's own is asked for once, so that it stays the same while its tag moves."""
        if digest:
            return self.registry.get_manifest(self.name, digest)
        if self._root is None:
            self._root = self.registry.get_manifest(self.name, self._target)
        return self._root

    def resolve(self) -> Descriptor:
        return self.registry.resolve_manifest(self.name, self._target)

    def open_blob(self, descriptor: Descriptor) -> Content:
        return self.registry.open_blob(self.name, descriptor.digest)

    def list_referrers(self, digest: Digest) -> list[Descriptor]:
        return list(referrers_of(self.registry, self.name, digest))

    def get_signatures(self, manifest: Manifest) -> Iterable[Attached]:
        """Those beside the registry, and those in it, unless they are not to be used."""
        from udist_plugin.images.signatures.attached import find_attached

        yield from self.storage.find(manifest.digest)
        if self.storage.attachments is not False:
            yield from find_attached(self.registry, self.name, manifest.digest, manifest.content)

    def get_lookaside(self, digest: Digest) -> list[bytes]:
        return self.storage.files(digest)


class RegistryDestination(_InRegistry, ImageDestination):
    """The place at ``target``."""

    keeps_signatures = True
    keeps_referrers = True

    def has_blob(self, descriptor: Descriptor) -> bool:
        try:
            size = self.registry.resolve_blob(self.name, descriptor.digest).size
        except (BlobUnknown, NameUnknown):
            return False
        return descriptor.size in (0, size)

    def reuse_blob(self, descriptor: Descriptor, source: ImageSource) -> bool:
        """By a mount, from another repository of the same registry."""
        if not isinstance(source, RegistrySource) or source.place != self.place:
            return False
        try:
            size = self.registry.mount_blob(self.name, descriptor.digest, source.name).size
        except BlobUnknown:
            return False
        return descriptor.size in (0, size)

    def put_blob(self, descriptor: Descriptor, content: Content) -> None:
        """The registry verifies the digest, and if it is on the network, we do, too."""
        self.registry.push_blob(self.name, descriptor.digest, _whole_file(content) or content)

    def put_manifest(self, manifest: Manifest) -> None:
        self.registry.push_manifest(self.name, manifest)

    def commit(self, root: Manifest) -> None:
        if ":" not in self._target:
            self.registry.push_manifest(self.name, root, [self._target])
        elif root.digest == self._target:
            self.registry.push_manifest(self.name, root)
        else:
            raise DigestInvalid(
                {"expected": self._target, "actual": root.digest},
                "the image does not have the digest that the destination names",
            )

    def put_referrers(self, subject: Digest, referrers: Sequence[Manifest]) -> None:
        """In the index at the tag, where the registry has no API."""
        tag_referrers(self.registry, self.name, subject, map(described, referrers))

    @property
    def keeps_lookaside(self) -> bool:
        return bool(self.storage.staging)

    def put_lookaside(self, digest: Digest, signatures: Sequence[bytes]) -> None:
        self.storage.add(digest, signatures)

    def put_tagged(self, manifest: Manifest, tag: str) -> None:
        self.registry.push_manifest(self.name, manifest, [tag])

    def list_tags(self) -> list[str]:
        """The repository's."""
        return self.registry.list_tags(self.name).items

    def delete(self) -> None:
        """Deletes the tag, or the manifest with all its tags."""
        if ":" in self._target:
            self.registry.delete_manifest(self.name, Digest(self._target))
        else:
            self.registry.delete_tag(self.name, self._target)

    def sign(self, manifest: Manifest, key: PrivateKey, identity: str) -> Signed:
        from udist_plugin.images.signatures.signing import sign_image

        self.storage.check_attachments(identity)
        return sign_image(self.registry, self.name, manifest.digest, key, identity)


def _whole_file(content: Content) -> FileIO | None:
    """The file whose rest ``content`` is: the kernel moves it, or a plugin opens it itself."""
    import os
    from io import FileIO

    file = content.file
    if type(file) is not FileIO or os.fstat(file.fileno()).st_size != file.tell() + content.size:
        return None
    return file
