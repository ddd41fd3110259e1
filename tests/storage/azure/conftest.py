from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import BlobServiceClient

from tests.storage.azure.server import ACCOUNT, KEY, azurite

if TYPE_CHECKING:
    from collections.abc import Iterator

    from azure.storage.blob import ContainerClient

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    with azurite() as url:
        yield url


@pytest.fixture
def container(endpoint: str) -> Iterator[ContainerClient]:
    """A new container."""
    credential = {"account_name": ACCOUNT, "account_key": KEY}
    with BlobServiceClient(endpoint, credential) as service:
        yield service.create_container(f"registry-{next(_NUMBERS)}")


@pytest.fixture
def parameters(endpoint: str, container: ContainerClient) -> dict[str, object]:
    """The driver's section for it."""
    return {
        "accountname": ACCOUNT,
        "accountkey": KEY,
        "container": container.container_name,
        "serviceurl": endpoint,
    }
