"""``udist:NAME[:TAG|@DIGEST]``, an image in a plugin's store, and transports for stores of one's own."""

from __future__ import annotations

import threading
from contextlib import ExitStack, contextmanager

from udist_plugin.errors import DigestInvalid, NameInvalid, ReferenceInvalid, TagInvalid
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageTransport
from udist_plugin.images.transports.registries import RegistryDestination, RegistryReference, RegistrySource
from udist_plugin.images.transports.registry_repositories import RegistryRepositories
from udist_plugin.oci.reference import Reference, check_name
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from udist_plugin.registry import Registry

FORM = "NAME[:TAG] or NAME@DIGEST"


@contextmanager
def _default_plugin() -> Iterator[Registry]:
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.remote.registry import RemoteRegistry

    with Plugin() as plugin:
        yield RemoteRegistry(plugin)


class SharedRegistry:
    """A registry that ``connect`` opens for its first user, and that is closed behind the last one."""

    def __init__(self, connect: Callable[[], AbstractContextManager[Registry]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._users = 0
        self._open = ExitStack()
        self._registry: Registry | None = None

    def take(self) -> tuple[Registry, Callable[[], None]]:
        """The registry, and what its user calls when it is done with it."""
        with self._lock:
            if self._registry is None:
                self._registry = self._open.enter_context(self._connect())
            self._users += 1
        done = ExitStack()
        done.callback(self._give_back)
        return self._registry, done.close

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Once it is open, it stays open until the block ends, also between users."""
        with self._lock:
            self._users += 1
        try:
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._registry = None
                self._open.close()


class UdistTransport(ImageTransport):
    """Images in one plugin's store: by default the plugin of this process's configuration, started when it is
    first needed."""

    name = "udist"

    def __init__(self, connect: Callable[[], AbstractContextManager[Registry]] = _default_plugin) -> None:
        self.registry = SharedRegistry(connect)

    def parse_reference(self, text: str) -> UdistReference:
        try:
            reference = Reference.parse(text)
        except (NameInvalid, TagInvalid, DigestInvalid) as error:
            raise ReferenceInvalid(f"{error}; expected {FORM}", text) from None
        if reference.tag and reference.digest:
            raise ReferenceInvalid("has both a tag and a digest; give one of them", text)
        return UdistReference(self, reference)

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> RegistryRepositories:  # noqa: ARG002
        """``NAME``, or all of the store if ``text`` is empty."""
        try:
            name = check_name(text) if text else ""
        except NameInvalid:
            raise ReferenceInvalid("is no repository; expected NAME, or nothing for all", text) from None
        registry, release = self.registry.take()
        return RegistryRepositories(self, registry, name, release)


class UdistReference(RegistryReference):
    """An image in the store of ``transport``."""

    transport: UdistTransport

    def __init__(self, transport: UdistTransport, reference: Reference) -> None:
        self.transport = transport
        self._shared = transport.registry
        self.reference = reference

    @property
    def string_within_transport(self) -> str:
        tagged = (
            self.reference if self.reference.digest else self.reference._replace(tag=self.reference.target)
        )
        return str(tagged)

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> RegistrySource:  # noqa: ARG002
        registry, release = self._shared.take()
        return RegistrySource(registry, self.reference.name, self.reference.target, release)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination:  # noqa: ARG002
        registry, release = self._shared.take()
        return RegistryDestination(registry, self.reference.name, self.reference.target, release)
