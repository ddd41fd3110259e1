from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from azure.storage.blob import BlobServiceClient

from tests.drivers.azure.server import ACCOUNT, KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import ContainerClient


@pytest.fixture
def container(azurite_server: str) -> Iterator[ContainerClient]:
    """A new container."""
    credential = {"account_name": ACCOUNT, "account_key": KEY}
    with BlobServiceClient(azurite_server, credential) as service:
        yield service.create_container(f"registry-{uuid4()}")


@pytest.fixture
def parameters(azurite_server: str, container: ContainerClient) -> dict[str, object]:
    """The driver's section for it."""
    return {
        "accountname": ACCOUNT,
        "accountkey": KEY,
        "container": container.container_name,
        "serviceurl": azurite_server,
    }
