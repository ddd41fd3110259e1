"""Generates the checked-in protobuf code of ``clients/go``: ``python -m tests.clients.generate_go``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
GENERATED: Final = REPOSITORY / "clients" / "go" / "internal" / "pluginv1"
GENERATOR: Final = "google.golang.org/protobuf/cmd/protoc-gen-go"
PROTOS: Final = ("udist/plugin/v1/frame.proto", "udist/plugin/v1/plugin.proto")


def generate(go: str, folder: Path) -> dict[str, bytes]:
    """What the generated files must hold, by name. ``go.mod`` beside it names the generator's version."""
    generator = folder / "protoc-gen-go"
    subprocess.run(
        [go, "build", "-o", str(generator), GENERATOR], cwd=Path(__file__).parent, check=True, timeout=300
    )
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", f"--plugin={generator}"]
    command += [f"--go_out={folder}", "--go_opt=module=udist.dev/plugin/udist", *PROTOS]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60)
    return {path.name: path.read_bytes() for path in (folder / "internal" / "pluginv1").iterdir()}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        for name, content in generate(os.environ.get("GO", "go"), Path(temporary)).items():
            (GENERATED / name).write_bytes(content)
