"""Measures a plugin beside a stock registry, for a Node program: ``python tests/bench/node_client.py``.

One program (``node/client.mjs``) speaks to both by ``fetch``: to the plugin by the package's, over standard
streams; to distribution v3 by the platform's, over loopback HTTP. Their stores are on one memory file system,
and they take turns in rounds; figures are medians. Each time has the processor time of client and
registry beside it. Peak memory is that of a process which does nothing but
one kind of transfer over the plugin. The plugin is this Python's, or the one that ``UDIST_PLUGIN`` names.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import PLUGIN, RIVAL, Faster, Result, Sooner
from tests.bench.rows import MIB, Row, add_json_option, mebibytes, report, speed
from tests.bench.servers import VERSION, distribution, listening
from tests.bench.store import make_blob, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CLIENT = Path(__file__).parent / "node" / "client.mjs"
PACKAGE = Path(__file__).parents[2] / "clients" / "node"
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

    def rows(self, measurement: str, kind: Faster | Sooner) -> Iterator[Row]:
        """Of the plugin beside the rival."""
        peers = [{"config": self.config}, {"url": self.rival}]
        printed = self.run(measurement, peers, self.rounds)["results"]
        results = {peer: Result(**result) for peer, result in zip((PLUGIN, RIVAL), printed, strict=True)}
        return kind.rows(measurement, results)

    def peak(self, measurement: str) -> Row:
        peak = self.run(measurement, [{"config": self.config}], 1)["peak"]
        return Row(f"peak memory, {measurement}", mebibytes(peak), bar=f"< {mebibytes(MEMORY)}")


def measurements(size: int) -> dict[str, Faster | Sooner]:
    """By name, each with its bars against distribution v3."""
    return {
        "push": Faster(size, speed, 1.6, 0.6),
        "push from a file": Faster(size, speed, 1.6, 0.6),
        "pull": Faster(size, speed, 2.5, 0.6),
        "manifest": Sooner(0.4, processor=0.6),
    }


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB instead of 1 GiB")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; default 7")
    add_json_option(parser)
    arguments = parser.parse_args()
    subprocess.run(["npm", "run", "--silent", "build"], cwd=PACKAGE, check=True)
    size = (128 if arguments.quick else 1024) * MIB
    with workspace() as folder, listening(folder / "rival", str(distribution())) as rival:
        digest = make_blob(folder / "blob", size)
        config = CONFIG.format(root=folder / "store")
        bench = Bench(config, rival, folder / "blob", size, digest, arguments.rounds)
        push_manifest(config, urlsplit(rival).port or 0, folder)
        rows = [row for each, kind in measurements(size).items() for row in bench.rows(each, kind)]
        rows += [bench.peak(measurement) for measurement in ("push", "pull")]
    node = subprocess.check_output(["node", "--version"], text=True).strip()
    report(f"{os.cpu_count()} cores, Node {node}, distribution {VERSION}", rows, arguments.json)


if __name__ == "__main__":
    main()
