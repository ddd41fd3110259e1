"""Measures ``udist du`` and ``udist scrub`` on large stores: ``python tests/bench/upkeep.py``.

Each run is a process of its own, with the time that its processor worked and the most memory it held. Stores
are written as files, without a registry. ``du`` only looks at the data of layers, so there it is empty.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import Row, add_json_option, mebibytes, microseconds, report
from tests.storage.samples import image
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.leases import Lease

MEMORY = 256
"""MiB that a run may take."""


class Shape(NamedTuple):
    """How a store is divided. Each repository has as many of the images, or with ``shared`` all of them. Each
    image has ``tags``, and ``blobs`` of its own: itself, its configuration and its layers. With ``owners``,
    these have leases on each tag in turn."""

    repositories: int = 1
    shared: bool = False
    blobs: int = 10
    tags: int = 1
    owners: int = 0


SHAPES = {
    "one repository": Shape(),
    "10,000 repositories": Shape(10_000),
    "all shared by 20 repositories": Shape(20, shared=True, blobs=100),
    "three tags an image": Shape(tags=3),
    "100 repositories, 10,000 owners": Shape(100, owners=10_000),
}


class Maker:
    """Writes a store below ``root``, whose layers are empty files unless they are ``whole``."""

    def __init__(self, root: Path, *, whole: bool = False) -> None:
        self._root = str(root)
        self._whole = whole
        self._empty = f"{root}/empty"
        Path(self._empty).touch()

    def fill(self, shape: Shape, blobs: int) -> None:
        lease = 0
        for number in range(blobs // shape.blobs):
            layers = [b"layer %d of image %d" % (each, number) for each in range(shape.blobs - 1)]
            for layer in layers:
                self._layer(layer)
            document = image(*layers[1:], config=layers[0])
            self._write(paths.blob_data(document.digest), document.content)
            link = self._new(f"links/{number}", document.digest.encode())
            names = range(shape.repositories) if shape.shared else [number % shape.repositories]
            for name in (f"team/app{each}" for each in names):
                self._link(link, paths.link(paths.revision(name, document.digest)))
                for tag in (f"v{number}.{each}" for each in range(shape.tags)):
                    self._link(link, paths.tag_current(name, tag))
                    if shape.owners:
                        lease += 1
                        self._link(link, Lease(f"owner{lease % shape.owners}", name, tag).path())
                if self._whole:
                    for layer in layers:
                        digest = Digest.of(layer)
                        self._write(paths.link(paths.layer(name, digest)), digest.encode())
            os.unlink(link)

    def _layer(self, content: bytes) -> None:
        path = paths.blob_data(Digest.of(content))
        if self._whole:
            self._write(path, content)
        else:
            try:
                self._link(self._empty, path)
            except OSError:  # a file has so many links at most
                os.unlink(self._empty)
                Path(self._empty).touch()
                self._link(self._empty, path)

    def _new(self, path: str, content: bytes) -> str:
        self._write(f"/{path}", content)
        return f"{self._root}/{path}"

    def _write(self, path: str, content: bytes) -> None:
        os.makedirs(f"{self._root}{path.rpartition('/')[0]}", exist_ok=True)
        Path(f"{self._root}{path}").write_bytes(content)

    def _link(self, source: str, path: str) -> None:
        os.makedirs(f"{self._root}{path.rpartition('/')[0]}", exist_ok=True)
        os.link(source, f"{self._root}{path}")


def run(root: Path, *words: str) -> tuple[float, int]:
    """A command on a store: its processor time in seconds, and the most that it had resident, in bytes."""
    environ = {**os.environ, "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(root)}
    process = subprocess.Popen(
        [sys.executable, "-m", "udist_plugin.cli.main", *words], env=environ, stdout=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"udist {' '.join(words)} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss << 10


def measured(folder: Path, command: str, shape: str, blobs: int) -> Row:
    with TemporaryDirectory(prefix="udist-bench-", dir=folder) as name:
        Maker(Path(name), whole=command == "scrub").fill(SHAPES[shape], blobs)
        seconds, peak = run(Path(name), command)
    what = f"`{command}`, {shape}"
    return Row(what, mebibytes(peak), f"{microseconds(seconds / blobs)} a blob", bar=f"≤ {MEMORY} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blobs", type=int, default=1_000_000)
    parser.add_argument("--scrubbed", type=int, default=100_000, help="blobs of the store that is scrubbed")
    parser.add_argument("--shapes", nargs="*", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--folder", type=Path, default=Path("/dev/shm"), help="with 3 million free inodes")
    add_json_option(parser)
    arguments = parser.parse_args()
    rows = [measured(arguments.folder, "du", shape, arguments.blobs) for shape in arguments.shapes]
    rows += [measured(arguments.folder, "scrub", "one repository", arguments.scrubbed)]
    report(f"{arguments.blobs:,} blobs for du, {arguments.scrubbed:,} for scrub", rows, arguments.json)


if __name__ == "__main__":
    main()
