from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.server.grpc.hosting import APPS, Host

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def registry() -> Iterator[Host]:
    """A registry in memory."""
    with Host() as host:
        yield host
        assert host.close() == 0


@pytest.fixture(scope="module")
def apps() -> Iterator[Host]:
    """The applications of ``tests.server.apps``."""
    with Host(APPS) as host:
        yield host
        assert host.close() == 0
