"""Alibaba Cloud OSS: the driver of the ``oss`` section of distribution's version 2.8.

The keys in the bucket are distribution's, so that either can use a bucket of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.objects.driver import ObjectDriver
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.objects.store import ObjectStore


class OssDriver(ObjectDriver):
    """Files in a bucket."""

    name = "oss"

    @classmethod
    def open_store(cls, parameters: Mapping[str, object]) -> tuple[ObjectStore, str]:
        found, prefix = settings(parameters)
        return OssStore(found), prefix
