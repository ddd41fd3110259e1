from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.listening import no_plugin_listens
from tests.server.conftest import plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["plugin"]


@pytest.fixture(scope="package", autouse=True)
def _no_port() -> Iterator[None]:
    with no_plugin_listens():
        yield
