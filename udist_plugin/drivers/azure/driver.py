"""Azure Blob Storage: the driver of distribution's ``azure`` section.

The names in the container are distribution's, so that either can use a container of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.drivers.objects.driver import ObjectDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.objects.store import ObjectStore


class AzureDriver(ObjectDriver):
    """Files in a container."""

    name = "azure"

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        found, prefix = settings(parameters)
        return AzureStore(found), prefix
