"""Measures the plugin beside what bounds it, in one run: ``python tests/bench/run.py``.

Each figure is the median of several rounds, and what is compared takes turns within them. The bars are
those the project holds itself to; ``--quick`` moves less.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import percentile
from tests.bench.raw_pipe import RawPipe
from tests.bench.rows import MIB, Row, add_json_option, mebibytes, microseconds, milliseconds, report, speed
from tests.bench.store import make_blob, make_tags, peak_memory, pull, push, spawn, workspace
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

BUFFER = 256 << 10
ROUNDS = 7
STREAMS = 64


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def take_turns(*works: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """The median of each, after a round that does not count."""
    results = [[work() for work in works] for _ in range(rounds + 1)][1:]
    return [statistics.median(column) for column in zip(*results, strict=True)]


def bulk(folder: Path, size: int) -> list[Row]:
    blob = folder / "blob"
    digest = make_blob(blob, size)
    buffer = bytearray(BUFFER)
    piece = memoryview(bytearray(MIB))

    def raw() -> float:
        pipe = RawPipe(blob)
        return timed(lambda: pipe.read(buffer))

    def sha256() -> float:
        running = hashlib.sha256()

        def work() -> None:
            for _ in range(size // MIB):
                running.update(piece)

        return timed(work)

    with spawn(folder / "store") as plugin, blob.open("rb", buffering=0) as file:

        def pushing() -> float:
            seconds = timed(lambda: push(plugin, file, digest))
            forget(plugin, folder / "store", digest)
            return seconds

        sha256_seconds, push_seconds = take_turns(sha256, pushing)
        push(plugin, file, digest)
        raw_seconds, pull_seconds = take_turns(raw, lambda: timed(lambda: pull(plugin, digest, buffer)))
    blob.unlink()
    name = f"{size // MIB} MiB"
    return [
        Row(
            f"pull {name}",
            speed(size, pull_seconds),
            f"raw pipe {speed(size, raw_seconds)}",
            raw_seconds / pull_seconds,
            "≥ 0.5",
        ),
        Row(
            f"push {name}",
            speed(size, push_seconds),
            f"sha256 {speed(size, sha256_seconds)}",
            sha256_seconds / push_seconds,
            "≥ 0.6",
        ),
    ]


def forget(plugin: Plugin, root: Path, digest: str) -> None:
    """Takes the blob from its repository and from the store, so that the next push is as the first: one that
    replaces a file pays for freeing it."""
    with plugin.request("DELETE", f"/v2/bench/blob/blobs/{digest}") as response:
        assert response.status == 202, response.status
    hexadecimal = digest.partition(":")[2]
    (root / "docker/registry/v2/blobs/sha256" / hexadecimal[:2] / hexadecimal / "data").unlink()


def small(folder: Path, size: int) -> list[Row]:
    """Small requests: alone, beside 64 responses that nobody reads, and beside a bulk pull."""
    blob = folder / "blob"
    digest = make_blob(blob, size)
    with spawn(folder / "store") as plugin:
        with blob.open("rb", buffering=0) as file:
            push(plugin, file, digest)
        alone = latencies(plugin)
        unread = [plugin.request("GET", f"/v2/bench/blob/blobs/{digest}") for _ in range(STREAMS - 1)]
        beside_unread = latencies(plugin)
        for response in unread:
            response.close()
        stop = threading.Event()

        def pull_on() -> None:
            buffer = bytearray(BUFFER)
            while not stop.is_set():
                pull(plugin, digest, buffer)

        puller = threading.Thread(target=pull_on)
        puller.start()
        beside_bulk = latencies(plugin)
        stop.set()
        puller.join()
    blob.unlink()

    def rows(what: str, times: list[float], bar: str = "") -> list[Row]:
        median = Row(f"{what}, median", microseconds(statistics.median(times)))
        if times is not alone:
            ratio = statistics.median(times) / statistics.median(alone)
            median = median._replace(beside="alone", ratio=ratio, bar=bar)
        return [median, Row(f"{what}, p99", microseconds(percentile(times)))]

    return [
        *rows("HEAD blob, back to back", alone),
        *rows(f"HEAD blob beside {STREAMS - 1} unread pulls", beside_unread, "≤ 2"),
        *rows("HEAD blob beside a bulk pull", beside_bulk),
    ]


def latencies(plugin: Plugin, count: int = 1000) -> list[float]:
    def once() -> None:
        with plugin.request("HEAD", "/v2/bench/blob/blobs/sha256:" + "0" * 64) as response:
            assert response.status == 404

    return [timed(once) for _ in range(count)]


def startup() -> list[Row]:
    """From spawn to the first 200, with the default configuration, beside the bare interpreter."""

    def bare() -> float:
        return timed(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))

    def plugin() -> float:
        start = time.perf_counter()
        with Plugin(None, {}) as spawned, spawned.request("GET", "/v2/") as response:
            assert response.status == 200
            return time.perf_counter() - start

    bare_seconds, plugin_seconds = take_turns(bare, plugin, rounds=21)
    return [
        Row(
            "spawn to the first 200",
            milliseconds(plugin_seconds),
            f"python -c pass {milliseconds(bare_seconds)}",
            plugin_seconds / bare_seconds,
            "≤ 3.5",
        )
    ]


def command(folder: Path) -> Row:
    """``udist ls``, the whole command with its plugin, beside the bare interpreter."""
    make_tags(folder / "store", 10)
    config = folder / "udist.yml"
    config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {folder}/store}}}}\n")
    udist = [str(Path(sysconfig.get_path("scripts"), "udist")), "ls", "--config", str(config)]
    bare = [sys.executable, "-c", "pass"]
    taken = [(ran(bare), ran(udist)) for _ in range(22)][1:]
    bare_seconds, bare_processor = (statistics.median(each[0][i] for each in taken) for i in (0, 1))
    seconds, processor = (statistics.median(each[1][i] for each in taken) for i in (0, 1))
    beside = f"python -c pass {milliseconds(bare_seconds)}"
    figure = milliseconds(seconds)
    return Row("udist ls", figure, beside, seconds / bare_seconds, "≤ 5", processor / bare_processor)


def ran(words: list[str]) -> tuple[float, float]:
    """Runs a command: its seconds, and the processor time of it and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = timed(lambda: subprocess.run(words, check=True, stdout=subprocess.DEVNULL))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def memory(folder: Path, size: int) -> list[Row]:
    rows = []
    with spawn(folder / "store") as plugin:
        with plugin.request("GET", "/v2/") as response:
            response.read()
        rows.append(Row("memory, idle", mebibytes(peak_memory(plugin.pid))))
        sparse = folder / "sparse"
        with sparse.open("wb") as file:
            file.truncate(size)
        with sparse.open("rb", buffering=0) as raw:
            digest = f"sha256:{hashlib.file_digest(raw, 'sha256').hexdigest()}"
            push(plugin, raw, digest)
        assert pull(plugin, digest, bytearray(BUFFER)) == size
        figure = mebibytes(peak_memory(plugin.pid))
        rows.append(Row(f"peak memory, {size // MIB} MiB pushed and pulled", figure, bar="< 64 MiB"))
    sparse.unlink()
    with spawn(folder / "parallel") as plugin:
        at_once(lambda number: one_of_many(plugin, folder, number))
        figure = mebibytes(peak_memory(plugin.pid))
        rows.append(Row(f"peak memory, {STREAMS} pushes, then pulls at once", figure, bar="< 64 MiB"))
    return rows


def one_of_many(plugin: Plugin, folder: Path, number: int) -> None:
    path = folder / f"blob-{number}"
    digest = make_blob(path, 16 * MIB)
    with path.open("rb", buffering=0) as file:
        push(plugin, file, digest, f"bench/{number}")
    path.unlink()
    assert pull(plugin, digest, bytearray(BUFFER), f"bench/{number}") == 16 * MIB


def at_once(work: Callable[[int], None]) -> None:
    """Runs ``work`` on a thread for each stream. Raises the first error."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(work, range(STREAMS)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB instead of 1 GiB and 4 GiB")
    add_json_option(parser)
    arguments = parser.parse_args()
    quick = arguments.quick
    with workspace() as folder, tempfile.TemporaryDirectory() as home:
        import os

        os.environ["XDG_DATA_HOME"] = home
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        rows = [*startup(), command(folder)]
        rows += bulk(folder, (128 if quick else 1024) * MIB)
        rows += small(folder, 128 * MIB)
        rows += memory(folder, (128 if quick else 4096) * MIB)
    title = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, store on {folder.parent}"
    report(title, rows, arguments.json)


if __name__ == "__main__":
    main()
