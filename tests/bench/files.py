"""Measures content in files beside the same over the pipes: ``python tests/bench/files.py``.

Figures are processor time, of the caller and the plugin together, in seconds for each GiB: the difference of
a large and a small blob, so that heads and set-up drop out. The two ways take turns. ``--folder`` names a
folder on another file system; one that can share extents copies nothing where that suffices.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import Row, add_json_option, report
from tests.bench.store import make_blob, pull, push, spawn, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.client.plugin import Plugin

GIB = 1 << 30
BUFFER = 256 << 10
ROUNDS = 5


class Blob(NamedTuple):
    path: Path
    digest: str


def pull_and_hash(plugin: Plugin, blob: Blob) -> None:
    buffer, running = memoryview(bytearray(BUFFER)), hashlib.sha256()
    with plugin.request("GET", f"/v2/bench/blob/blobs/{blob.digest}") as response:
        while count := response.readinto(buffer):
            running.update(buffer[:count])
    assert f"sha256:{running.hexdigest()}" == blob.digest


def pull_into_file(plugin: Plugin, blob: Blob) -> None:
    target = blob.path.with_suffix(".copy")
    with plugin.request("GET", f"/v2/bench/blob/blobs/{blob.digest}") as response, target.open("wb") as out:
        assert response.copy_to(out) == blob.path.stat().st_size
    target.unlink()


def push_from_file(plugin: Plugin, blob: Blob) -> None:
    with blob.path.open("rb", buffering=0) as file:
        push(plugin, file, blob.digest)


WORKS: dict[str, Callable[[Plugin, Blob], object]] = {
    "pull, only read": lambda plugin, blob: pull(plugin, blob.digest, bytearray(BUFFER)),
    "pull, hashed": pull_and_hash,
    "pull into a file": pull_into_file,
    "push from a file": push_from_file,
}


def processor_time(pid: int) -> float:
    """Seconds of this process and of ``pid``, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = time.process_time()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(work: Callable[[Plugin, Blob], object], plugin: Plugin, small: Blob, large: Blob) -> float:
    """Seconds of processor time for a GiB more."""
    taken = []
    for blob in (small, large):
        before = processor_time(plugin.pid)
        work(plugin, blob)
        taken.append(processor_time(plugin.pid) - before)
    more = large.path.stat().st_size - small.path.stat().st_size
    return (taken[1] - taken[0]) * GIB / more


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="move 256 MiB instead of 1 GiB")
    parser.add_argument("--folder", help="where the store and the files are")
    add_json_option(parser)
    options = parser.parse_args()
    with ExitStack() as stack:
        if options.folder:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.folder)))
        else:
            folder = stack.enter_context(workspace())
        blobs = []
        for name, size in (("small", GIB // 64), ("large", GIB // 4 if options.quick else GIB)):
            path = folder / name
            blobs.append(Blob(path, make_blob(path, size)))
        plugins = [stack.enter_context(spawn(folder / "store", files=files)) for files in (False, True)]
        for blob in blobs:
            push_from_file(plugins[0], blob)
        rows = [row(what, work, plugins, blobs) for what, work in WORKS.items()]
    report(f"Python {sys.version.split()[0]}, store in {folder.parent}", rows, options.json)


def row(
    what: str, work: Callable[[Plugin, Blob], object], plugins: Sequence[Plugin], blobs: Sequence[Blob]
) -> Row:
    rounds = [[measure(work, plugin, *blobs) for plugin in plugins] for _ in range(ROUNDS)]
    pipe, files = (max(0.0, statistics.median(column)) for column in zip(*rounds, strict=True))
    return Row(what, f"{files:.2f} s/GiB", f"pipe {pipe:.2f} s/GiB", processor=files / pipe)


if __name__ == "__main__":
    main()
