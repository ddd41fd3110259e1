"""Generates the checked-in protobuf code of ``clients/node``: ``python -m tests.clients.generate_node``.

It takes what ``npm ci`` has installed there: ``package.json`` names the generator's version.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
NODE: Final = REPOSITORY / "clients" / "node"
GENERATED: Final = NODE / "src" / "wire" / "generated" / "frame_pb.ts"
PROTO: Final = "udist/plugin/v1/frame.proto"


def generate(folder: Path) -> bytes:
    """What the generated file must hold."""
    generator = NODE / "node_modules" / ".bin" / "protoc-gen-es"
    command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto", f"--plugin=protoc-gen-es={generator}"]
    command += [f"--es_out={folder}", "--es_opt=target=ts,import_extension=js", PROTO]
    subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60)
    return (folder / "udist" / "plugin" / "v1" / GENERATED.name).read_bytes()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        GENERATED.write_bytes(generate(Path(temporary)))
