"""Google Cloud Storage: the driver of distribution's ``gcs`` section.

The keys are distribution's, so that either can use a bucket of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.gcs.settings import settings
from udist_plugin.drivers.gcs.store import GcsStore
from udist_plugin.drivers.objects.driver import ObjectDriver

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.objects.store import ObjectStore


class GcsDriver(ObjectDriver):
    """Files in a bucket."""

    name = "gcs"

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        found, prefix = settings(parameters)
        return GcsStore(found), prefix
