"""Measures ``udist gc`` beside distribution v3's ``garbage-collect``, both as dry runs, on one store:
``python tests/bench/collection.py``.

First on a file system, then, at a smaller size, on MinIO, with the requests to it. In each case the collector
runs again after a small change, when it remembers a run with ``--apply``. Last a plugin pushes while another
process collects garbage over and over. The bars are those the project holds itself to.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import PLUGIN, RIVAL, Result, Sooner
from tests.bench.object_store import client_of, configuration, minio
from tests.bench.rows import Row, add_json_option, mebibytes, rate, report
from tests.bench.servers import VERSION, distribution
from tests.bench.store import MEMORY_FILE_SYSTEM
from tests.bench.synthetic import Image, image, layers, store, write_files, write_objects
from tests.drivers.s3.fault_proxy import fault_proxy
from tests.storage.samples import push_image
from udist_plugin.client.plugin import Plugin
from udist_plugin.oci.digest import Digest
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOBS, MANIFESTS = 1_000_000, 100_000
QUICK = 20
"""What a quick run divides them by."""
IN_BUCKET_OF = 50
"""What the numbers are divided by in a bucket."""
MEMORY = 256
"""MiB at the peak."""
PUSHES = 300


class Run(NamedTuple):
    """What a program took: seconds, seconds of processor time, and bytes at the peak."""

    seconds: float
    processor: float
    peak: int


def timed(command: list[str]) -> Run:
    begun = time.perf_counter()
    environ = {**os.environ, "OTEL_TRACES_EXPORTER": "none"}
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        assert process.returncode == 0, output.read()[-2000:]
    processor = usage.ru_utime + usage.ru_stime
    return Run(time.perf_counter() - begun, processor, usage.ru_maxrss << 10)


def result(runs: list[Run]) -> Result:
    return Result([run.seconds for run in runs], [run.processor for run in runs])


def seconds(value: float) -> str:
    return f"{value:.1f} s"


class Collectors:
    """Both on one store, which ``config`` describes."""

    def __init__(self, config: dict[str, Any], path: Path) -> None:
        self._path = path
        self._path.write_text(json.dumps(config))

    def udist(self, *options: str) -> Run:
        return timed(
            [sys.executable, "-m", "udist_plugin.cli.main", "gc", "--config", str(self._path), *options]
        )

    def rival(self) -> Run:
        return timed([str(distribution()), "garbage-collect", "--dry-run", str(self._path)])


def compare(collectors: Collectors, change: Callable[[], object], where: str, rounds: int) -> Iterator[Row]:
    """Rows of marking, of marking again after ``change``, and of memory."""
    bars = {"file system": 0.5, "MinIO": 0.2}
    runs: dict[str, list[Run]] = {PLUGIN: [], RIVAL: []}
    for _ in range(rounds):
        runs[PLUGIN].append(collectors.udist())
        runs[RIVAL].append(collectors.rival())
    results = {peer: result(each) for peer, each in runs.items()}
    yield from Sooner(bars[where], show=seconds).rows(f"mark, {where}", results)
    collectors.udist("--apply")
    time.sleep(3)  # a folder's time is believed when the clock has moved on
    change()
    again = [collectors.udist() for _ in range(rounds)]
    first, second = min(runs[PLUGIN]), min(again)
    yield Row(
        f"mark again, {where}",
        seconds(second.seconds),
        f"the first time {seconds(first.seconds)}",
        second.seconds / first.seconds,
        "≤ 0.1",
        second.processor / first.processor,
    )
    peak = max(run.peak for run in runs[PLUGIN] + again)
    beside = f"distribution {mebibytes(max(run.peak for run in runs[RIVAL]))}"
    yield Row(f"peak memory, {where}", mebibytes(peak), beside, bar=f"≤ {MEMORY} MiB")


def change(config: dict[str, Any], changed: Image) -> None:
    """Pushes an image, and deletes another."""
    with Plugin(json.dumps(config), {}) as plugin:
        registry = RemoteRegistry(plugin)
        push_image(registry, changed.repository, b"a layer that is new", tags=["new"])
        registry.delete_manifest(changed.repository, Digest(changed.digest))


def beside_pushes(config: dict[str, Any], collectors: Collectors, rounds: int) -> Row:
    """Pushes with and without a collector that runs over and over."""
    speeds: dict[bool, list[float]] = {False: [], True: []}
    with Plugin(json.dumps(config), {}) as plugin:
        registry = RemoteRegistry(plugin)
        for number in range(2 * rounds):
            collecting = bool(number % 2)
            with collected(collectors) if collecting else contextlib.nullcontext():
                begun = time.perf_counter()
                for each in range(PUSHES):
                    content = [f"round {number}, image {each}, layer {layer}".encode() for layer in range(4)]
                    push_image(registry, "pushed/meanwhile", *content, tags=["latest"])
                speeds[collecting].append(PUSHES / (time.perf_counter() - begun))
    alone, beside = (max(speeds[collecting]) for collecting in (False, True))
    return Row(
        "push images beside a collector", rate(beside, 1), f"alone {rate(alone, 1)}", beside / alone, "≥ 0.8"
    )


@contextlib.contextmanager
def collected(collectors: Collectors) -> Iterator[None]:
    """Collects garbage until the context ends, each time from scratch."""
    done = threading.Event()

    def collect() -> None:
        while not done.is_set():
            collectors.udist()

    with ThreadPoolExecutor(1) as pool:
        collecting = pool.submit(collect)
        try:
            yield
        finally:
            done.set()
            collecting.result()


def in_folder(folder: Path, blobs: int, manifests: int, rounds: int) -> Iterator[Row]:
    root = folder / "store"
    write_files(root, store(blobs, manifests))
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(root)}, "delete": {"enabled": True}},
    }
    collectors = Collectors(config, folder / "folder.yml")
    changed = image(0, layers(blobs, manifests))
    yield beside_pushes(config, collectors, rounds)
    yield from compare(collectors, lambda: change(config, changed), "file system", rounds)


def in_bucket(folder: Path, blobs: int, manifests: int, rounds: int) -> Iterator[Row]:
    with minio(folder / "minio") as url, fault_proxy(url) as (proxy, faults):
        write_objects(client_of(url), PLUGIN, store(blobs, manifests))
        config = configuration(url, PLUGIN)
        counted = Collectors(configuration(proxy, PLUGIN), folder / "counted.yml")

        def count(collect: Callable[[], object]) -> str:
            faults.requests.clear()
            collect()
            return kinds(faults.requests)

        rival = f"distribution {count(counted.rival)}"
        yield Row("requests, MinIO", count(counted.udist), rival)
        collectors = Collectors(config, folder / "bucket.yml")
        yield from compare(
            collectors, lambda: change(config, image(0, layers(blobs, manifests))), "MinIO", rounds
        )
        yield Row("requests again, MinIO", count(counted.udist), rival)


def kinds(requests: list[str]) -> str:
    """How many there were of each kind."""
    kind = Counter("LIST" if "list-type=2" in each else each.partition(" ")[0] for each in requests)
    return ", ".join(f"{count} {name}" for name, count in sorted(kind.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"a store of a {QUICK}th of the size")
    parser.add_argument("--rounds", type=int, default=2, help="rounds that count; default 2")
    parser.add_argument("--blobs", type=int, default=BLOBS, help=f"blobs; default {BLOBS}")
    parser.add_argument("--manifests", type=int, default=MANIFESTS, help=f"manifests; default {MANIFESTS}")
    parser.add_argument("--folder", help="where the store is made; default: a memory file system")
    add_json_option(parser)
    arguments = parser.parse_args()
    scale = QUICK if arguments.quick else 1
    blobs, manifests = arguments.blobs // scale, arguments.manifests // scale
    parent = arguments.folder or (MEMORY_FILE_SYSTEM if os.path.isdir(MEMORY_FILE_SYSTEM) else None)
    with tempfile.TemporaryDirectory(prefix="udist-bench-", dir=parent) as folder:
        rows = list(in_folder(Path(folder), blobs, manifests, arguments.rounds))
        rows += in_bucket(Path(folder), blobs // IN_BUCKET_OF, manifests // IN_BUCKET_OF, arguments.rounds)
    title = f"{blobs} blobs, {manifests} manifests; {os.cpu_count()} cores, distribution {VERSION}"
    report(title, rows, arguments.json)


if __name__ == "__main__":
    main()
