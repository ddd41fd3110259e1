"""Go programs that carry their plugin, built as the README of ``clients/go`` says."""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from tests.clients.generate_go import REPOSITORY
from tests.documents.reading import blocks
from tests.tools import run_tool

if TYPE_CHECKING:
    from pathlib import Path

README: Final = REPOSITORY / "clients" / "go" / "README.md"
TIMEOUT: Final = 900.0  # seconds: the first build compiles some hundred packages

_EXAMPLES: Final = REPOSITORY / "clients" / "go" / "examples"
_GENERATE: Final = ["go", "run", "-mod=mod", "udist.dev/plugin/udist/embedded/cmd/generate"]


def build(folder: Path, section: str, file: Path) -> Path:
    """The program in a section of the README, as a static one that carries ``file`` as its plugin."""
    [source] = [block.text for block in blocks(README) if block.language == "go" and block.section == section]
    (folder / "udist").symlink_to(REPOSITORY)
    app = folder / "app"
    app.mkdir()
    (app / "main.go").write_text(source)
    (app / "plugin.go").write_text('package main\n\nimport _ "example.com/app/internal/udistplugin"\n')
    write_module(app, README)
    run_tool(*_GENERATE, "-from", str(file), "-to", "internal/udistplugin", cwd=app, timeout=TIMEOUT)
    build = ["go", "build", "-mod=mod", "-p", "1", "-tags", "containers_image_openpgp", "-o", "program", "."]
    run_tool(*build, cwd=app, timeout=TIMEOUT, CGO_ENABLED="0")
    return app / "program"


def write_module(app: Path, document: Path) -> None:
    """Writes ``go.mod`` with the document's lines, and for other modules the versions of
    ``clients/go/examples``, so that no network is needed."""
    [lines] = [block.text for block in blocks(document) if block.text.startswith("require (")]
    versions = (_EXAMPLES / "go.mod").read_text()
    [go] = re.findall(r"^go .+$", versions, re.M)
    required = re.findall(r"^\t(\S+ v\S+)", re.sub(r"(?s)^replace \(.*?^\)", "", versions, flags=re.M), re.M)
    others = "\n".join(f"require {each}" for each in required if not each.startswith("udist.dev/"))
    (app / "go.mod").write_text(f"module example.com/app\n\n{go}\n\n{lines}\n{others}\n")
    (app / "go.sum").write_bytes((_EXAMPLES / "go.sum").read_bytes())


def write_image(folder: Path) -> None:
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
