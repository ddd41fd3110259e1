"""A registry for callers in this process: what they name is checked before it can become a path."""

from __future__ import annotations

from udist_plugin.errors import BlobUploadUnknown
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import check_name, check_tag, parse_target
from udist_plugin.registry import RegistryWrapper
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Content, Readable
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent, Page, Upload


class CheckedRegistry(RegistryWrapper):
    """Takes names, tags and digests as plain text. Raises ``NameInvalid``, ``TagInvalid`` and
    ``DigestInvalid`` for what is none."""

    def resolve_blob(self, name: str, digest: str) -> Descriptor:
        return self.inner.resolve_blob(check_name(name), Digest(digest))

    def has_blob(self, name: str, digest: str) -> bool:
        return self.inner.has_blob(check_name(name), Digest(digest))

    def open_blob(self, name: str, digest: str, start: int = 0, end: int | None = None) -> Content:
        return self.inner.open_blob(check_name(name), Digest(digest), start, end)

    def locate_blob(self, name: str, digest: str) -> str | None:
        return self.inner.locate_blob(check_name(name), Digest(digest))

    def mount_blob(self, name: str, digest: str, source: str | None) -> Descriptor:
        return self.inner.mount_blob(check_name(name), Digest(digest), source and check_name(source))

    def push_blob(self, name: str, digest: str, content: Readable) -> Descriptor:
        return self.inner.push_blob(check_name(name), Digest(digest), content)

    def delete_blob(self, name: str, digest: str) -> None:
        self.inner.delete_blob(check_name(name), Digest(digest))

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        return self.inner.start_upload(check_name(name), algorithm)

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        if "/" in upload_id:
            raise BlobUploadUnknown({"uuid": upload_id[:256]})
        return self.inner.resume_upload(check_name(name), upload_id)

    def resolve_manifest(self, name: str, target: str) -> Descriptor:
        return self.inner.resolve_manifest(check_name(name), parse_target(target))

    def get_manifest(self, name: str, target: str) -> ManifestContent:
        return self.inner.get_manifest(check_name(name), parse_target(target))

    def open_manifest(self, name: str, target: str) -> tuple[Descriptor, bytes | Content]:
        return self.inner.open_manifest(check_name(name), parse_target(target))

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        return self.inner.push_manifest(check_name(name), manifest, [check_tag(tag) for tag in tags])

    def delete_manifest(self, name: str, digest: str) -> Sequence[str]:
        return self.inner.delete_manifest(check_name(name), Digest(digest))

    def delete_tag(self, name: str, tag: str) -> None:
        self.inner.delete_tag(check_name(name), check_tag(tag))

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        return self.inner.list_tags(check_name(name), limit, last)

    def list_referrers(
        self, name: str, digest: str, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        return self.inner.list_referrers(check_name(name), Digest(digest), artifact_type, last)
