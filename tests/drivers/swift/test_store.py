"""The Swift store against Swift's own servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.object_store_suite import ObjectStoreSuite
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore

if TYPE_CHECKING:
    from udist_plugin.drivers.objects.store import ObjectStore

CHUNK = 256 << 10


class TestSwift(ObjectStoreSuite):
    chunk = CHUNK

    @pytest.fixture
    def store(self, parameters: dict[str, object]) -> ObjectStore:
        return SwiftStore(settings({**parameters, "chunksize": CHUNK})[0])
