"""The driver on Google Cloud Storage: the suite of all drivers, and the OCI's conformance program."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import MOST, check
from udist_plugin import Plugin
from udist_plugin.drivers import open_driver
from udist_plugin.errors import ConfigurationError, HandshakeFailed
from udist_plugin.storage import paths
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver


class TestGcs(StorageDriverSuite):
    @pytest.fixture
    def driver(self, bucket: str) -> StorageDriver:
        return open_driver("gcs", {"bucket": bucket, "rootdirectory": "/some/root/"}, scratch=paths.SCRATCH)


@pytest.mark.parametrize(("version", "sparse", "least"), MOST)
def test_conforms(version: str, sparse: bool, least: int, bucket: str, tmp_path: Path) -> None:
    check({"gcs": {"bucket": bucket}}, version, sparse, least, tmp_path)


def test_a_plugin_says_at_start_what_is_wrong_with_its_bucket(endpoint: str) -> None:
    storage = {"gcs": {"bucket": "registry-that-is-not-there"}}
    with pytest.raises(HandshakeFailed, match=r"storage\.gcs\.bucket .* does not exist"):
        Plugin(json.dumps({"version": 0.1, "storage": storage})).close()


def test_a_missing_sdk_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("udist_plugin.drivers.gcs.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "google.cloud.storage", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[gcs\]' in a checkout"):
        open_driver("gcs", {"bucket": "b"}, scratch=paths.SCRATCH)


def test_a_plugin_takes_what_velero_passes(bucket: str) -> None:
    environ = {"REGISTRY_STORAGE": "gcs", "REGISTRY_STORAGE_GCS_BUCKET": bucket}
    with (
        Plugin(None, {**environ, "REGISTRY_STORAGE_GCS_KEYFILE": ""}) as plugin,
        plugin.request("GET", "/v2/_catalog") as response,
    ):
        assert response.status == 200
