"""Measures a plugin beside stock registries, for a Go program: ``python tests/bench/go_client.py``.

One client (``go/``) speaks to all peers: to the plugin over its standard streams, to distribution v3 and to
Debian's docker-registry over loopback HTTP. Their stores are on one file system: a memory one, and for small
pushes a real disk. Peers take turns in rounds, and figures are of all rounds together. The bars are those the
project holds itself to, against distribution v3. The plugin is this Python's, or the one that
``UDIST_PLUGIN`` names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.run import MIB, Row, print_table, speed
from tests.bench.store import workspace
from tests.remote.loopback import stock_registry

if TYPE_CHECKING:
    from collections.abc import Callable

    Times = dict[str, dict[str, list[float]]]  # seconds, by measurement and peer

CLIENT = Path(__file__).parent / "go"
DISTRIBUTION = "github.com/distribution/distribution/v3/cmd/registry@v3.1.2"
PLUGIN, RIVAL, DEBIAN = "plugin", "distribution", "debian"
PARALLEL = 64 * 16 * MIB
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
"""


class Bulk(NamedTuple):
    """A transfer of ``size`` bytes, held to a speed of at least ``bar`` times the rival's."""

    size: int
    bar: float

    def row(self, what: str, times: dict[str, list[float]]) -> list[Row]:
        medians = {peer: statistics.median(seconds) for peer, seconds in times.items()}
        figures = {peer: speed(self.size, seconds) for peer, seconds in medians.items()}
        ratio = medians[RIVAL] / medians[PLUGIN]
        return [Row(what, figures[PLUGIN], beside(figures), ratio, f"≥ {self.bar}")]


class Small(NamedTuple):
    """Requests one after the other, held to at most ``median`` or ``p99`` times the rival's time."""

    median: float | None = None
    p99: float | None = None

    def row(self, what: str, times: dict[str, list[float]]) -> list[Row]:
        measures: list[tuple[str, Callable[[list[float]], float], float | None]] = [
            ("median", statistics.median, self.median),
            ("p99", lambda seconds: statistics.quantiles(seconds, n=100)[98], self.p99),
        ]
        rows = []
        for name, measure, bar in measures:
            values = {peer: measure(seconds) for peer, seconds in times.items()}
            figures = {peer: f"{seconds * 1e6:.0f} µs" for peer, seconds in values.items()}
            ratio = values[PLUGIN] / values[RIVAL]
            bound = "" if bar is None else f"≤ {bar}"
            rows.append(Row(f"{what}, {name}", figures[PLUGIN], beside(figures), ratio, bound))
        return rows


def beside(figures: dict[str, str]) -> str:
    return ", ".join(f"{peer} {figures[peer]}" for peer in (RIVAL, DEBIAN))


def measurements(size: int) -> dict[str, Bulk | Small]:
    return {
        "pull": Bulk(size, 2),
        "hashing pull": Bulk(size, 1),
        "push": Bulk(size, 1.5),
        "parallel pulls": Bulk(PARALLEL, 1.3),
        "GET manifest": Small(median=0.4),
        "GET manifest by digest": Small(median=0.4),
        "HEAD blob": Small(median=0.4),
        "HEAD blob beside a pull": Small(p99=1),
        "push manifest": Small(median=1.2),
        "push 4 KiB": Small(median=1.2),
    }


def build() -> tuple[Path, Path]:
    """The client and distribution v3, built into a cache outside the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udist-bench"
    cache.mkdir(parents=True, exist_ok=True)
    client, registry = cache / "bench", cache / "registry"
    subprocess.run(["go", "build", "-o", client, "."], cwd=CLIENT, check=True)
    if not registry.exists():
        subprocess.run(["go", "install", DISTRIBUTION], env={**os.environ, "GOBIN": str(cache)}, check=True)
    return client, registry


def measure(client: Path, registry: Path, folder: Path, options: list[str]) -> Times:
    """One run of the client, with every peer's store in ``folder``."""
    config = folder / "plugin.yml"
    config.write_text(CONFIG.format(root=folder / PLUGIN))
    environ = {"UDIST_PLUGIN": f"{sys.executable} -m udist_plugin", **os.environ, "TMPDIR": str(folder)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with contextlib.ExitStack() as peers:
        rival = peers.enter_context(stock_registry(folder / RIVAL, str(registry)))
        debian = peers.enter_context(stock_registry(folder / DEBIAN))
        command = [
            str(client),
            *options,
            f"{PLUGIN}={config}",
            f"{RIVAL}=http://127.0.0.1:{rival}",
            f"{DEBIAN}=http://127.0.0.1:{debian}",
        ]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
    times: Times = json.loads(done.stdout)
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB instead of 1 GiB")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; default 7")
    parser.add_argument("--run", default="", metavar="REGEXP", help="only measurements that match")
    parser.add_argument(
        "--disk", type=Path, default=Path.cwd(), help="a folder on a real disk; default: this one"
    )
    parser.add_argument(
        "--cpuprofile", metavar="FILE", help="write the client's profile, as go tool pprof reads it"
    )
    arguments = parser.parse_args()
    size = 128 if arguments.quick else 1024
    options = [f"-rounds={arguments.rounds}", f"-run={arguments.run}"]
    profile = [f"-cpuprofile={arguments.cpuprofile}"] if arguments.cpuprofile else []
    programs = build()
    with workspace() as folder:
        times = measure(*programs, folder, [f"-size={size}", *profile, *options])
    folder = Path(tempfile.mkdtemp(prefix="udist-bench-", dir=arguments.disk))
    try:
        times |= measure(*programs, folder, ["-kind=disk", *options])
    finally:
        shutil.rmtree(folder)
    plugin = os.environ.get("UDIST_PLUGIN") or f"Python {sys.version.split()[0]}"
    print(f"{os.cpu_count()} cores, {plugin}, distribution {DISTRIBUTION.rpartition('@')[2]}")
    print_table(
        [
            row
            for what, kind in measurements(size * MIB).items()
            if what in times
            for row in kind.row(what, times[what])
        ]
    )


if __name__ == "__main__":
    main()
