"""The single file: the same bytes each time, small enough, with all that it carries told."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.onefile.building import QUICK, build, start
from tests.tools import run_tool

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.timeout(900)

LARGEST = 45 << 20
"""Bytes, with the drivers of ``EXTRAS``."""

CARRIED = {
    "CPython",
    "Go",
    "alibabacloud-oss-v2",
    "boto3",
    "azure-storage-blob",
    "google-cloud-storage",
    "grpcio",
    "python-swiftclient",
    "udist-plugin",
    "openssl",
}


def test_two_builds_give_the_same_bytes(onefile: Path, tmp_path: Path) -> None:
    build(tmp_path / "udist", *QUICK)
    assert (tmp_path / "udist").read_bytes() == onefile.read_bytes()


def test_it_is_small(onefile: Path) -> None:
    assert onefile.stat().st_size <= LARGEST


def test_it_tells_what_it_carries(onefile: Path, unpacked: Path) -> None:
    told = start(onefile, "version", "--sbom", XDG_CACHE_HOME=str(unpacked)).stdout
    assert told == onefile.with_name("udist.spdx.json").read_text()
    document = json.loads(told)
    assert document["spdxVersion"] == "SPDX-2.3"
    packages = {package["name"]: package for package in document["packages"]}
    assert packages.keys() >= CARRIED - ({"openssl"} if "openssl" not in packages else set())
    named = {related["relatedSpdxElement"] for related in document["relationships"]}
    assert named == {package["SPDXID"] for package in document["packages"]}
    assert {package["externalRefs"][0]["referenceLocator"][:4] for package in document["packages"]} == {
        "pkg:"
    }


def test_it_shows_the_licenses_of_what_it_carries(onefile: Path, unpacked: Path) -> None:
    told = start(onefile, "version", "--licenses", XDG_CACHE_HOME=str(unpacked)).stdout
    assert told == onefile.with_name("licenses.txt").read_text()
    document = json.loads(onefile.with_name("udist.spdx.json").read_text())
    for package in document["packages"]:
        title = f"{package['name']} {package['versionInfo']}: "
        (text,) = re.findall(rf"^{re.escape(title)}.*\n=+\n\n((?s:.{{100}}))", told, re.M)
        assert text, title


def test_it_looks_for_libraries_nowhere_else(unpacked: Path) -> None:
    """On the machine that it runs on, anybody could own a folder that the building machine had."""
    (folder,) = (unpacked / "udist").iterdir()
    found = set()
    for path in [folder / "bin" / "python", *folder.rglob("*.so*")]:
        said = run_tool("readelf", "-dW", str(path), cwd=folder, timeout=60)
        found |= set(re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", said))
    assert {each for each in found if not each.startswith("$ORIGIN")} <= {""}
