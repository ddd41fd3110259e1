"""udist: an OCI registry that programs spawn instead of deploy."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.bootstrap.apps import create_app
    from udist_plugin.bootstrap.upkeep import collect_garbage, disk_usage, find_damage
    from udist_plugin.client.async_plugin import AsyncPlugin
    from udist_plugin.client.async_response import AsyncResponse
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.client.response import Response
    from udist_plugin.errors import (
        ArtifactError,
        Cancelled,
        ConfigurationError,
        DeadlineExceeded,
        HandshakeFailed,
        ImageError,
        NoFreeSlot,
        PluginDied,
        PluginForked,
        PluginNotFound,
        PluginNotStarted,
        ProtocolError,
        RedirectFailed,
        RegistryError,
        StorageError,
        StreamReset,
        TransportError,
        UdistError,
    )
    from udist_plugin.images.copying.copy import copy_image
    from udist_plugin.images.pull import pull_artifact
    from udist_plugin.images.push import Source, push_artifact
    from udist_plugin.images.transports.udistribution import new_transport
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.remote.registry import RemoteRegistry
    from udist_plugin.remote.wsgi import WSGITransport

from udist_plugin.version import __version__ as __version__

__all__ = [
    "ArtifactError",
    "AsyncPlugin",
    "AsyncResponse",
    "Cancelled",
    "ConfigurationError",
    "DeadlineExceeded",
    "Descriptor",
    "Digest",
    "HandshakeFailed",
    "ImageError",
    "NoFreeSlot",
    "Plugin",
    "PluginDied",
    "PluginForked",
    "PluginNotFound",
    "PluginNotStarted",
    "ProtocolError",
    "RedirectFailed",
    "RegistryError",
    "RemoteRegistry",
    "Response",
    "Source",
    "StorageError",
    "StreamReset",
    "TransportError",
    "UdistError",
    "WSGITransport",
    "collect_garbage",
    "copy_image",
    "create_app",
    "disk_usage",
    "find_damage",
    "new_transport",
    "pull_artifact",
    "push_artifact",
]

_MODULES = {
    "AsyncPlugin": "client.async_plugin",
    "AsyncResponse": "client.async_response",
    "Descriptor": "oci.descriptor",
    "Digest": "oci.digest",
    "Plugin": "client.plugin",
    "RemoteRegistry": "remote.registry",
    "Response": "client.response",
    "Source": "images.push",
    "WSGITransport": "remote.wsgi",
    "collect_garbage": "bootstrap.upkeep",
    "copy_image": "images.copying.copy",
    "create_app": "bootstrap.apps",
    "disk_usage": "bootstrap.upkeep",
    "find_damage": "bootstrap.upkeep",
    "new_transport": "images.transports.udistribution",
    "pull_artifact": "images.pull",
    "push_artifact": "images.push",
}


def offer(
    package: str, modules: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package that imports each name from its module on first use."""
    import sys

    namespace = vars(sys.modules[package])

    def get(name: str) -> object:
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"udist_plugin.{modules[name]}"), name)
        namespace[name] = value
        return value

    return get, lambda: sorted({*namespace, *modules})


# A plugin that starts needs no client, and a client no registry.
__getattr__, __dir__ = offer(__name__, dict.fromkeys(__all__, "errors") | _MODULES)
