"""Measures the plugin's gRPC server for a Go caller: ``python tests/bench/grpc_socket.py``.

The program in ``go_grpc/`` hosts the plugin with go-plugin. Beside it are a plain Go server, which streams
messages of the same size from memory, and a bare grpcio server that sends messages back. Peers take turns in
rounds, and figures are medians of these. The plugin is this Python's, or the one that ``UDIST_PLUGIN`` names.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import MIB, Row, add_json_option, mebibytes, microseconds, milliseconds, report, speed
from tests.bench.servers import cache
from tests.bench.store import workspace
from udist_plugin.server.grpc.handshake import COOKIE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    Results = Mapping[str, Mapping[str, Mapping[str, float]]]
    """Seconds and processor seconds, by measurement and peer."""

HERE: Final = Path(__file__).parent
ECHO: Final = [sys.executable, str(HERE / "grpc_echo.py")]
BULK: Final = {"pull": 0.8, "push": 0.9}
"""What part of the Go server's speed is required."""
SMALL: Final = {
    "small": ("GET /v2/", "≤ 1.3"),
    "small-package": ("the same by the Go package", ""),
    "small-16": ("the same, 16 callers", ""),
}
"""What is compared with the echo, and how many times its time it may take."""


class Start(NamedTuple):
    seconds: float
    processor: float


def build() -> Path:
    """The program."""
    program = cache() / "bench-grpc"
    subprocess.run(["go", "build", "-o", program, "."], cwd=HERE / "go_grpc", check=True)
    return program


def run(program: Path, folder: Path, environ: Mapping[str, str], options: Sequence[str]) -> Results:
    """What the program has measured."""
    command = [str(program), f"-folder={folder}", f"-echo={' '.join(ECHO)}", *options]
    results: Results = json.loads(
        subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout
    )
    return results


def zeros(size: int) -> str:
    """The digest of so many."""
    running = hashlib.sha256()
    piece = bytes(MIB)
    for _ in range(size // MIB):
        running.update(piece)
    return f"sha256:{running.hexdigest()}"


def start(command: Sequence[str], environ: Mapping[str, str]) -> tuple[Start, float]:
    """From the spawn to the first line, and what the process has resident then, in bytes."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        process.stdout.readline()
        seconds, processor = time.perf_counter() - began, used(process.pid)
        time.sleep(0.5)  # what is loaded behind the line counts, too
        status = Path(f"/proc/{process.pid}/status").read_text()
        process.terminate()
    resident = int(status.partition("VmRSS:")[2].split()[0]) * 1024
    return Start(seconds, processor), resident


def used(process: int) -> float:
    """Processor seconds of all its threads."""
    threads = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9


def bulk_rows(size: int, results: Results) -> Iterator[Row]:
    for what, bar in BULK.items():
        ours, theirs = results[what]["plugin"], results[what]["go"]
        yield Row(
            f"{what} {mebibytes(size)}",
            speed(size, ours["seconds"]),
            f"Go server {speed(size, theirs['seconds'])}",
            theirs["seconds"] / ours["seconds"],
            f"≥ {bar}",
            ours["processor"] / theirs["processor"],
        )


def small_rows(count: int, results: Results) -> Iterator[Row]:
    for name, (what, bar) in SMALL.items():
        ours, theirs = results[name]["plugin"], results[name]["echo"]
        yield Row(
            what,
            microseconds(ours["seconds"] / count),
            f"bare echo {microseconds(theirs['seconds'] / count)}",
            ours["seconds"] / theirs["seconds"],
            bar,
            ours["processor"] / theirs["processor"],
        )


def start_rows(folder: Path, environ: Mapping[str, str], rounds: int) -> Iterator[Row]:
    plugin = [*environ["UDIST_PLUGIN"].split(), "--grpc"]
    starts: list[tuple[Start, Start]] = []
    resident = 0.0
    for round_ in range(rounds + 2):
        ours, resident = start(plugin, environ)
        theirs, _ = start([*ECHO, str(folder / "start.sock")], environ)
        if round_ > 1:  # the first ones write caches
            starts.append((ours, theirs))
    seconds, bare = (statistics.median(pair[side].seconds for pair in starts) for side in (0, 1))
    processor, bare_processor = (
        statistics.median(pair[side].processor for pair in starts) for side in (0, 1)
    )
    beside = f"bare server {milliseconds(bare)}"
    yield Row(
        "spawn to handshake line",
        milliseconds(seconds),
        beside,
        seconds / bare,
        "≤ 1.4",
        processor / bare_processor,
    )
    yield Row("memory, idle", mebibytes(resident), bar="≤ 60 MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; default 7")
    add_json_option(parser)
    arguments = parser.parse_args()
    size, count = (128 if arguments.quick else 1024) * MIB, 1600
    name, value = COOKIE
    with workspace() as folder:
        environ = {
            "UDIST_PLUGIN": f"{sys.executable} -m udist_plugin",
            **os.environ,
            name: value,
            "PYTHONPATH": str(HERE.parents[1]),
            "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": str(folder / "store"),
            "REGISTRY_LOG_LEVEL": "error",
            "REGISTRY_LOG_ACCESSLOG_DISABLED": "true",
        }
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        options = [
            f"-size={size}",
            f"-digest={zeros(size)}",
            f"-small={count}",
            f"-rounds={arguments.rounds}",
        ]
        results = run(build(), folder, environ, options)
        rows = [*bulk_rows(size, results), *small_rows(count, results)]
        rows += start_rows(folder, environ, arguments.rounds)
    report(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", rows, arguments.json)


if __name__ == "__main__":
    main()
