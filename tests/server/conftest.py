from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "tests.server.apps"]


@pytest.fixture
def plugin() -> Iterator[Plugin]:
    """A plugin that serves the applications of ``tests.server.apps``."""
    with Plugin(command=COMMAND) as plugin:
        yield plugin
