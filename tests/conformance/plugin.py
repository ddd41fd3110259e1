"""The conformance program against a spawned plugin, whatever it stores on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conformance.bridge import bridged
from tests.conformance.program import run
from udist_plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

RUNS = [
    pytest.param("1.1", False, 800, id="1.1"),
    pytest.param("dev", False, 900, id="dev"),
    pytest.param("dev", True, 950, id="dev-sparse"),
]
"""The specification's version, whether sparse images are pushed, and the fewest tests that then must run."""
MOST = RUNS[-1:]
"""What tests most; ``tests/campaigns/conformance.py`` has the others for each object store."""


def check(storage: Mapping[str, object], version: str, sparse: bool, least: int, results: Path) -> None:
    """``storage`` is that section of the configuration; ``results`` a folder for the program's own."""
    config = json.dumps({"version": 0.1, "storage": storage})
    environ = {"REGISTRY_VALIDATION_MANIFESTS_REFERENCES": "false"} if sparse else {}
    options = {
        "OCI_VERSION": version,
        "OCI_API_BLOBS_UPLOAD_CANCEL": "true",
        "OCI_DATA_SPARSE": str(sparse).lower(),
    }
    with Plugin(config, environ) as plugin, bridged(plugin) as address:
        counts, found, output = run(address, results, options)
    unmet = {name: status for name, status in found["apis"].items() if status not in ("Pass", "Disabled")}
    unmet |= {name: status for name, status in found["data"].items() if status not in ("Pass", "Disabled")}
    assert not unmet, output
    passed = counts.pop("Pass")
    assert counts == {"FAIL": 0, "Skip": 0, "Disabled": 0, "Error": 0}, output
    assert passed >= least
