"""The OCI's conformance program finds nothing to object to and nothing missing, through a spawned plugin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.bridge import bridged
from tests.conformance.program import run
from udist_plugin import Plugin

if TYPE_CHECKING:
    from pathlib import Path

RUNS = [
    pytest.param("1.1", False, 800, id="1.1"),
    pytest.param("dev", False, 900, id="dev"),
    pytest.param("dev", True, 950, id="dev-sparse"),
]
"""The specification's version, whether sparse images are pushed, and the fewest tests that then must run."""


@pytest.mark.parametrize(("version", "sparse", "least"), RUNS)
def test_conforms(version: str, sparse: bool, least: int, tmp_path: Path) -> None:
    config = f"{{version: 0.1, storage: {{filesystem: {{rootdirectory: {tmp_path / 'store'}}}}}}}"
    environ = {"REGISTRY_VALIDATION_MANIFESTS_REFERENCES": "false"} if sparse else {}
    options = {
        "OCI_VERSION": version,
        "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
        "OCI_DATA_SPARSE": str(sparse).lower(),
    }
    with Plugin(config, environ) as plugin, bridged(plugin) as address:
        counts, results, output = run(address, tmp_path / "results", options)
    unmet = {name: status for name, status in results["apis"].items() if status not in ("Pass", "Disabled")}
    unmet |= {name: status for name, status in results["data"].items() if status not in ("Pass", "Disabled")}
    assert not unmet, output
    passed = counts.pop("Pass")
    assert counts == {"FAIL": 0, "Skip": 0, "Disabled": 0, "Error": 0}, output
    assert passed >= least
