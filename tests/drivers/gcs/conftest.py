from __future__ import annotations

from uuid import uuid4

import pytest
from google.cloud.storage import Client


@pytest.fixture
def endpoint(gcs_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The server's URL, where the SDK looks for it, that of spawned plugins too."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs_server)
    return gcs_server


@pytest.fixture
def bucket(endpoint: str) -> str:
    """The name of a new bucket."""
    with Client(project="test") as client:
        name: str = client.create_bucket(f"registry-{uuid4()}").name
    return name
