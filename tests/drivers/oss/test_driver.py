"""The driver on OSS: the suite of all drivers, the OCI's conformance program, a registry and its garbage."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import MOST, check
from tests.storage.samples import push, push_image
from udist_plugin.drivers import open_driver
from udist_plugin.errors import ConfigurationError
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.registry import StorageRegistry
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.oss.server import OssServer
    from udist_plugin.drivers.base import StorageDriver


class TestOss(StorageDriverSuite):
    @pytest.fixture(params=["", "/some/root/"])
    def driver(self, request: pytest.FixtureRequest, server: OssServer) -> StorageDriver:
        return open_driver("oss", server.parameters(rootdirectory=request.param), scratch=paths.SCRATCH)


@pytest.mark.parametrize(("version", "sparse", "least"), MOST)
def test_conforms(version: str, sparse: bool, least: int, server: OssServer, tmp_path: Path) -> None:
    check({"oss": server.parameters()}, version, sparse, least, tmp_path)


def test_keys_are_those_of_distribution(server: OssServer) -> None:
    parameters = server.parameters(rootdirectory="/some/root/")
    registry = StorageRegistry(open_driver("oss", parameters, scratch=paths.SCRATCH))
    push(registry, "a/b", push_image(registry, "a/b", b"content"), "v1")
    root = "some/root/docker/registry/v2"
    made = {asked.key for asked in server.asked if asked.method == "PUT"}
    digest = Digest.of(b"content").hex
    assert f"{root}/blobs/sha256/{digest[:2]}/{digest}/data" in made
    assert f"{root}/repositories/a/b/_layers/sha256/{digest}/link" in made
    assert f"{root}/repositories/a/b/_manifests/tags/v1/current/link" in made
    assert all(key.startswith(f"{root}/") for key in made)


def test_a_missing_sdk_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("udist_plugin.drivers.oss.")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "alibabacloud_oss_v2", None)
    with pytest.raises(ConfigurationError, match=r"pip install '\.\[oss\]' in a checkout"):
        open_driver("oss", {"bucket": "b"}, scratch=paths.SCRATCH)
