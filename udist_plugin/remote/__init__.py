"""A registry's verbs over HTTP, on any transport that can exchange a request for a response.

    from udist_plugin import Plugin
    from udist_plugin.remote import RemoteRegistry

    with Plugin() as plugin:
        print(RemoteRegistry(plugin).list_repositories().items)

A transport is a ``Plugin``, a ``WSGITransport`` around an application in this process, or anything with their
method ``request``. For a registry on the network, with TLS, logins and retries, use
``udist_plugin.images.open_registry``.
"""

from __future__ import annotations

from udist_plugin import offer
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.remote.registry import RemoteRegistry
    from udist_plugin.remote.wsgi import WSGITransport

__all__ = ["RemoteRegistry", "WSGITransport"]

__getattr__, __dir__ = offer(__name__, {"RemoteRegistry": "remote.registry", "WSGITransport": "remote.wsgi"})
