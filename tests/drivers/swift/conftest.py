from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from tests.drivers.swift.account import Account
from tests.drivers.swift.server import PASSWORD, USER

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def container(swift_server: str) -> Iterator[Account]:
    """A new container."""
    with Account(swift_server, f"registry-{uuid4()}") as account:
        yield account


@pytest.fixture
def parameters(swift_server: str, container: Account) -> dict[str, object]:
    """The driver's section for it."""
    return {
        "authurl": f"{swift_server}/auth/v1.0",
        "username": USER,
        "password": PASSWORD,
        "container": container.name,
    }
