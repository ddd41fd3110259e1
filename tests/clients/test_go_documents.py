"""The Go programs in the documentation run as typed, with the ``go.mod`` lines given beside them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from tests.documents.reading import REPOSITORY, blocks, documents
from tests.tools import require_tool

if TYPE_CHECKING:
    from pathlib import Path

_EXAMPLES = REPOSITORY / "clients" / "go" / "examples"
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
    """With the versions of ``clients/go/examples`` for other modules, so that no network is needed."""
    (tmp_path / "udist").symlink_to(REPOSITORY)
    app = tmp_path / "app"
    app.mkdir()
    (app / "main.go").write_text(program)
    [lines] = [block.text for block in blocks(document) if block.text.startswith("require (")]
    versions = (_EXAMPLES / "go.mod").read_text()
    [go] = re.findall(r"^go .+$", versions, re.M)
    required = re.findall(r"^\t(\S+ v\S+)", re.sub(r"(?s)^replace \(.*?^\)", "", versions, flags=re.M), re.M)
    others = "\n".join(f"require {each}" for each in required if not each.startswith("udist.dev/"))
    (app / "go.mod").write_text(f"module example.com/app\n\n{go}\n\n{lines}\n{others}\n")
    (app / "go.sum").write_bytes((_EXAMPLES / "go.sum").read_bytes())
    _write_image(app / "image")
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


def _write_image(folder: Path) -> None:
    """An OCI image layout with one image, which has no layers."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def descriptor(kind: str, document: dict[str, object]) -> dict[str, object]:
        content = json.dumps(document).encode()
        digest = sha256(content).hexdigest()
        (blobs / digest).write_bytes(content)
        media_type = f"application/vnd.oci.image.{kind}.v1+json"
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    filesystem = {"type": "layers", "diff_ids": []}
    config = descriptor(
        "config", {"architecture": "amd64", "os": "linux", "rootfs": filesystem, "config": {}}
    )
    manifest = descriptor("manifest", {"schemaVersion": 2, "config": config, "layers": []})
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
