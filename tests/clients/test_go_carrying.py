"""A static Go program that carries its plugin, from the generator to its first copy."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.go_carrier import TIMEOUT, build, write_image
from tests.clients.stand_in import stand_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.timeout(TIMEOUT),
    pytest.mark.skipif(sys.platform != "linux", reason="the stand-in is an ELF file"),
]


def test_a_program_carries_its_plugin(tmp_path: Path) -> None:
    """The README's program for containers/image, without ``UDIST_PLUGIN`` and ``PATH``."""
    program = build(tmp_path, "containers/image", stand_in())
    write_image(tmp_path / "image")
    environ = {
        "HOME": str(tmp_path),
        "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(tmp_path / "store"),
        "_CONTAINERS_ROOTLESS_UID": "1000",  # a user's, not root's cache of containers/image
    }
    command = [str(program), "oci:image"]
    for _ in range(2):
        ran = subprocess.run(
            command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert (ran.returncode, ran.stdout) == (0, "copied oci:image\n"), ran.stderr
        assert ran.stderr == 'time=now level=warning msg="the stand-in"\n'
    [unpacked] = (tmp_path / ".cache" / "udist" / "embedded").glob("*/*")
    assert unpacked.name == "udist-plugin"
    assert unpacked.read_bytes() == stand_in().read_bytes()
    assert (tmp_path / "store" / "docker").is_dir()
