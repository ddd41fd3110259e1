"""The suites of all clients run while ``tests/listening.py`` looks on. It sees what it has to."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tests import workers
from tests.listening import Watch
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    import pytest

LISTENER = """
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
from udist_plugin.cli.plugin import main
main([])
"""


def test_a_plugin_is_looked_at_and_does_not_listen() -> None:
    watch = Watch(os.environ[workers.FOLDER])
    with Plugin("version: 0.1\nstorage: {inmemory: {}}", {}) as plugin:
        watch.look()
        assert plugin.pid in watch.seen
        assert watch.found == {}


def test_one_that_listens_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made another run's, as this run's would fail the whole suite."""
    monkeypatch.setenv(workers.FOLDER, "another run")
    watch = Watch("another run")
    with Plugin("version: 0.1\nstorage: {inmemory: {}}", {}, [sys.executable, "-c", LISTENER]) as plugin:
        watch.look()
        assert len(watch.found[plugin.pid]) == 1
