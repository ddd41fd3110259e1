"""udist: an OCI registry that programs spawn instead of deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.bootstrap import create_app
    from udist_plugin.client.async_plugin import AsyncPlugin
    from udist_plugin.client.async_response import AsyncResponse
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.client.response import Response
    from udist_plugin.errors import (
        Cancelled,
        ConfigurationError,
        DeadlineExceeded,
        HandshakeFailed,
        NoFreeSlot,
        PluginDied,
        PluginForked,
        PluginNotFound,
        ProtocolError,
        RedirectFailed,
        RegistryError,
        StorageError,
        StreamReset,
        TransportError,
        UdistError,
    )

from udist_plugin.version import __version__ as __version__

__all__ = [
    "AsyncPlugin",
    "AsyncResponse",
    "Cancelled",
    "ConfigurationError",
    "DeadlineExceeded",
    "HandshakeFailed",
    "NoFreeSlot",
    "Plugin",
    "PluginDied",
    "PluginForked",
    "PluginNotFound",
    "ProtocolError",
    "RedirectFailed",
    "RegistryError",
    "Response",
    "StorageError",
    "StreamReset",
    "TransportError",
    "UdistError",
    "create_app",
]

_MODULES = {
    "AsyncPlugin": "udist_plugin.client.async_plugin",
    "AsyncResponse": "udist_plugin.client.async_response",
    "Plugin": "udist_plugin.client.plugin",
    "Response": "udist_plugin.client.response",
    "create_app": "udist_plugin.bootstrap",
}


def __getattr__(name: str) -> object:
    """Imports a name on first use: a plugin that starts needs no client, and a client no registry."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_MODULES.get(name, "udist_plugin.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
