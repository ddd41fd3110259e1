"""Registries that refuse all changes, or only deletions."""

from __future__ import annotations

from udist_plugin.errors import Unsupported
from udist_plugin.registry import RegistryWrapper
from udist_plugin.typed import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.content import Readable
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest


class NoDeleteRegistry(RegistryWrapper):
    """Refuses to delete blobs, manifests and tags: distribution's ``storage.delete.enabled: false``.

    Raises ``Unsupported``.
    """

    def delete_blob(self, name: str, digest: Digest) -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def delete_manifest(self, name: str, digest: Digest) -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def delete_tag(self, name: str, tag: str) -> NoReturn:  # noqa: ARG002
        raise Unsupported


class ReadOnlyRegistry(NoDeleteRegistry):
    """Serves reads and refuses every change: distribution's ``storage.maintenance.readonly``.

    The status of an upload is refused as well, because the upload cannot continue. Raises ``Unsupported``.
    """

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def push_blob(self, name: str, digest: Digest, content: Readable) -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def start_upload(self, name: str, algorithm: str = "sha256") -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def resume_upload(self, name: str, upload_id: str) -> NoReturn:  # noqa: ARG002
        raise Unsupported

    def push_manifest(
        self,
        name: str,  # noqa: ARG002
        manifest: Manifest,  # noqa: ARG002
        tags: Sequence[str] = (),  # noqa: ARG002
    ) -> NoReturn:
        raise Unsupported
