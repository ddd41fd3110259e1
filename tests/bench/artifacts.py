"""Pushes and pulls artifacts by ``udist`` and by oras in turn: ``python tests/bench/artifacts.py``.

oras talks to docker-registry on loopback. Each has its default concurrency; both stores and all files are on
one disk. Each round begins with empty stores, and a process's whole time counts, its plugin's too. The bar is
half of oras's time. ``artifacts.py 1000x4K 2x1G`` measures other files.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.rows import MIB, Row, add_json_option, report
from tests.bench.run import timed
from tests.remote.loopback import stock_registry
from tests.tools import require_tool

UDIST = [sys.executable, "-m", "udist_plugin.cli.main"]
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
TIMEOUT = 1800


class Case(NamedTuple):
    """``files`` of ``size`` bytes each; ``text`` is how they were asked for."""

    text: str
    files: int
    size: int


class Times(NamedTuple):
    """Seconds."""

    push: float
    pull: float


def case(text: str) -> Case:
    """``COUNTxSIZE``, with a unit of 1024: ``8x256M``."""
    matched = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)([KMG]?)", text, re.ASCII)
    if not matched:
        raise argparse.ArgumentTypeError(f"{text!r} is not COUNTxSIZE, such as 8x256M")
    return Case(text, int(matched[1]), int(matched[2]) * UNITS[matched[3]])


def make_files(folder: Path, count: int, size: int) -> list[str]:
    """Files that do not compress, each with content of its own; their names."""
    folder.mkdir()
    names = [f"{number:05}" for number in range(count)]
    piece = os.urandom(MIB)
    for number, name in enumerate(names):
        with (folder / name).open("wb") as file:
            for start in range(0, size, MIB):
                label = f"{number:08x}{start:016x}".encode()
                file.write((label + piece)[: min(MIB, size - start)])
    return names


def ran(command: list[str], folder: Path) -> float:
    """The seconds that ``command`` takes in ``folder``."""
    os.sync()  # what was written before is not to be paid for here
    return timed(
        lambda: subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=TIMEOUT)
    )


def of_udist(folder: Path, files: Path, names: list[str]) -> Times:
    with TemporaryDirectory(dir=folder) as name:
        root = Path(name)
        config = root / "udist.yml"
        config.write_text(f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {root}/store}}}}\n")
        with_config = ["--config", str(config)]
        pushed = ran([*UDIST, "push", "bench/files:v1", *names, *with_config], files)
        pulled = ran([*UDIST, "pull", "bench/files:v1", "-o", "out", *with_config], root)
        assert len(list((root / "out").iterdir())) == len(names)
    return Times(pushed, pulled)


def of_oras(folder: Path, files: Path, names: list[str]) -> Times:
    oras = require_tool("oras")
    with TemporaryDirectory(dir=folder) as name, stock_registry(Path(name, "store")) as port:
        root = Path(name)
        reference = f"localhost:{port}/bench/files:v1"
        pushed = ran([oras, "push", "--plain-http", reference, *names], files)
        pulled = ran([oras, "pull", "--plain-http", reference, "-o", str(root / "out")], root)
        assert len(list((root / "out").iterdir())) == len(names)
    return Times(pushed, pulled)


def compare(folder: Path, each: Case, rounds: int) -> list[Row]:
    """The medians of pushes and pulls."""
    files = folder / "files"
    names = make_files(files, each.files, each.size)
    peers = [of_udist, of_oras]
    results: dict[object, list[Times]] = {peer: [] for peer in peers}
    for number in range(rounds):  # the one that comes second finds memory that the first has just freed
        for peer in peers[:: -1 if number % 2 else 1]:
            results[peer].append(peer(folder, files, names))
    shutil.rmtree(files)
    rows = []
    for column, verb in enumerate(Times._fields):
        ours, theirs = (statistics.median(each[column] for each in results[peer]) for peer in peers)
        rows.append(
            Row(f"{verb} {each.text}", f"{ours:.2f} s", f"oras {theirs:.2f} s", ours / theirs, "≤ 0.5")
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", type=case, metavar="COUNTxSIZE", help="default: 5000x1K 8x256M")
    parser.add_argument("--rounds", type=int, default=4, help="an even number is fair (4)")
    parser.add_argument("--folder", help="where the disk is (default: the system's temporary folder)")
    add_json_option(parser)
    arguments = parser.parse_args()
    cases = arguments.cases or [case("5000x1K"), case("8x256M")]
    with TemporaryDirectory(prefix="udist-bench-", dir=arguments.folder) as name:
        rows = [row for each in cases for row in compare(Path(name), each, arguments.rounds)]
    report(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}", rows, arguments.json)


if __name__ == "__main__":
    main()
