"""Pulls blobs through a cold cache, beside distribution v3 as one: ``python tests/bench/proxy.py``.

The upstream is a server that sends a file and counts how often. Both caches begin with an empty store on a
memory file system in each round, and take turns. distribution is reached over loopback HTTP, the plugin over
its pipes; the caller reads and drops what comes. Processor time is that of the cache and the caller, the
upstream in the same process included.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.files import processor_time
from tests.bench.rows import Row, add_json_option, report, speed
from tests.bench.servers import distribution
from tests.bench.store import make_blob, workspace
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Pull = Callable[[], int]

NAME = "bench/blob"
PIECE = 1 << 20
CALLERS = 20


class Upstream:
    """Serves the file ``path`` as the blob ``digest``. ``fetches`` counts its GETs."""

    def __init__(self, path: Path, digest: str) -> None:
        self.fetches = 0
        self.digest = digest
        upstream, size = self, path.stat().st_size

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_HEAD(self) -> None:
                self.begin()

            def do_GET(self) -> None:
                if self.begin():
                    upstream.fetches += 1
                    with path.open("rb") as file:
                        self.connection.sendfile(file)

            def begin(self) -> bool:
                is_blob = self.path.endswith(digest)
                self.send_response(200)
                self.send_header("content-length", str(size if is_blob else 0))
                self.send_header("content-type", "application/octet-stream")
                self.end_headers()
                return is_blob

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A cache that is ended closes its connections."""

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


class Measured(NamedTuple):
    """Seconds, seconds of processor time, and how often the upstream was asked for the blob."""

    seconds: float
    processor: float
    fetches: int


@contextmanager
def stock(configured: dict[str, object], folder: Path, digest: str) -> Iterator[tuple[int, Pull]]:
    from tests.storage.stock import running

    config = folder / "config.yml"
    config.write_text(json.dumps({**configured, "http": {"addr": "127.0.0.1:0"}, "log": {"level": "info"}}))
    with running(str(distribution()), config) as server:

        def pull() -> int:
            connection = HTTPConnection(server.address)
            connection.request("GET", f"/v2/{NAME}/blobs/{digest}")
            with connection.getresponse() as response:
                return drained(response.readinto)

        yield server.pid, pull


@contextmanager
def udist(configured: dict[str, object], _: Path, digest: str) -> Iterator[tuple[int, Pull]]:
    with Plugin(configured, {}) as plugin:

        def pull() -> int:
            with plugin.request("GET", f"/v2/{NAME}/blobs/{digest}") as response:
                return drained(response.readinto)

        yield plugin.pid, pull


def drained(readinto: Callable[[memoryview], int]) -> int:
    """How many bytes there were."""
    buffer, size = memoryview(bytearray(PIECE)), 0
    while count := readinto(buffer):
        size += count
    return size


def measure(
    kind: Callable[..., object], upstream: Upstream, folder: Path, size: int, callers: int
) -> Measured:
    store = folder / "store"
    configured = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(store)}},
        "proxy": {"remoteurl": upstream.url},
    }
    with kind(configured, folder, upstream.digest) as (pid, pull), ThreadPoolExecutor(callers) as pool:  # type: ignore[attr-defined]
        upstream.fetches = 0
        before, began = processor_time(pid), time.perf_counter()
        pulled = list(pool.map(lambda _: pull(), range(callers)))
        taken = time.perf_counter() - began, processor_time(pid) - before
        assert pulled == [size] * callers
        fetches = upstream.fetches
    shutil.rmtree(store)
    return Measured(*taken, fetches)


def rows(what: str, measured: Sequence[Sequence[Measured]], size: int, bar: float) -> list[Row]:
    ours, theirs = (
        Measured(*(statistics.median(column) for column in zip(*each, strict=True))) for each in measured
    )
    return [
        Row(
            what,
            speed(size, ours.seconds),
            speed(size, theirs.seconds),
            theirs.seconds / ours.seconds,
            f"≥ {bar}",
            ours.processor / theirs.processor,
        ),
        Row(f"{what}: fetches", f"{ours.fetches:.0f}", f"{theirs.fetches:.0f}", bar="1 here"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller blobs and fewer rounds")
    add_json_option(parser)
    options = parser.parse_args()
    large, rounds = (256 << 20, 3) if options.quick else (1 << 30, 5)
    found = []
    with workspace() as folder:
        for what, size, callers, bar in (
            (f"one caller of {large >> 20} MiB", large, 1, 1.5),
            (f"{CALLERS} callers of {large >> 23} MiB", large >> 3, CALLERS, 2.0),
        ):
            path = folder / "blob"
            upstream = Upstream(path, make_blob(path, size))
            measured = [
                [measure(kind, upstream, folder, size, callers) for kind in (udist, stock)]
                for _ in range(rounds)
            ]
            found += rows(what, list(zip(*measured, strict=True)), size * callers, bar)
            os.unlink(path)
    report(f"Python {sys.version.split()[0]}, cold caches", found, options.json)


if __name__ == "__main__":
    main()
