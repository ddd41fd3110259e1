"""The registries that the verbs are tried on."""

from __future__ import annotations

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.remote.loopback import LoopbackTransport
from udist_plugin.http_api.app import Application
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport


@pytest.fixture(params=["application", "plugin", "stock"])
def remote(request: pytest.FixtureRequest) -> RemoteRegistry:
    """A remote registry over our application, over a spawned plugin, and over Debian's docker-registry."""
    if request.param == "plugin":
        return RemoteRegistry(request.getfixturevalue("udist_plugin"))
    if request.param == "stock":
        return RemoteRegistry(LoopbackTransport(request.getfixturevalue("stock_port")))
    return RemoteRegistry(WSGITransport(Application(MemoryRegistry())))
