"""``udist diff``: layers, configurations, and the files that layers make up."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.images.layers import BASE, TOP, Tar, image
from tests.tools import run_tool
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_LAYER_TAR, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Ran
    from tests.images.sample import Layout

    Udist = Callable[..., Ran]


def test_what_layers_do_to_files(udist: Udist, layout: Layout) -> None:
    image(layout, "one", BASE, config={"Env": ["A=1"], "Cmd": ["a"]})
    image(layout, "two", BASE, TOP, config={"Env": ["A=2"], "Labels": {"x": "y"}})
    top = layout.entries[1]["digest"]
    layer = json.loads(layout.path(top).read_text())["layers"][1]
    ran = udist("diff", "oci:layout:one", "oci:layout:two")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Layers:",
        f"  + {layer['digest']}  {layer['size']} B",
        "Configuration:",
        '  - config.Cmd  ["a"]',
        '  ~ config.Env  ["A=1"] -> ["A=2"]',
        '  + config.Labels.x  "y"',
        "Files:",
        "  ~ /etc  mode 0755 -> 0700",
        "  - /etc/old  0644  4 B",
        "  ~ /etc/passwd  mode 0644 -> 0600, size 5 B -> 9 B, content",
        "  + /gone/again  0644  1 B",
        "  - /gone/file  0644  1 B",
        "  - /lib/a  0644  1 B",
        "  - /lib/deep  0755  folder",
        "  - /lib/deep/b  0644  1 B",
        "  + /lib/new  0644  3 B",
        "  ~ /link  link etc/old -> etc/passwd",
        "2 added, 5 removed, 3 changed",
    ]
    backwards = json.loads(udist("diff", "oci:layout:two", "oci:layout:one", "--json").out)
    passwd = next(each for each in backwards["files"] if each["path"] == "/etc/passwd")
    assert passwd == {
        "path": "/etc/passwd",
        "change": "changed",
        "before": {"type": "file", "mode": "0600", "owner": [0, 0], "size": 9},
        "after": {"type": "file", "mode": "0644", "owner": [0, 0], "size": 5},
        "fields": ["mode", "size", "content"],
    }
    assert [each["digest"] for each in backwards["layers"]["removed"]] == [layer["digest"]]
    assert "Files" not in udist("diff", "oci:layout:one", "oci:layout:two", "--no-files").out


def test_crane_makes_the_same_files_of_the_layers(
    udist: Udist, layout: Layout, stock: str, work: Path
) -> None:
    """So its flattened file system, as one layer, is the same image. (It gets hard links to files that upper
    layers replace wrong, and whiteouts that come before a new file of their folder.)"""
    lower = Tar().folder("etc").add("etc/passwd", b"root\n").add("etc/old", b"old\n").folder("lib")
    lower.add("lib/a", b"a").add("lib/deep/b", b"b").add("hard", type=tarfile.LNKTYPE, linkname="lib/a")
    upper = Tar().add("etc/.wh.old").add("etc/passwd", b"web\n", mode=0o600).add("lib/.wh.deep")
    upper.add("link", type=tarfile.SYMTYPE, linkname="etc/passwd").folder("etc", 0o700)
    image(layout, "two", lower.done(), upper.done())
    there = f"{stock}/demo/app:v1"
    udist("copy", "oci:layout:two", f"docker://{there}")
    run_tool("crane", "export", "--insecure", there, "flat.tar", cwd=work, timeout=60)
    image(layout, "flat", (work / "flat.tar").read_bytes())
    changes = json.loads(udist("diff", f"docker://{there}", "oci:layout:flat", "--json").out)["files"]
    assert changes == []


def test_the_same_image_in_another_form(udist: Udist, layout: Layout) -> None:
    image(layout, "one", BASE)
    udist("copy", "oci:layout", "udist:demo/app")
    assert udist("diff", "oci:layout", "demo/app") == (0, "", "")
    assert udist("copy", "oci:layout", "docker-archive:a.tar").code == 0
    assert udist("diff", "docker-archive:a.tar", "demo/app:latest", "--json").code == 0


def test_artifacts_have_no_file_system(udist: Udist) -> None:
    udist("push", "demo/a:v1", "README.md")
    udist("push", "demo/a:v2", "folder")
    ran = udist("diff", "demo/a:v1", "demo/a:v2")
    assert (ran.code, ran.out.count("  + "), ran.out.count("  - ")) == (0, 1, 1)
    assert ran.err == "udist: the files are not compared: not both are container images\n"


def test_indexes_need_a_platform(udist: Udist, layout: Layout) -> None:
    children = [layout.image(platform=f"linux/{each}", listed=False) for each in ("amd64", "arm64")]
    layout.image_index("v1", *children)
    ran = udist("diff", "oci:layout", "oci:layout")
    assert ran.code == 1
    assert "choose an image with --platform: linux/amd64, linux/arm64" in ran.err
    assert udist("diff", "oci:layout", "oci:layout", "--platform", "linux/arm64") == (0, "", "")


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (b"no tar at all" * 100, "no tar archive, or damaged"),
        (BASE[:1500], "no tar archive, or damaged"),
        (Tar().add("../out", b"x").done(), "which leaves the image or is too deep"),
        (Tar().add("a/" * 300 + "b", b"x").done(), "which leaves the image or is too deep"),
        (Tar().add("x", type=tarfile.LNKTYPE, linkname="y").done(), "a hard link to y, which is not there"),
    ],
)
def test_layers_that_are_no_layers(udist: Udist, layout: Layout, layer: bytes, said: str) -> None:
    image(layout, "one", layer)
    image(layout, "two", BASE)
    ran = udist("diff", "oci:layout:two", "oci:layout:one")
    assert ran.code == 1
    assert said in ran.err


def test_a_spoiled_layer(udist: Udist, layout: Layout) -> None:
    found = image(layout, "one", BASE)
    image(layout, "two", TOP)
    layer = json.loads(layout.path(found["digest"]).read_text())["layers"][0]["digest"]
    content = bytearray(layout.path(layer).read_bytes())
    content[4] ^= 1  # gzip's own date
    layout.path(layer).write_bytes(content)
    ran = udist("diff", "oci:layout:two", "oci:layout:one", "--json")
    assert (ran.code, json.loads(ran.err)["errors"][0]["code"]) == (1, "DIGEST_INVALID")


def test_a_bomb(udist: Udist, layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.images.rootfs.content.FREE", 1 << 20)
    image(layout, "one", BASE)
    image(layout, "bomb", Tar().add("zeros", bytes(30 << 20)).done())
    ran = udist("diff", "oci:layout:one", "oci:layout:bomb")
    assert "unpacks to more than 200 times its size" in ran.err


def test_memory_does_not_grow_with_the_layers(layout: Layout, work: Path) -> None:
    """A file of 300 MB in a plain tar, and one that is its like but for the last byte."""
    for name, last in (("one", b"1"), ("two", b"2")):
        layer = layout.blob(Tar().add("big", bytes(300_000_000) + last).done(), OCI_LAYER_TAR)
        config = layout.blob(json.dumps({"os": "linux", "architecture": "amd64"}).encode(), OCI_CONFIG)
        manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
        layout.add(layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST), name)
    script = (
        "import resource, sys\n"
        "from udist_plugin.cli.running import run\n"
        "code = run(['diff', 'oci:layout:one', 'oci:layout:two', '--no-files' if sys.argv[1:] else '-q'])\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        "sys.exit(code)\n"
    )
    peaks = []
    for words in (["without"], []):
        ran = subprocess.run(
            [sys.executable, "-c", script, *words], capture_output=True, text=True, timeout=120, check=True
        )
        peaks.append(int(ran.stderr))
    assert "  ~ /big  content" in ran.stdout
    assert peaks[1] - peaks[0] < 20_000  # kB
