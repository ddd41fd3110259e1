"""``udist tree``."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.terminal import shown_on
from tests.cli.test_failures import COMMAND
from tests.tools import run_tool
from udist_plugin.oci.media_types import OCI_EMPTY, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]

KIND = "application/vnd.example.sbom"


def referring(layout: Layout, subject: dict[str, Any], content: bytes) -> dict[str, Any]:
    """An artifact in the layout that refers to ``subject``."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": KIND,
        "config": layout.blob(b"{}", OCI_EMPTY),
        "layers": [layout.blob(content, "text/plain")],
        "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
    }
    found = layout.blob(json.dumps(document).encode(), OCI_MANIFEST)
    layout.add(found, None)
    return found


@pytest.fixture
def image(layout: Layout) -> dict[str, Any]:
    """An index of two images, of which one is missing, with what refers to each and to that again."""
    amd64, arm64 = (layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64"))
    index = layout.image_index("v1", amd64, arm64)
    first = referring(layout, amd64, b"sbom")
    referring(layout, first, b"of the sbom")
    referring(layout, index, b"of all")
    config = json.loads(layout.path(arm64["digest"]).read_text())["config"]["digest"]
    for digest in (config, arm64["digest"]):
        layout.path(digest).unlink()
    return index


def test_a_tree(udist: Udist, layout: Layout, image: dict[str, Any]) -> None:
    ran = udist("tree", "oci:layout:v1")
    assert (ran.code, ran.err) == (0, "")
    lines = [line.split("  sha")[0] for line in ran.out.splitlines()]
    assert lines[:-1] == [
        "oci:layout:v1",
        "index",
        "├── manifest linux/amd64",
        "│   ├── config",
        "│   ├── layer",
        "│   ├── layer",
        f"│   └── referrer {KIND}",
        "│       ├── config",
        "│       ├── layer",
        f"│       └── referrer {KIND}",
        "│           ├── config",
        "│           └── layer",
        "├── manifest linux/arm64",
        f"└── referrer {KIND}",
        "    ├── config",
        "    └── layer",
    ]
    assert f"index  {image['digest']}  " in ran.out
    missing = [line for line in ran.out.splitlines() if line.endswith("  missing")]
    assert [line[:24] for line in missing] == ["├── manifest linux/arm64"]
    files = list((layout.root / "blobs/sha256").iterdir())
    document = json.loads(udist("tree", "oci:layout:v1", "--json").out)
    assert document["totalSize"] == sum(path.stat().st_size for path in files)
    assert lines[-1].startswith(f"{len(files)} manifests and blobs, ")
    assert [child["role"] for child in document["children"]] == ["manifest", "manifest", "referrer"]
    assert document["children"][1]["missing"] is True


@pytest.mark.parametrize("stock", ["registry", "docker-registry"], indirect=True)
def test_oras_finds_the_same_referrers(udist: Udist, layout: Layout, stock: str, work: Path) -> None:
    """Also with a registry that has no referrers API."""
    subject = layout.image("v1")
    there = f"{stock}/demo/app"
    for place in ("udist:demo/app:v1", f"docker://{there}:v1"):
        udist("copy", "oci:layout:v1", place)
    (work / "sbom.txt").write_text("all of it\n")
    attach = ("oras", "attach", "--plain-http", "--disable-path-validation", "--artifact-type", KIND)
    run_tool(*attach, f"{there}:v1", "sbom.txt:text/plain", cwd=work, timeout=60)
    found = run_tool(
        "oras", "discover", "--plain-http", "--format", "json", f"{there}:v1", cwd=work, timeout=60
    )
    document = json.loads(udist("tree", f"docker://{there}:v1", "--json").out)
    referrer = document["children"][-1]
    assert document["digest"] == subject["digest"]
    assert (referrer["role"], referrer["artifactType"]) == ("referrer", KIND)
    assert [each["digest"] for each in json.loads(found)["referrers"]] == [referrer["digest"]]
    assert "layer sbom.txt  sha256:" in udist("tree", f"docker://{there}:v1").out
    pushed = udist("push", "demo/app:sbom", "sbom.txt", "--subject", "v1", "--artifact-type", KIND)
    assert pushed.code == 0
    assert f"└── referrer {KIND}  {pushed.out.strip()}" in udist("tree", "demo/app:v1").out


def test_nothing_is_there(udist: Udist, layout: Layout) -> None:
    assert udist("tree", "demo/app").code == 3
    assert udist("tree", "oci:layout:v1").code == 3


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_are_for_terminals(
    udist: Udist, image: dict[str, Any], variables: dict[str, str], coloured: bool
) -> None:
    screen, terminal = pty.openpty()
    environ = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {"TERM": "xterm"}
    running = subprocess.Popen(
        [*COMMAND, "tree", "oci:layout:v1"], stdout=terminal, stderr=subprocess.PIPE, env=environ | variables
    )
    os.close(terminal)
    shown = shown_on(screen)
    assert running.communicate(timeout=30)[1] == b""
    assert (b"\x1b[35mindex\x1b[0m" in shown) == coloured
    assert (b"\x1b" in shown) == coloured
    assert "\x1b" not in udist("tree", "oci:layout:v1").out
