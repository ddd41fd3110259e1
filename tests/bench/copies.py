"""Copies an image from a layout into a store, out again, and from one store to another, by ``udist copy`` and
by oras, crane, regctl and skopeo in turn: ``python tests/bench/copies.py``.

The others talk to distribution over loopback. Files and stores are on one memory file system. A process's
whole time counts, its plugins' and, as processor time, the registry's too. The image has 20 layers of
``--size`` MiB together. "bare" is this process, which only reads, hashes and writes the files, with a thread
for each processor.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import MIB, Row, add_json_option, report
from tests.bench.run import timed
from tests.images.sample import Layout
from tests.remote.loopback import Stock, stock_process
from tests.tools import require_tool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

UDIST = [sys.executable, "-m", "udist_plugin.cli.main", "copy", "-q", "--insecure-policy"]
LAYERS = 20
TIMEOUT = 600
STEPS = {"in": 1.8, "in again": 0.5, "out": 1.8, "from store to store": 2.0}
"""What is measured, and how much faster than the fastest of the others it has to be."""

BARE = "bare"
"""What takes the place of the first step."""

REGCTL = "regctl --host reg={one_host},tls=disabled --host reg={two_host},tls=disabled image copy"
SKOPEO = "skopeo --insecure-policy copy -q --preserve-digests"
OTHERS = {
    "oras": (
        "oras cp --no-tty --from-oci-layout layout:v1 --to-plain-http {one}",
        "oras cp --no-tty --from-plain-http {one} --to-oci-layout out:v1",
        "oras cp --no-tty --from-plain-http {one} --to-plain-http {two}",
    ),
    "crane": (
        "crane push --insecure layout {one}",
        "crane pull --insecure --format=oci {one} out",
        "crane copy --insecure {one} {two}",
    ),
    "regctl": (
        f"{REGCTL} ocidir://layout:v1 {{one}}",
        f"{REGCTL} {{one}} ocidir://out:v1",
        f"{REGCTL} {{one}} {{two}}",
    ),
    "skopeo": (
        f"{SKOPEO} --dest-tls-verify=false oci:layout:v1 docker://{{one}}",
        f"{SKOPEO} --src-tls-verify=false docker://{{one}} oci:out:v1",
        f"{SKOPEO} --src-tls-verify=false --dest-tls-verify=false docker://{{one}} docker://{{two}}",
    ),
}


class Time(NamedTuple):
    """Seconds by the clock, and of the processor."""

    wall: float
    processor: float


class Measure:
    """Runs commands in ``folder``; ``registries`` work for them."""

    def __init__(self, folder: Path, registries: Sequence[Stock] = ()) -> None:
        self._folder = folder
        self._registries = registries

    def __call__(self, words: Sequence[str]) -> Time:
        before = self._processor()
        wall = timed(
            lambda: subprocess.run(
                words,
                cwd=self._folder,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=TIMEOUT,
            )
        )
        return Time(wall, self._processor() - before)

    def _processor(self) -> float:
        times = os.times()
        fields = (
            Path(f"/proc/{each.pid}/stat").read_text().rpartition(")")[2].split() for each in self._registries
        )
        ticks = sum(int(each[11]) + int(each[12]) for each in fields)
        return times.children_user + times.children_system + ticks / os.sysconf("SC_CLK_TCK")


def steps(
    run: Callable[[Sequence[str]], Time], into: Sequence[str], out: Sequence[str], across: Sequence[str]
) -> list[Time]:
    return [run(into), run(into), run(out), run(across)]


def of_udist(folder: Path) -> list[Time]:
    for name in ("one", "two"):
        (folder / f"{name}.yml").write_text(
            f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {name}}}}}\n"
        )
    one = ["--config", "one.yml"]
    return steps(
        Measure(folder),
        [*UDIST, "oci:layout:v1", "udist:bench:v1", *one],
        [*UDIST, "udist:bench:v1", "oci:out:v1", *one],
        [*UDIST, "udist:bench:v1", "udist:bench:v1", *one, "--dest-config", "two.yml"],
    )


def of_other(name: str, folder: Path) -> list[Time]:
    require_tool(name)
    with ExitStack() as stack:
        one, two = (stack.enter_context(stock_process(folder / each, "registry")) for each in ("one", "two"))
        hosts = {"one": f"localhost:{one.port}", "two": f"localhost:{two.port}"}
        names = {
            **{key: f"{host}/bench:v1" for key, host in hosts.items()},
            **{f"{key}_host": host for key, host in hosts.items()},
        }
        commands = (command.format(**names).split() for command in OTHERS[name])
        return steps(Measure(folder, [one, two]), *commands)


def of_bare(folder: Path) -> list[Time]:
    """Copies the layout's files to ``one``."""
    (folder / "one").mkdir()

    def copy(source: Path) -> None:
        running = hashlib.sha256()
        buffer = memoryview(bytearray(MIB))
        target = folder / "one" / source.name
        with source.open("rb", buffering=0) as file, target.open("wb", buffering=0) as copied:
            while count := file.readinto(buffer):
                copied.write(buffer[:count])
                running.update(buffer[:count])
        assert running.hexdigest() == source.name

    def copy_all() -> None:
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            list(threads.map(copy, (folder / "layout/blobs/sha256").iterdir()))

    before = os.times()
    wall = timed(copy_all)
    after = os.times()
    return [Time(wall, after.user + after.system - before.user - before.system)]


def rounds(folder: Path, count: int) -> dict[str, list[Time]]:
    """The medians of each step."""
    results: dict[str, list[list[Time]]] = {name: [] for name in ("udist", BARE, *OTHERS)}
    ours = {"udist": of_udist, BARE: of_bare}
    for _ in range(count):
        for name, found in results.items():
            found.append(ours[name](folder) if name in ours else of_other(name, folder))
            for left in ("one", "two", "out"):
                shutil.rmtree(folder / left, ignore_errors=True)
    return {
        name: [
            Time(*(statistics.median(values) for values in zip(*step, strict=True)))
            for step in zip(*found, strict=True)
        ]
        for name, found in results.items()
    }


def compared(times: dict[str, list[Time]]) -> list[Row]:
    rows = []
    for number, (step, bar) in enumerate(STEPS.items()):
        ours = times["udist"][number]
        others = {name: times[name][number] for name in OTHERS}
        fastest = min(others, key=lambda name: others[name].wall)
        least = min(other.processor for other in others.values())
        rows.append(
            Row(
                step,
                f"{ours.wall:.2f} s",
                f"{fastest} {others[fastest].wall:.2f} s",
                others[fastest].wall / ours.wall,
                f"≥ {bar}",
                least / ours.processor,
            )
        )
    ours, bare = times["udist"][0], times[BARE][0]
    beside = f"{BARE} {bare.wall:.2f} s"
    processor = ours.processor / bare.processor
    rows.append(Row("in", f"{ours.wall:.2f} s", beside, ours.wall / bare.wall, "≤ 1.25", processor, "≤ 1.25"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2048, metavar="MIB", help="of all layers together (2048)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default="/dev/shm", help="a memory file system (/dev/shm)")
    add_json_option(parser)
    arguments = parser.parse_args()
    with TemporaryDirectory(prefix="udist-bench-", dir=arguments.folder) as name:
        folder = Path(name)
        size = arguments.size * MIB // LAYERS
        Layout(folder / "layout").image("v1", layers=[os.urandom(size) for _ in range(LAYERS)])
        rows = compared(rounds(folder, arguments.rounds))
    report(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", rows, arguments.json)


if __name__ == "__main__":
    main()
