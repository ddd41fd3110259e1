"""A sparse file stays sparse, and every file stays what it is."""

from __future__ import annotations

import io
import os
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.images.placing import create
from udist_plugin.images.pull import pull_artifact
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.images.sparse import BLOCK, SparseFile

if TYPE_CHECKING:
    from pathlib import Path

    from udist_plugin.remote.registry import RemoteRegistry

MIB = 1 << 20


def make_sparse(path: Path) -> None:
    """64 MiB with data at the start and in the middle, and a hole at the end."""
    with path.open("wb") as file:
        file.write(b"start")
        file.seek(32 * MIB + 100)
        file.write(b"middle")
        file.truncate(64 * MIB)
    if path.stat().st_blocks * 512 > MIB:
        pytest.skip("the file system of temporary files has no holes")


def test_a_sparse_file_stays_sparse(
    registry: RemoteRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "disk", tmp_path / "folder/disk"):
        make_sparse(path)
    push_artifact(registry, "demo", [Source.of("disk"), Source.of("folder")], tags=["v1"])
    pull_artifact(registry, "demo", "v1", str(tmp_path / "out"))
    for name in ("disk", "folder/disk"):
        pulled = tmp_path / "out" / name
        assert pulled.read_bytes() == (tmp_path / name).read_bytes()
        assert pulled.stat().st_blocks * 512 < MIB


pieces = st.tuples(st.sampled_from([b"\0", b"x", b"\0x"]), st.integers(1, 3 * BLOCK))


@given(st.lists(pieces, max_size=6), st.sampled_from([1000, BLOCK, BLOCK + 1, 8 * BLOCK]))
def test_whatever_is_written_is_read_back(runs: list[tuple[bytes, int]], chunk: int) -> None:
    content = b"".join(byte * (size // len(byte)) for byte, size in runs)
    source = io.BytesIO(content)
    with tempfile.TemporaryFile() as kept:
        with io.BufferedWriter(SparseFile(os.dup(kept.fileno()))) as out:
            while data := source.read(chunk):
                out.write(memoryview(data))
        kept.seek(0)
        assert kept.read() == content


def test_an_empty_file_is_empty(tmp_path: Path) -> None:
    with create(str(tmp_path / "empty")):
        pass
    assert (tmp_path / "empty").read_bytes() == b""
