"""A registry on a storage driver, put together from the stores of its parts."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import ManifestUnknown, StorageError
from udist_plugin.registry import ManifestContent, Page, Registry, Upload
from udist_plugin.storage.blobs import BlobStore
from udist_plugin.storage.catalog import Catalog
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.manifests import ManifestStore
from udist_plugin.storage.referrers import ReferrerIndex
from udist_plugin.storage.tags import TagStore
from udist_plugin.storage.uploads import UploadStore
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.content import Content, Readable
    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.storage.referrers_tags import ReferrersTags
    from udist_plugin.storage.sizes.sizes import Sizes


class StorageRegistry(Registry):
    """A registry whose whole state stands in ``driver``: any number of them may share one store.

    What a push returned for is durable. ``save_referrers`` is off for a store that must not be written to
    by reading from it. ``sizes`` and ``url_for`` are those of ``BlobStore``,
    ``tag_lookups`` the ``lookups`` of ``TagStore``: by default as many as suit the driver. With
    ``referrers_tags``, tags are kept by which stock servers find referrers; see ``ReferrersTags``.
    """

    def __init__(
        self,
        driver: StorageDriver,
        *,
        save_referrers: bool = True,
        sizes: Sizes | None = None,
        url_for: Callable[[str], str | None] | None = None,
        tag_lookups: int = 0,
        referrers_tags: bool = False,
    ) -> None:
        self.driver = driver
        self._keeps_tags = referrers_tags
        data = BlobData(driver, restore=save_referrers)
        self._blobs = BlobStore(driver, sizes, url_for, data)
        self._uploads = UploadStore(driver, self._blobs)
        self._tags = TagStore(driver, tag_lookups or driver.lookups)
        self._manifests = ManifestStore(driver, self._tags, data)
        self._catalog = Catalog(driver, save=save_referrers)
        self._referrers = ReferrerIndex(driver, self._manifests, save=save_referrers)

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        return self._blobs.resolve(name, digest)

    def has_blob(self, name: str, digest: Digest) -> bool:
        return self._blobs.has(name, digest)

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        return self._blobs.open(name, digest, start, end)

    def locate_blob(self, name: str, digest: Digest) -> str | None:
        return self._blobs.locate(name, digest)

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        return self._blobs.mount(name, digest, source)

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        return self._blobs.push(name, digest, content)

    def delete_blob(self, name: str, digest: Digest) -> None:
        self._blobs.delete(name, digest)

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        return self._uploads.start(name, algorithm)

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        return self._uploads.resume(name, upload_id)

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        return self._manifests.resolve(name, target)

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        return self._manifests.get(name, target)

    def open_manifest(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        return self._manifests.open(name, target)

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        pushed = self._manifests.push(name, manifest, tags)
        self._catalog.pushed(name)
        if self._keeps_tags and manifest.subject is not None:
            self._referrers_tags().sync(name, manifest.subject.digest)
        return pushed

    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        subject = None
        if self._keeps_tags:
            with suppress(ManifestUnknown, StorageError):  # what cannot be read can be deleted
                subject = self._manifests.subject(name, digest)
        tags = self._manifests.delete(name, digest)
        if subject is not None:
            self._referrers_tags().sync(name, subject)
        return tags

    def sync_referrers_tags(self, name: str) -> int:
        """Brings the tags of a repository that was filled without them up to date; the number of those that
        were not."""
        return self._referrers_tags().sync_all(name)

    def _referrers_tags(self) -> ReferrersTags:
        from udist_plugin.storage.referrers_tags import ReferrersTags

        return ReferrersTags(self._manifests, self._tags, self._referrers)

    def delete_tag(self, name: str, tag: str) -> None:
        self._tags.delete(name, tag)

    def list_repositories(self, limit: int | None = None, last: str = "") -> Page[str]:
        return self._catalog.list(limit, last)

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        return self._tags.list(name, limit, last)

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        return self._referrers.list(name, digest, artifact_type, last)
