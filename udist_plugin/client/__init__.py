"""The caller's side: spawns a plugin, drives ``wire``, hands out HTTP transports."""

from __future__ import annotations

from udist_plugin import offer
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.client.httpx_transport import UdistTransport
    from udist_plugin.client.plugin import Plugin
    from udist_plugin.client.requests_adapter import UdistAdapter
    from udist_plugin.client.response import Response

__all__ = ["Plugin", "Response", "UdistAdapter", "UdistTransport"]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Plugin": "client.plugin",
        "Response": "client.response",
        "UdistAdapter": "client.requests_adapter",
        "UdistTransport": "client.httpx_transport",
    },
)
