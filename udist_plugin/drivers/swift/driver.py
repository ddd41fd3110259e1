"""OpenStack Swift: the driver of distribution 2.8's ``swift`` section.

Files stand below ``files/`` and the segments of large ones below ``segments/``, as distribution has them, so
that either can use a container of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.objects.driver import ObjectDriver
from udist_plugin.drivers.swift.settings import settings
from udist_plugin.drivers.swift.store import SwiftStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.objects.store import ObjectStore


class SwiftDriver(ObjectDriver):
    """Files in a container."""

    name = "swift"

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        found, prefix = settings(parameters)
        return SwiftStore(found), prefix
