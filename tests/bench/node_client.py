"""Measures a plugin beside a stock registry, for a Node program: ``python tests/bench/node_client.py``.

One program (``node/client.mjs``) speaks to both by ``fetch``: to the plugin by the package's, over standard
streams; to distribution v3 by the platform's, over loopback HTTP. Their stores are on one memory file system,
and they take turns in rounds; figures are medians. Peak memory is that of a process which does nothing but
one kind of transfer over the plugin. The plugin is this Python's, or the one that ``UDIST_PLUGIN`` names.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.run import MIB, Row, print_table, speed
from tests.bench.store import make_blob, workspace
from tests.remote.loopback import stock_registry

if TYPE_CHECKING:
    from collections.abc import Sequence

CLIENT = Path(__file__).parent / "node" / "client.mjs"
PACKAGE = Path(__file__).parents[2] / "clients" / "node"
DISTRIBUTION = "github.com/distribution/distribution/v3/cmd/registry@v3.1.2"
CONFIG = "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root}}}}}\n"
MEMORY = 150 * MIB
REQUESTS = 500
"""In each round."""


class Bench(NamedTuple):
    """Two peers, and what they move."""

    config: str
    rival: str
    blob: Path
    size: int
    digest: str
    rounds: int

    def run(self, measurement: str, peers: Sequence[dict[str, str]], rounds: int) -> dict[str, Any]:
        options = {
            "library": str(PACKAGE / "dist" / "index.js"),
            "peers": peers,
            "measurement": measurement,
            "rounds": rounds,
            "file": str(self.blob),
            "size": self.size,
            "digest": self.digest,
            "count": REQUESTS,
        }
        environ = {"UDIST_PLUGIN": f"{sys.executable} -m udist_plugin", **os.environ}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        command = ["node", str(CLIENT), json.dumps(options)]
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True)
        result: dict[str, Any] = json.loads(done.stdout)
        return result

    def beside(self, measurement: str) -> tuple[float, float]:
        """Seconds of the plugin and of the rival."""
        peers = [{"config": self.config}, {"url": self.rival}]
        plugin, rival = self.run(measurement, peers, self.rounds)["times"]
        return statistics.median(plugin) / 1000, statistics.median(rival) / 1000

    def bulk(self, measurement: str, bar: float) -> list[Row]:
        plugin, rival = self.beside(measurement)
        peak = self.run(measurement, [{"config": self.config}], 1)["peak"]
        name = f"{measurement} {self.size // MIB} MiB"
        beside = f"distribution {speed(self.size, rival)}"
        return [
            Row(name, speed(self.size, plugin), beside, rival / plugin, f"≥ {bar}"),
            Row(f"{name}, peak memory of the process", f"{peak / MIB:.0f} MiB", bar=f"< {MEMORY // MIB} MiB"),
        ]

    def small(self) -> Row:
        plugin, rival = self.beside("manifest")
        figures = f"{plugin * 1e6:.0f} µs", f"distribution {rival * 1e6:.0f} µs"
        return Row("GET manifest, median", *figures, plugin / rival, "≤ 0.5")


def push_manifest(config: str, port: int, folder: Path) -> None:
    """The same small artifact for both."""
    from tests.remote.loopback import LoopbackTransport
    from udist_plugin import Plugin
    from udist_plugin.images.push import Source, push_artifact
    from udist_plugin.remote.registry import RemoteRegistry

    note = folder / "note.txt"
    note.write_text("to be read often\n")
    with Plugin(config, {}) as plugin:
        for transport in (plugin, LoopbackTransport(port)):
            push_artifact(RemoteRegistry(transport), "bench/blob", [Source.of(str(note))], tags=["v1"])


def registry() -> Path:
    """distribution v3, built into a cache outside the repository."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udist-bench"
    if not (cache / "registry").exists():
        subprocess.run(["go", "install", DISTRIBUTION], env={**os.environ, "GOBIN": str(cache)}, check=True)
    return cache / "registry"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB instead of 1 GiB")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; default 7")
    arguments = parser.parse_args()
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, check=True)
    size = (128 if arguments.quick else 1024) * MIB
    with workspace() as folder, stock_registry(folder / "rival", str(registry())) as port:
        digest = make_blob(folder / "blob", size)
        config = CONFIG.format(root=folder / "store")
        rival = f"http://127.0.0.1:{port}"
        bench = Bench(config, rival, folder / "blob", size, digest, arguments.rounds)
        push_manifest(config, port, folder)
        rows = [*bench.bulk("push", 1.2), *bench.bulk("pull", 2), bench.small()]
    node = subprocess.check_output(["node", "--version"], text=True).strip()
    print(f"{os.cpu_count()} cores, Node {node}, distribution {DISTRIBUTION.rpartition('@')[2]}")
    print_table(rows)


if __name__ == "__main__":
    main()
