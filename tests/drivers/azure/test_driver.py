"""The driver on Azure Blob Storage: the suite of all drivers, and the OCI's conformance program."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conformance.plugin import MOST, check
from udist_plugin import Plugin
from udist_plugin.drivers import open_driver
from udist_plugin.errors import HandshakeFailed
from udist_plugin.storage import paths
from udist_plugin.testing.storage_driver import StorageDriverSuite

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.drivers.base import StorageDriver


class TestAzure(StorageDriverSuite):
    @pytest.fixture(params=["", "/some/root", "legacy"])
    def driver(self, parameters: dict[str, object], request: pytest.FixtureRequest) -> StorageDriver:
        if request.param == "legacy":
            return open_driver("azure", {**parameters, "trimlegacyrootprefix": False}, scratch=paths.SCRATCH)
        return open_driver("azure", {**parameters, "rootdirectory": request.param}, scratch=paths.SCRATCH)


@pytest.mark.parametrize(("version", "sparse", "least"), MOST)
def test_conforms(
    version: str, sparse: bool, least: int, parameters: dict[str, object], tmp_path: Path
) -> None:
    check({"azure": parameters}, version, sparse, least, tmp_path)


def test_a_plugin_takes_what_velero_passes(parameters: dict[str, object]) -> None:
    """openshift-velero-plugin sets all of its variables, those of the other way to authenticate empty."""
    names = ("ACCOUNTNAME", "ACCOUNTKEY", "CONTAINER", "SERVICEURL")
    environ = {f"REGISTRY_STORAGE_AZURE_{name}": str(parameters[name.lower()]) for name in names}
    for name in ("SPN_CLIENT_ID", "SPN_CLIENT_SECRET", "SPN_TENANT_ID", "AAD_ENDPOINT"):
        environ[f"REGISTRY_STORAGE_AZURE_{name}"] = ""
    with (
        Plugin(None, {"REGISTRY_STORAGE": "azure", **environ}) as plugin,
        plugin.request("GET", "/v2/_catalog") as response,
    ):
        assert response.status == 200


def test_a_plugin_says_at_start_what_is_wrong_with_its_container(parameters: dict[str, object]) -> None:
    storage = {"azure": {**parameters, "accountkey": "bm90IHRoZSBrZXk="}}
    with pytest.raises(HandshakeFailed, match=r"storage\.azure\.accountkey \(.*\): .* refused"):
        Plugin(json.dumps({"version": 0.1, "storage": storage})).close()
