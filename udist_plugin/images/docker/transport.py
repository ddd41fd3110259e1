"""``docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.references import DEFAULT_DOMAIN, FORM, Named
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.transports.registries import RegistryDestination, RegistrySource
    from udist_plugin.remote.registry import RemoteRegistry

HUB: Final = "registry-1.docker.io"
"""Where the default domain's registry is."""


class DockerTransport(ImageTransport):
    """Registries that are reached over HTTP."""

    name = "docker"

    def parse_reference(self, text: str) -> DockerReference:
        if not text.startswith("//"):
            raise ReferenceInvalid(f"does not start with //; expected //{FORM}", text)
        return DockerReference(self, Named.parse_image(text[2:]))


class DockerReference(ImageReference):
    """An image in a registry."""

    def __init__(self, transport: DockerTransport, named: Named) -> None:
        self.transport = transport
        self.named = named

    @property
    def string_within_transport(self) -> str:
        return f"//{self.named.familiar}"

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> RegistrySource:
        from udist_plugin.images.transports.registries import RegistrySource

        registry, close = self._connected(system)
        return RegistrySource(registry, self.named.path, self._target, close, place=self.named.domain)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination:
        from udist_plugin.images.transports.registries import RegistryDestination

        registry, close = self._connected(system)
        return RegistryDestination(registry, self.named.path, self._target, close, place=self.named.domain)

    def _connected(self, system: SystemContext) -> tuple[RemoteRegistry, Callable[[], None]]:
        from udist_plugin.images.docker.connecting import connect

        host = HUB if self.named.domain == DEFAULT_DOMAIN else self.named.domain
        return connect(host, self.named.path, system)

    @property
    def _target(self) -> str:
        return self.named.digest or self.named.tag or "latest"
