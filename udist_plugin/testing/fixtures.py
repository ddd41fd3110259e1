"""A pytest plugin: a registry without a port for any project's tests, there once udist is installed.

``udist_plugin`` is a spawned plugin, ``udist_app`` the same registry as a WSGI application in this process,
and ``udist_url`` the same at a port, for tools that need one.
Each test has its own, empty and in memory. A test, module or project that wants another overrides the fixture
``udist_config``::

    @pytest.fixture
    def udist_config(tmp_path):
        return {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path)}}}
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from wsgiref.types import WSGIApplication

    from udist_plugin import Plugin

TIMEOUT: Final = 60
"""Seconds for a gateway to start, and to end."""


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


@pytest.fixture
def udist_url(
    udist_config: str | Mapping[str, object],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The URL of a registry at a port of 127.0.0.1, with its credential: ``udist exec`` for one test.

    The environment has what a command gets, so that tools which the test starts find the registry at
    ``UDIST_REGISTRY``, and the credential. HTTP clients such as requests need the URL alone.
    """
    import json
    import subprocess

    config = tmp_path_factory.mktemp("udist") / "config.yml"
    config.write_text(udist_config if isinstance(udist_config, str) else json.dumps(udist_config))
    for name in [
        name for name in os.environ if name.startswith("REGISTRY_") and name != "REGISTRY_AUTH_FILE"
    ]:
        monkeypatch.delenv(name)
    command = [sys.executable, "-m", "udist_plugin.cli.main", "exec"]
    started = [*command, "--background", "--json", "--config", str(config)]
    printed = json.loads(subprocess.check_output(started, timeout=TIMEOUT))  # noqa: S603
    for name, value in printed["environment"].items():
        monkeypatch.setenv(name, value)
    yield printed["environment"]["UDIST_URL"]
    subprocess.run([*command, "--stop", printed["id"]], check=True, timeout=TIMEOUT)  # noqa: S603
