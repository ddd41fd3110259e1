"""Runs the OCI's conformance program, whose exit code alone proves nothing."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

STATUSES = ("Pass", "FAIL", "Skip", "Disabled", "Error")


class Report(NamedTuple):
    """How many tests ended how, what ``results.yaml`` says, and all that was printed."""

    counts: dict[str, int]
    results: dict[str, Any]
    output: str


def run(address: str, results: Path, options: Mapping[str, str]) -> Report:
    """Tests the registry at ``address``; ``options`` are the program's variables.

    Raises ``FileNotFoundError`` if the program ended without having written its results.
    """
    environ = {name: value for name, value in os.environ.items() if not name.startswith("OCI_")}
    environ |= {"OCI_REGISTRY": address, "OCI_TLS": "disabled", "OCI_RESULTS_DIR": str(results), **options}
    ended = subprocess.run(  # it ends with 1 when a test was skipped
        [require_tool("conformance")],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )
    counts = {
        status: int(match[1])
        for status in STATUSES
        if (match := re.search(rf"^  {status}\.+: +(\d+)$", ended.stdout, re.MULTILINE))
    }
    written = results / "results.yaml"
    if not written.exists():
        raise FileNotFoundError(f"{written}; the program said:\n{ended.stdout}")
    return Report(counts, yaml.safe_load(written.read_text()), ended.stdout)
