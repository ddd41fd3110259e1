"""A registry's verbs over HTTP, on any transport that can exchange a request for a response."""

from __future__ import annotations

from udist_plugin import offer
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.remote.registry import RemoteRegistry
    from udist_plugin.remote.wsgi import WSGITransport

__all__ = ["RemoteRegistry", "WSGITransport"]

__getattr__, __dir__ = offer(__name__, {"RemoteRegistry": "remote.registry", "WSGITransport": "remote.wsgi"})
