"""Accepts manifests of some classes only: distribution's ``policy.repository.classes``."""

from __future__ import annotations

from udist_plugin.errors import Denied
from udist_plugin.oci.media_types import DOCKER_CONFIG, DOCKER_MANIFEST, DOCKER_PLUGIN_CONFIG, OCI_CONFIG
from udist_plugin.registry import RegistryWrapper
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import Registry

DOCKER_CLASSES: Final = {DOCKER_CONFIG: "image", DOCKER_PLUGIN_CONFIG: "plugin"}
OCI_CLASSES: Final = {OCI_CONFIG: "image"}
"""Classes by the media type of the configuration."""


class ClassRegistry(RegistryWrapper):
    """Raises ``Denied`` for a manifest whose class is not one of ``classes``, or is not known. An index has
    none."""

    def __init__(self, inner: Registry, classes: Collection[str]) -> None:
        super().__init__(inner)
        self._classes = classes

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        if manifest.config:
            kind = manifest.config.media_type
            known = DOCKER_CLASSES if manifest.media_type == DOCKER_MANIFEST else OCI_CLASSES
            if kind not in known:
                raise Denied(message=f"unknown manifest class for {kind}")
            if known[kind] not in self._classes:
                raise Denied(message=f"registry does not allow {known[kind]} manifest")
        return super().push_manifest(name, manifest, tags)
