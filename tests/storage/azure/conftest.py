from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from tests.storage.azure.server import ACCOUNT, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import ContainerClient


@pytest.fixture(scope="session")
def endpoint(azurite_server: str) -> str:
    return azurite_server


@pytest.fixture
def container(endpoint: str) -> Iterator[ContainerClient]:
    """A new container."""
    credential = {"account_name": ACCOUNT, "account_key": KEY}
    with BlobServiceClient(endpoint, credential) as service:
        yield service.create_container(f"registry-{uuid4()}")


@pytest.fixture
def parameters(endpoint: str, container: ContainerClient) -> dict[str, object]:
    """The driver's section for it."""
    return {
        "accountname": ACCOUNT,
        "accountkey": KEY,
        "container": container.container_name,
        "serviceurl": endpoint,
    }
