"""What skopeo, podman and buildah of today are made of: go.podman.io/image.

Debian's are too old to read ``CONTAINERS_REGISTRIES_CONF``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.gateway.layout import blobs_of, digest_in, make_layout
from tests.gateway.users import users_and_schemes
from tests.tools import require_tool, run_tool
from tests.workers import folder, once

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.udist import Home

IMAGE = "docker://udist.localhost/demo/app:v1"
TAGS: Final = "containers_image_openpgp,exclude_graphdriver_btrfs,exclude_graphdriver_devicemapper"
"""As in ``tests/clients/test_go_image.py``, so that packages are compiled once."""

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="session")
def imagecopy() -> str:
    """A program that copies as ``skopeo copy`` does."""
    require_tool("go")
    program = str(folder() / "imagecopy")
    source = Path(__file__).parent / "containers"
    build = ("go", "build", "-p", "2", "-tags", TAGS, "-o", program, ".")
    environment = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false"}
    once("imagecopy", lambda: run_tool(*build, cwd=source, timeout=900, **environment))
    return program


@users_and_schemes
def test_an_image_comes_back(
    user: Callable[[Home], None], options: tuple[str, ...], imagecopy: str, home: Home, tmp_path: Path
) -> None:
    user(home)
    digest = make_layout(tmp_path / "layout")
    home.succeed(imagecopy, "oci:layout:v1", IMAGE, options=options, cwd=tmp_path)
    home.succeed(imagecopy, IMAGE, "oci:pulled:v1", options=options, cwd=tmp_path)
    assert digest_in(tmp_path / "pulled") == digest
    assert blobs_of(tmp_path / "pulled") == blobs_of(tmp_path / "layout")


def test_a_library_that_does_not_read_the_auth_file_finds_dockers(
    imagecopy: str, home: Home, tmp_path: Path
) -> None:
    make_layout(tmp_path / "layout")
    home.succeed("env", "-u", "REGISTRY_AUTH_FILE", imagecopy, "oci:layout:v1", IMAGE, cwd=tmp_path)
