"""``docker://[HOST[:PORT]/]NAME[:TAG|@DIGEST]``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ImageError, ReferenceInvalid
from udist_plugin.images.references import DEFAULT_DOMAIN, FORM, LEGACY_DOMAIN, Named, is_host, repository_of
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageTransport
from udist_plugin.images.transports.registries import RegistryReference

if TYPE_CHECKING:
    from udist_plugin.images.docker.registries_conf import Entry
    from udist_plugin.images.signatures.storage import SignatureStorage
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.images.transports.registries import RegistryDestination, RegistrySource
    from udist_plugin.images.transports.registry_repositories import RegistryRepositories

HUB: Final = "registry-1.docker.io"
"""Where the default domain's registry is."""

_PLACE: Final = "//HOST[:PORT][/NAME]"


class DockerTransport(ImageTransport):
    """Registries that are reached over HTTP."""

    name = "docker"

    def parse_reference(self, text: str) -> DockerReference:
        if not text.startswith("//"):
            raise ReferenceInvalid(f"does not start with //; expected //{FORM}", text)
        return DockerReference(self, Named.parse_image(text[2:]))

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> RegistryRepositories:
        """``//HOST/NAME``, or all of the registry for ``//HOST``; a host has a dot or a port, or is
        ``localhost``, unless a slash ends it.

        The registry itself is asked, and none of its mirrors.
        """
        from udist_plugin.images.docker.connecting import connect
        from udist_plugin.images.transports.registry_repositories import RegistryRepositories

        named = _place(text)
        system = DockerReference(self, named).directly(system)
        registry, close = connect(_host_of(named), named.path, system)
        return RegistryRepositories(
            self,
            registry,
            named.path,
            close,
            start=f"//{named.domain}/",
            place=named.domain,
            storage=lambda text: _storage_of(Named.parse_image(text[2:]), system),
        )


def _place(text: str) -> Named:
    """A repository; its path is empty for all. Raises ``ReferenceInvalid``."""
    if not text.startswith("//"):
        raise ReferenceInvalid(f"does not start with //; expected {_PLACE}", text)
    host = text[2:].removesuffix("/")
    if "/" not in host and (text.endswith("/") or is_host(host)):
        return Named.parse(f"{host}/any")._replace(path="")
    return repository_of(text[2:])


class DockerReference(RegistryReference):
    """An image in a registry."""

    def __init__(self, transport: DockerTransport, named: Named) -> None:
        self.transport = transport
        self.named = named

    @property
    def string_within_transport(self) -> str:
        return f"//{self.named.familiar}"

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> ImageSource:
        """As ``registries.conf`` has it, from mirrors or another location."""
        entry = self._entry(system)
        if entry is None:
            return self._source(self.named, system)
        places = []
        for endpoint in entry.endpoints(self.named):
            named = _named_at(endpoint.location, entry)
            there = system._replace(insecure=system.insecure or endpoint.insecure)
            places.append((f"docker://{named}", partial(self._source, named, there)))
        if len(places) == 1:
            return places[0][1]()
        from udist_plugin.images.docker.mirrors import MirroredSource

        return MirroredSource(places, system.tell)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination:
        """By its own name: mirrors and other locations are for reading."""
        from udist_plugin.images.docker.connecting import connect
        from udist_plugin.images.transports.registries import RegistryDestination

        registry, close = connect(_host_of(self.named), self.named.path, self.directly(system))
        return RegistryDestination(
            registry,
            self.named.path,
            _target_of(self.named),
            close,
            place=self.named.domain,
            storage=partial(_storage_of, self.named, system),
        )

    def directly(self, system: SystemContext) -> SystemContext:
        """``system`` for the image's own registry. Raises ``ImageError`` where that is blocked."""
        entry = self._entry(system)
        if entry is None:
            return system
        return system._replace(insecure=system.insecure or entry.primary.insecure)

    def _entry(self, system: SystemContext) -> Entry | None:
        """What ``registries.conf`` says. Raises ``ImageError`` where that is that it is blocked."""
        from udist_plugin.images.docker.registries_conf import load_registries_conf

        entry = load_registries_conf(system.environ).find(self.named)
        if entry is not None and entry.blocked:
            raise ImageError(f"{entry.prefix} is blocked in {entry.path}", str(self))
        return entry

    def _source(self, named: Named, system: SystemContext) -> RegistrySource:
        from udist_plugin.images.docker.connecting import connect
        from udist_plugin.images.transports.registries import RegistrySource

        registry, close = connect(_host_of(named), named.path, system)
        return RegistrySource(
            registry,
            named.path,
            _target_of(named),
            close,
            place=named.domain,
            storage=partial(_storage_of, named, system),
        )


def _storage_of(named: Named, system: SystemContext) -> SignatureStorage:
    from udist_plugin.images.docker.registries_d import storage_of

    return storage_of(named, system.environ)


def _named_at(location: str, entry: Entry) -> Named:
    """The name that a rewritten reference is, which needs a host."""
    try:
        named = Named.parse_image(location)
    except ReferenceInvalid as error:
        raise ReferenceInvalid(f"{entry.prefix} in {entry.path} leads to {error}") from None
    if not location.startswith((f"{named.domain}/", f"{LEGACY_DOMAIN}/")):
        raise ReferenceInvalid(f"{entry.prefix} in {entry.path} leads to {location}, which has no host")
    return named


def _host_of(named: Named) -> str:
    return HUB if named.domain == DEFAULT_DOMAIN else named.domain


def _target_of(named: Named) -> str:
    return named.digest or named.tag or "latest"
