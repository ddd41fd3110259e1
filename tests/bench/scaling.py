"""Measures how time and memory grow with sizes and numbers: ``python tests/bench/scaling.py``.

For each size there is a new plugin, whose store is on a memory file system, and whose content goes over the
pipes. Each piece of work is repeated; the charts show the median of its time, and the plugin's peak memory.
They go into a folder as ``scaling-*.svg``, with the figures in ``scaling.json``.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import statistics
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.plot import chart, page
from tests.bench.run import timed
from tests.bench.store import (
    make_layers,
    make_repositories,
    make_tags,
    peak_memory,
    pull,
    push,
    spawn,
    workspace,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.client.plugin import Plugin

    Work = Callable[[], object]
    Works = Callable[[Plugin, Path, int], Mapping[str, Work]]

SECONDS = 1.0
"""How long work is repeated, and at least three times."""

MOST = 1000
"""Repetitions at most."""

ABSENT = "/v2/bench/blob/blobs/sha256:" + "0" * 64
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Point(NamedTuple):
    size: int
    seconds: float
    memory: int
    """In bytes."""


def ask(plugin: Plugin, target: str, status: int = 200, method: str = "GET") -> bytes:
    with plugin.request(method, target) as response:
        assert response.status == status, (target, response.status)
        return response.read()


def blob_size(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    path = folder / "blob"
    with path.open("w+b") as file:
        file.truncate(size)
        digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"

    def push_it() -> None:
        with path.open("rb", buffering=0) as file:
            push(plugin, file, digest)

    return {"push": push_it, "pull": lambda: pull(plugin, digest, bytearray(256 << 10))}


def streams(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    """A request beside responses that nobody reads."""
    path = folder / "blob"
    path.write_bytes(bytes(16 << 20))
    digest = f"sha256:{hashlib.sha256(bytes(16 << 20)).hexdigest()}"
    with path.open("rb", buffering=0) as file:
        push(plugin, file, digest)
    unread = [plugin.request("GET", f"/v2/bench/blob/blobs/{digest}") for _ in range(size - 1)]

    def head() -> None:
        assert len(unread) == size - 1
        ask(plugin, ABSENT, 404, "HEAD")

    return {"HEAD blob": head}


def tags(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    make_tags(folder / "store", size)
    target = "/v2/listed/tags/list"
    return {"whole list": lambda: ask(plugin, target), "page of 10": lambda: ask(plugin, f"{target}?n=10")}


def repositories(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    make_repositories(folder / "store", size)

    def everything() -> None:
        target, count = "/v2/_catalog?n=1000", 0
        while target:
            with plugin.request("GET", target) as response:
                count += len(json.loads(response.read())["repositories"])
                target = (response.header("link") or "").partition("<")[2].partition(">")[0]
        assert count == size, count

    return {"whole list": everything, "page of 10": lambda: ask(plugin, "/v2/_catalog?n=10")}


def layers(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    config, *descriptors = make_layers(folder / "store", "bench/layers", size + 1)
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": descriptors}
    content = json.dumps(manifest).encode()
    target = "/v2/bench/layers/manifests/latest"

    def push_it() -> None:
        with plugin.request("PUT", target, [("content-type", MANIFEST)], content) as response:
            assert response.status == 201, (response.status, response.read())

    return {"push": push_it, "pull": lambda: ask(plugin, target)}


def callers(plugin: Plugin, folder: Path, size: int) -> Mapping[str, Work]:
    """They share a thousand requests."""
    pool = ThreadPoolExecutor(size)
    work = functools.partial(ask, plugin, ABSENT, 404)
    return {"1,000 requests": lambda: [each.result() for each in [pool.submit(work) for _ in range(1000)]]}


class Dimension(NamedTuple):
    label: str
    unit: str
    sizes: tuple[int, ...]
    works: Works


DIMENSIONS = {
    "blob-size": Dimension(
        "bytes of a blob", "B", tuple(1 << power for power in (10, 13, 16, 19, 22, 25, 28, 31, 33)), blob_size
    ),
    "streams": Dimension("streams", "", (1, 4, 16, 64, 256, 1024), streams),
    "tags": Dimension("tags", "", (10, 100, 1000, 10_000, 100_000), tags),
    "repositories": Dimension("repositories", "", (10, 100, 1000, 10_000, 100_000), repositories),
    "layers": Dimension("layers of a manifest", "", (1, 10, 100, 1000, 10_000), layers),
    "callers": Dimension("callers", "", (1, 4, 16, 64, 256), callers),
}


def measure(dimension: Dimension, most: int) -> dict[str, list[Point]]:
    """The points of each piece of work."""
    lines: dict[str, list[Point]] = {}
    for size in dimension.sizes:
        if size > most:
            break
        with workspace() as folder, spawn(folder / "store") as plugin:
            for name, work in dimension.works(plugin, folder, size).items():
                lines.setdefault(name, []).append(Point(size, *repeated(plugin, work)))
    return lines


def repeated(plugin: Plugin, work: Work) -> tuple[float, int]:
    """The median of the seconds that ``work`` takes, and the plugin's memory at its peak."""
    work()  # to warm up
    Path(f"/proc/{plugin.pid}/clear_refs").write_text("5")  # resets the peak
    times: list[float] = []
    while len(times) < 3 or (sum(times) < SECONDS and len(times) < MOST):
        times.append(timed(work))
    return statistics.median(times), peak_memory(plugin.pid)


def drawn(title: str, dimension: Dimension, lines: Mapping[str, list[Point]]) -> str:
    across = dimension.label, dimension.unit
    seconds = {name: [(point.size, point.seconds) for point in line] for name, line in lines.items()}
    memory = {name: [(point.size, float(point.memory)) for point in line] for name, line in lines.items()}
    return page(
        [
            chart(f"{title}: time", across, ("", "s"), seconds),
            chart(f"{title}: the plugin's memory", across, ("", "B"), memory),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=DIMENSIONS, default=DIMENSIONS, help="default: all")
    parser.add_argument("--most", type=int, default=1 << 33, help="leave out larger sizes")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="where the files go; default: here")
    arguments = parser.parse_args()
    file = arguments.folder / "scaling.json"
    results = json.loads(file.read_text()) if file.exists() else {}
    for name in arguments.only:
        lines = measure(DIMENSIONS[name], arguments.most)
        title = name.replace("-", " ").capitalize()
        (arguments.folder / f"scaling-{name}.svg").write_text(drawn(title, DIMENSIONS[name], lines))
        results[name] = {what: [point._asdict() for point in line] for what, line in lines.items()}
        file.write_text(json.dumps(results, indent=1))
        print(f"{name}: {arguments.folder / f'scaling-{name}.svg'}")


if __name__ == "__main__":
    main()
