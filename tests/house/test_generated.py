"""The checked-in protobuf code is what the proto says, and its runtime floor what the code asks for."""

from __future__ import annotations

import re
import tomllib

from tests.house.generate import GENERATED, REPOSITORY, generate


def test_checked_in_code_is_current() -> None:
    checked_in = {path.name: path.read_bytes() for path in GENERATED.glob("*_pb2.py*")}
    assert checked_in == generate(), "run: python tests/house/generate.py"


def test_the_runtime_floor_is_the_generated_code_s() -> None:
    """Generated code refuses an older runtime at import, so the floor must be exactly its version."""
    generated = re.search(r"Protobuf Python Version: (\S+)", (GENERATED / "frame_pb2.py").read_text())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert generated is not None
    assert any(wanted.startswith(f"protobuf>={generated[1]},") for wanted in project["dependencies"])
