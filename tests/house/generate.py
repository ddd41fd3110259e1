"""Generates the checked-in protobuf code: ``python tests/house/generate.py``.

``protoc`` puts a module into the proto's folder; ours stand flat in ``wire/generated/``, so the one import of
another is rewritten. The descriptors keep the protos' names.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
PROTOS = ("udist/plugin/v1/frame.proto", "udist/plugin/v1/plugin.proto")
GENERATED = REPOSITORY / "udist_plugin" / "wire" / "generated"


def generate() -> dict[str, bytes]:
    """What the generated files must hold, by file name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "grpc_tools.protoc", "-Iproto"]
        command += [f"--python_out={folder}", f"--pyi_out={folder}", *PROTOS]
        subprocess.run(command, cwd=REPOSITORY, check=True, timeout=60)
        package = b"from udist_plugin.wire.generated import"
        return {
            path.name: path.read_bytes().replace(b"from udist.plugin.v1 import", package)
            for path in Path(folder).rglob("*_pb2.py*")
        }


if __name__ == "__main__":
    for name, content in generate().items():
        (GENERATED / name).write_bytes(content)
