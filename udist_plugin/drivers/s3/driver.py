"""Amazon S3 and what speaks its protocol: the driver of distribution's ``s3`` section.

The keys in the bucket are distribution's, so that either can use a bucket of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.objects.driver import ObjectDriver
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.objects.store import ObjectStore


class S3Driver(ObjectDriver):
    """Files in a bucket."""

    name = "s3"

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        found, prefix = settings(parameters)
        return S3Store(found), prefix
