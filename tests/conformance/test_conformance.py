"""The OCI's conformance program finds nothing to object to and nothing missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.conformance.bridge import bridged
from tests.conformance.program import run
from tests.http_api.memory import MemoryRegistry
from udist_plugin.http_api.app import Application
from udist_plugin.remote.wsgi import WSGITransport
from udist_plugin.wrappers.validation import Policy, ValidatingRegistry

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
    registry = ValidatingRegistry(MemoryRegistry(), Policy(references=not sparse))
    options = {
        "OCI_VERSION": version,
        "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
        "OCI_DATA_SPARSE": str(sparse).lower(),
    }
    with bridged(WSGITransport(Application(registry))) as address:
        counts, results, output = run(address, tmp_path, options)
    unmet = {name: status for name, status in results["apis"].items() if status not in ("Pass", "Disabled")}
    unmet |= {name: status for name, status in results["data"].items() if status not in ("Pass", "Disabled")}
    assert not unmet, output
    passed = counts.pop("Pass")
    assert counts == {"FAIL": 0, "Skip": 0, "Disabled": 0, "Error": 0}, output
    assert passed >= least
