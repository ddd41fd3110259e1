"""A registry that tells what happens to its content: distribution's notifications begin here."""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import UdistError
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.oci.stored import read_stored
from udist_plugin.registry import RegistryWrapper, Upload
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.content import Content, Readable
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent, Registry

BLOBS: Final = "blobs"
MANIFESTS: Final = "manifests"


class Occurrence(NamedTuple):
    """``action`` (pull, push, mount or delete) happened in the repository ``name`` to one of ``kind``,
    ``BLOBS`` or ``MANIFESTS``.

    A deletion knows a ``digest`` or a ``tag``, but neither media type nor size. ``source`` is the repository
    that a blob was mounted from, ``references`` is what a manifest refers to.
    """

    action: str
    kind: str
    name: str
    digest: str = ""
    media_type: str = ""
    size: int = 0
    tag: str = ""
    source: str = ""
    references: Sequence[Descriptor] = ()


class NotifyingRegistry(RegistryWrapper):
    """Calls ``tell`` after each success, before the method returns. What is told of a manifest's push or pull
    includes what it refers to if that action is among ``references``; for a pull it is read once more."""

    def __init__(
        self, inner: Registry, tell: Callable[[Occurrence], None], references: Sequence[str] = ()
    ) -> None:
        super().__init__(inner)
        self._tell = tell
        self._references = references

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        found = super().resolve_blob(name, digest)
        self._tell_blob("pull", name, digest, found.size)
        return found

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        if start or end is not None:  # events tell the size of the whole blob
            self.resolve_blob(name, digest)
            return super().open_blob(name, digest, start, end)
        content = super().open_blob(name, digest)
        self._tell_blob("pull", name, digest, content.size)
        return content

    def locate_blob(self, name: str, digest: Digest) -> str | None:
        url = super().locate_blob(name, digest)
        if url is not None:
            self.resolve_blob(name, digest)
        return url

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        mounted = super().mount_blob(name, digest, source)
        self._tell_blob("mount", name, digest, mounted.size, source or "")
        return mounted

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        pushed = super().push_blob(name, digest, content)
        self._tell_blob("push", name, digest, pushed.size)
        return pushed

    def delete_blob(self, name: str, digest: Digest) -> None:
        super().delete_blob(name, digest)
        self._tell(Occurrence("delete", BLOBS, name, digest))

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        return self._watched(name, super().start_upload(name, algorithm))

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        return self._watched(name, super().resume_upload(name, upload_id))

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        found = super().resolve_manifest(name, target)
        self._tell_pull(name, target, found)
        return found

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        found = super().get_manifest(name, target)
        self._tell_pull(name, target, Descriptor(found.media_type, found.digest, len(found.content)))
        return found

    def open_manifest(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        found, content = super().open_manifest(name, target)
        self._tell_pull(name, target, found)
        return found, content

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        pushed = super().push_manifest(name, manifest, tags)
        references = _references(manifest) if "push" in self._references else ()
        for tag in tags or ("",):
            self._tell(Occurrence("push", MANIFESTS, name, *_facts(pushed), tag, "", references))
        return pushed

    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        tags = super().delete_manifest(name, digest)
        self._tell(Occurrence("delete", MANIFESTS, name, digest))
        for tag in tags:
            self._tell(Occurrence("delete", MANIFESTS, name, tag=tag))
        return tags

    def delete_tag(self, name: str, tag: str) -> None:
        super().delete_tag(name, tag)
        self._tell(Occurrence("delete", MANIFESTS, name, tag=tag))

    def _tell_blob(self, action: str, name: str, digest: str, size: int, source: str = "") -> None:
        self._tell(Occurrence(action, BLOBS, name, digest, OCTET_STREAM, size, source=source))

    def _tell_pull(self, name: str, target: Digest | str, found: Descriptor) -> None:
        tag = "" if isinstance(target, Digest) else target
        references: Sequence[Descriptor] = ()
        if "pull" in self._references:
            with suppress(UdistError):  # deleted meanwhile: an event never fails a request
                content = self.inner.get_manifest(name, found.digest).content
                references = _references(read_stored(content, found.digest))
        self._tell(Occurrence("pull", MANIFESTS, name, *_facts(found), tag, "", references))

    def _watched(self, name: str, upload: Upload) -> Upload:
        return _WatchedUpload(
            upload, lambda pushed: self._tell_blob("push", name, pushed.digest, pushed.size)
        )


class _WatchedUpload(Upload):
    """``inner``, which calls ``pushed`` once it is a blob."""

    def __init__(self, inner: Upload, pushed: Callable[[Descriptor], None]) -> None:
        self._inner = inner
        self._pushed = pushed
        self.id = inner.id
        self.offset = inner.offset

    def write(self, content: Readable) -> int:
        try:
            return self._inner.write(content)
        finally:
            self.offset = self._inner.offset

    def commit(self, digest: str) -> Descriptor:
        descriptor = self._inner.commit(digest)
        self._pushed(descriptor)
        return descriptor

    def cancel(self) -> None:
        self._inner.cancel()

    def close(self) -> None:
        self._inner.close()


def _facts(manifest: Descriptor) -> tuple[str, str, int]:
    return manifest.digest, manifest.media_type, manifest.size


def _references(manifest: Manifest) -> Sequence[Descriptor]:
    """In distribution's order: configuration, layers; an index's manifests."""
    return (*manifest.blobs, *manifest.manifests)
