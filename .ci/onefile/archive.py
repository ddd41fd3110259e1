"""The file: the launcher, the tree as an archive, an index for later starts, and a trailer, all of which
``launcher/carried.go`` reads."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from typing import TYPE_CHECKING

from interpreter import binaries

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"udist/onefile/1\n"
LOADER = "lib/loader"
STARTS = ("start.pyc", "lib/modules")
WINDOW = 25
"""Logarithm: 32 MiB, which the launcher keeps in memory at a first start."""


def write_file(target: Path, launcher: bytes, tree: Path, level: int) -> None:
    archive = _compressed(_tar(tree), level)
    index = json.dumps(_index(tree), sort_keys=True).encode()
    lengths = len(archive).to_bytes(8, "big") + len(index).to_bytes(8, "big")
    target.parent.mkdir(parents=True, exist_ok=True)
    trailer = lengths + hashlib.sha256(archive).digest() + MAGIC
    target.write_bytes(launcher + archive + index + trailer)
    target.chmod(0o755)


def _tar(tree: Path) -> bytes:
    """Holds nothing of who built it, when or where."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(tree.rglob("*"), key=_order):
            entry = tarfile.TarInfo(str(path.relative_to(tree)))
            entry.mode = 0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644
            if path.is_dir():
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = path.stat().st_size
                with path.open("rb") as file:
                    archive.addfile(entry, file)
    return buffer.getvalue()


def _order(path: Path) -> tuple[bool, str, Path]:
    """Folders before what is in them; files of a kind together, which compresses them better."""
    return path.is_file(), path.suffix if path.is_file() else "", path


def _compressed(content: bytes, level: int) -> bytes:
    parameter = zstd.CompressionParameter
    options: dict[int, int] = {
        parameter.compression_level: level,
        parameter.window_log: WINDOW,
        parameter.checksum_flag: 0,
        parameter.nb_workers: 0,  # the same bytes on every machine
    }
    return zstd.compress(content, options=options)


def _index(tree: Path) -> dict[str, object]:
    mapped = [*binaries(tree), *(tree / name for name in STARTS)]
    sizes = {str(path.relative_to(tree)): path.stat().st_size for path in mapped}
    return {"python": "bin/python", "loader": LOADER if LOADER in sizes else "", "sizes": sizes}
