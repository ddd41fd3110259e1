"""An image's configuration (image-spec, config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from udist_plugin.errors import DigestInvalid, ManifestInvalid, SizeInvalid
from udist_plugin.images.writing import check_digest, check_size
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, load_document
from udist_plugin.oci.media_types import DOCKER_CONFIG, OCI_CONFIG

if TYPE_CHECKING:
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest


def read_config(source: ImageSource, manifest: Manifest) -> bytes:
    """The exact bytes, whatever they are. Raises ``ManifestInvalid`` for an index, which has none, and
    ``SizeInvalid`` or ``DigestInvalid`` for bytes that are not what the manifest says."""
    if manifest.config is None:
        raise ManifestInvalid(f"a manifest of type {manifest.media_type} has no configuration")
    return _read_blob(source, manifest.config)


def is_image(manifest: Manifest) -> bool:
    """Whether it is a container image's: its layers are file systems."""
    return manifest.config is not None and manifest.config.media_type in (OCI_CONFIG, DOCKER_CONFIG)


def diff_ids(config: dict[str, Any]) -> list[Digest]:
    """The digests that the layers have without their compression. Raises ``ManifestInvalid``."""
    try:
        return [Digest(diff) for diff in config["rootfs"]["diff_ids"] or ()]
    except (TypeError, KeyError, DigestInvalid):
        raise ManifestInvalid("the configuration has no list of digests at rootfs.diff_ids") from None


def image_config(source: ImageSource, manifest: Manifest) -> dict[str, Any] | None:
    """The members of an image's configuration; ``None`` for an index or another artifact."""
    if manifest.config is None or not is_image(manifest):
        return None
    return load_document(_read_blob(source, manifest.config))


def _read_blob(source: ImageSource, descriptor: Descriptor) -> bytes:
    with source.open_blob(descriptor) as content:
        check_size(content.size, descriptor)
        if content.size > MANIFEST_MAX:
            raise SizeInvalid({"size": content.size, "limit": MANIFEST_MAX}, "the configuration is too large")
        data = content.read()
    hasher = descriptor.digest.hasher()
    hasher.update(data)
    check_digest(hasher, descriptor)
    return data
