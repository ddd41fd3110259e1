"""``udistribution-<storage>-<uuid>://NAME[:TAG|@DIGEST]``: images in a store of one's own, as in
udistribution."""

from __future__ import annotations

import uuid
from contextlib import ExitStack
from typing import TYPE_CHECKING

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.references import Named, repository_of
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import TRANSPORTS, Transports
from udist_plugin.images.transports.base import ImageTransport
from udist_plugin.images.transports.registries import RegistryDestination, RegistryReference, RegistrySource
from udist_plugin.images.transports.registry_repositories import RegistryRepositories

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping
    from typing import Self

    from udist_plugin.registry import Registry

FORM = "//NAME[:TAG] or //NAME@DIGEST"


def new_transport(
    config: str | os.PathLike[str] | Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    in_process: bool = False,
    transports: Transports = TRANSPORTS,
) -> UdistributionTransport:
    """Starts a plugin, and registers a transport for it with ``transports``. Close it, or use it as a context
    manager.

    ``config`` and ``environ`` are those of ``Plugin``, or if ``in_process``, those of ``create_app``: then
    the registry works in this process. Raises what these two raise.
    """
    from udist_plugin.client.configuration import as_text
    from udist_plugin.config import load

    text, name = as_text(config, "")
    variables = THIS_SYSTEM.environ if environ is None else environ
    storage = load(text, variables, config_name=name or "configuration").configuration.storage.driver
    with ExitStack() as stack:
        registry = _in_process(config, environ, stack) if in_process else _spawned(config, environ, stack)
        transport = UdistributionTransport(registry, storage, transports, stack.pop_all())
    transports.register(transport)
    return transport


def _spawned(
    config: str | os.PathLike[str] | Mapping[str, object] | None,
    environ: Mapping[str, str] | None,
    stack: ExitStack,
) -> Registry:
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.remote.registry import RemoteRegistry

    return RemoteRegistry(stack.enter_context(Plugin(config, environ)))


def _in_process(
    config: str | os.PathLike[str] | Mapping[str, object] | None,
    environ: Mapping[str, str] | None,
    stack: ExitStack,
) -> Registry:
    from udist_plugin.bootstrap.apps import create_app

    return stack.enter_context(create_app(config, environ)).registry


class UdistributionTransport(ImageTransport):
    """Images in ``registry``, under a name of its own with the name of the ``storage`` driver. ``own`` is
    closed with it."""

    def __init__(self, registry: Registry, storage: str, transports: Transports, own: ExitStack) -> None:
        self.name = f"udistribution-{storage}-{uuid.uuid4()}"
        self.registry = registry
        self._own = own
        self._transports = transports

    def parse_reference(self, text: str) -> UdistributionReference:
        if not text.startswith("//"):
            raise ReferenceInvalid(f"does not start with //; expected {FORM}", text)
        return UdistributionReference(self, Named.parse_image(text[2:]))

    def open_repositories(self, text: str, system: SystemContext = THIS_SYSTEM) -> RegistryRepositories:  # noqa: ARG002
        """``//NAME``, or all of the store for ``//``."""
        if not text.startswith("//"):
            raise ReferenceInvalid("does not start with //; expected //NAME, or // for all", text)
        name = repository_of(text[2:]).path if text[2:] else ""
        return RegistryRepositories(self, self.registry, name, lambda: None, start="//")

    def deregister(self) -> None:
        """Takes the name off the table. References keep working until ``close``; twice is once."""
        self._transports.deregister(self.name)

    def close(self) -> None:
        """Deregisters the transport and ends its registry; twice is once."""
        self.deregister()
        self._own.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class UdistributionReference(RegistryReference):
    """An image in the registry of ``transport``: of ``named``, the domain plays no part there."""

    def __init__(self, transport: UdistributionTransport, named: Named) -> None:
        self.transport = transport
        self.named = named
        self._registry = transport.registry

    @property
    def string_within_transport(self) -> str:
        return f"//{self.named.familiar}"

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> RegistrySource:  # noqa: ARG002
        return RegistrySource(self._registry, self.named.path, self._target, lambda: None)

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination:  # noqa: ARG002
        return RegistryDestination(self._registry, self.named.path, self._target, lambda: None)

    @property
    def _target(self) -> str:
        return self.named.digest or self.named.tag or "latest"
