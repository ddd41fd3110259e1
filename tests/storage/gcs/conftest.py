from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from google.cloud.storage import Client

from tests.storage.gcs.server import fake_gcs

if TYPE_CHECKING:
    from collections.abc import Iterator

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    with fake_gcs() as url:
        yield url


@pytest.fixture
def endpoint(server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's URL, where the SDK looks for it, that of spawned plugins too."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", server)
    return server


@pytest.fixture
def bucket(endpoint: str) -> str:
    """The name of a new bucket."""
    with Client(project="test") as client:
        name: str = client.create_bucket(f"registry-{next(_NUMBERS)}").name
    return name
