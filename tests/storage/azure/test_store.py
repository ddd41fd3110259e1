"""The Azure store against Azurite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.storage.object_store_suite import ObjectStoreSuite
from udist_plugin.storage.drivers import azure_transfers
from udist_plugin.storage.drivers.azure import settings
from udist_plugin.storage.drivers.azure_store import AzureStore

if TYPE_CHECKING:
    from udist_plugin.storage.drivers.object_store import ObjectStore

PIECE = 256 << 10


class TestAzure(ObjectStoreSuite):
    chunk = PIECE

    @pytest.fixture
    def store(self, parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        monkeypatch.setattr(azure_transfers, "PIECE", PIECE)
        return AzureStore(settings(parameters)[0])
