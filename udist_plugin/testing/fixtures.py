"""A pytest plugin: a registry without a port for any project's tests, there once udist is installed.

``udist_plugin`` is a spawned plugin, ``udist_app`` the same registry as a WSGI application in this process.
Each test has its own, empty and in memory. A test, module or project that wants another overrides the fixture
``udist_config``::

    @pytest.fixture
    def udist_config(tmp_path):
        return {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path)}}}
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIApplication

    from udist_plugin import Plugin


@pytest.fixture
def udist_config() -> str | Mapping[str, object]:
    """The configuration, as YAML text or as a mapping of the same shape. In memory, unless overridden."""
    return {"version": 0.1, "storage": {"inmemory": {}}}


@pytest.fixture
def udist_plugin(udist_config: str | Mapping[str, object]) -> Iterator[Plugin]:
    """A plugin that was spawned for this test and ends with it."""
    from udist_plugin import Plugin

    with Plugin(udist_config, {}) as plugin:
        yield plugin


@pytest.fixture
def udist_app(udist_config: str | Mapping[str, object]) -> Iterator[WSGIApplication]:
    """A WSGI application, for a test client or for ``httpx.WSGITransport``."""
    from udist_plugin import create_app

    with create_app(udist_config, {}) as app:
        yield app
