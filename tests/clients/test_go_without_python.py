"""A static Go program that carries the single file ``udist``, in a root without Python."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.empty_root import run_in
from tests.clients.go_carrier import TIMEOUT, build, write_image
from tests.onefile.building import built
from tests.workers import folder, once

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(TIMEOUT),
    pytest.mark.skipif(sys.platform != "linux", reason="namespaces"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with the README's program for containers/image, which copies an image into a folder."""
    place = folder() / "go-carrying"

    def build_once() -> None:
        place.mkdir()
        build(place, "containers/image", built())

    once("go-carrying", build_once)
    shutil.copy(place / "app" / "program", tmp_path / "program")
    write_image(tmp_path / "image")
    return tmp_path


@pytest.mark.parametrize(
    ("options", "warning"),
    [("mode=700", ""), ("mode=700,noexec", "it runs from memory"), ("mode=700,ro", "it runs from memory")],
    ids=["writable", "noexec", "read-only"],
)
def test_a_copy_in_an_empty_root(root: Path, options: str, warning: str) -> None:
    done = run_in(
        root,
        *("/program", "oci:/image"),
        mounts={"home": options},
        HOME="/home",
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="/store",
    )
    assert done.returncode == 0, done.stdout
    assert done.stdout.endswith("copied oci:/image\n")
    assert warning in done.stdout
    assert warning or done.stdout == "copied oci:/image\n"
    assert (root / "store/docker/registry/v2/repositories/demo/app/_manifests/tags/v1/current/link").is_file()
