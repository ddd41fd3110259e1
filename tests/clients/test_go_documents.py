"""The Go programs in the documentation run as typed, with the ``go.mod`` lines given beside them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.clients.go_carrier import write_image, write_module
from tests.documents.reading import REPOSITORY, blocks, documents
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

_PROGRAMS = [
    pytest.param(document, block.text, id=f"{document.relative_to(REPOSITORY)}-{block.section}")
    for document in documents()
    for block in blocks(document)
    if block.language == "go"
]
_TIMEOUT = 900  # seconds: the first build compiles some hundred packages


@pytest.mark.timeout(_TIMEOUT)
@pytest.mark.parametrize(("document", "program"), _PROGRAMS)
def test_program(document: Path, program: str, tmp_path: Path) -> None:
    (tmp_path / "udist").symlink_to(REPOSITORY)
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.go").write_text(program)
    write_module(app, document)
    write_image(app / "image")
    environ = {
        **os.environ,
        "CGO_ENABLED": "0",
        "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin",
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "_CONTAINERS_ROOTLESS_UID": "1000",  # a user's, not root's cache of containers/image
    }
    ran = subprocess.run(
        [require_tool("go"), "run", "-mod=mod", "-tags", "containers_image_openpgp", ".", "oci:image"],
        cwd=app,
        env=environ,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-20_000:]
    assert ran.stdout


def test_every_document_with_programs_is_known() -> None:
    assert {program.values[0] for program in _PROGRAMS} == {
        REPOSITORY / "README.md",
        REPOSITORY / "clients/go/README.md",
    }
