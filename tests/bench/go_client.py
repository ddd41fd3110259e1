"""Measures a plugin beside stock registries, for a Go program: ``python tests/bench/go_client.py``.

One client (``go/``) speaks to all peers: to the plugin over its standard streams, to distribution v3 and to
Debian's docker-registry over loopback HTTP. Their stores are on one file system: a memory one, and for small
pushes a real disk. Peers take turns in rounds, and figures are of all rounds together. Each time has the
processor time of client and registry beside it. The plugin is this Python's, or the one that
``UDIST_PLUGIN`` names.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import DEBIAN, PIPE, PLUGIN, RIVAL, Memory, Result
from tests.bench.go_rows import beside_itself, measurements, memory_rows, with_pipe
from tests.bench.rows import MIB, add_json_option, report
from tests.bench.servers import VERSION, cache, distribution, exec_address, listening
from tests.bench.store import make_tags, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT = Path(__file__).parent / "go"
CONFIG = """\
version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage:
  filesystem: {{rootdirectory: {root}}}
  delete: {{enabled: true}}
"""
PEERS = {"memory": (RIVAL, DEBIAN), "disk": (RIVAL, DEBIAN)}
"""What the plugin is compared with, by kind; with distribution v3 alone if a kind is missing."""


class Report(NamedTuple):
    """What the client printed: results by measurement and peer, memory by peer."""

    times: dict[str, dict[str, Result]]
    memory: dict[str, Memory]


def build() -> Path:
    """The client."""
    client = cache() / "bench"
    subprocess.run(["go", "build", "-o", client, "."], cwd=CLIENT, check=True)
    return client


def run(client: Path, arguments: list[str], folder: Path) -> Report:
    """One run of the client, with its files in ``folder``."""
    environ = {"UDIST_PLUGIN": f"{sys.executable} -m udist_plugin", **os.environ, "TMPDIR": str(folder)}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run([str(client), *arguments], env=environ, stdout=subprocess.PIPE, check=True)
    printed = json.loads(done.stdout)
    return Report(
        {
            what: {peer: Result(**result) for peer, result in results.items()}
            for what, results in printed["times"].items()
        },
        {peer: Memory(**memory) for peer, memory in printed["memory"].items()},
    )


@contextlib.contextmanager
def rivals(kind: str, folder: Path) -> Iterator[list[str]]:
    """The client's arguments for the registries beside the plugin, which run meanwhile."""
    if kind == "start":
        yield [f"{RIVAL}={exec_address(folder / RIVAL, distribution())}"]
        return
    programs = {RIVAL: str(distribution()), DEBIAN: "docker-registry"}
    with contextlib.ExitStack() as stack:
        yield [
            f"{peer}={stack.enter_context(listening(folder / peer, programs[peer]))}"
            for peer in PEERS.get(kind, (RIVAL,))
        ]


def measure(client: Path, kind: str, folder: Path, options: list[str]) -> Report:
    """Measures what is for a ``kind`` of store, with every peer's store in ``folder``."""
    config = folder / "plugin.yml"
    config.write_text(CONFIG.format(root=folder / PLUGIN))
    plugins = [f"{PLUGIN}={config}"]
    if kind == "memory":
        piped = folder / "pipe.yml"
        piped.write_text(CONFIG.format(root=folder / PIPE))
        plugins.append(f"{PIPE}=pipe:{piped}")
    elif kind == "unread":
        plugins = [f"{PLUGIN}=pipe:{config}"]
    with rivals(kind, folder) as others:
        return run(client, [f"-kind={kind}", *options, *plugins, *others], folder)


@contextlib.contextmanager
def stores(kind: str, arguments: argparse.Namespace) -> Iterator[Path]:
    """A folder for the stores, on the file system that ``kind`` is about."""
    if kind in ("disk", "shared"):
        folder = Path(tempfile.mkdtemp(prefix="udist-bench-", dir=getattr(arguments, kind)))
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
        return
    with workspace() as folder:
        if kind == "lists":
            make_tags(folder / "listed", 10_000 if arguments.quick else 100_000)
            for peer in (PLUGIN, RIVAL):
                (folder / peer).symlink_to("listed")
        yield folder


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB, list 10,000 tags")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count; default 7")
    parser.add_argument("--run", default="", metavar="REGEXP", help="only measurements that match")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=("memory", "unread", "start", "lists", "disk", "shared"),
        help="only what is for these kinds of stores",
    )
    parser.add_argument(
        "--disk", type=Path, default=Path.cwd(), help="a folder on a real disk; default: this one"
    )
    parser.add_argument("--shared", type=Path, help="a folder on a file system whose files can share extents")
    parser.add_argument(
        "--cpuprofile", metavar="FILE", help="write the client's profile, as go tool pprof reads it"
    )
    add_json_option(parser)
    return parser.parse_args()


def main() -> None:
    arguments = parse()
    kinds = arguments.kinds or ["memory", "unread", "start", "lists", "disk"]
    if arguments.shared and "shared" not in kinds:
        kinds.append("shared")
    size = 128 if arguments.quick else 1024
    client = build()
    done = {}
    for kind in kinds:
        options = [
            f"-rounds={arguments.rounds}",
            f"-size={16 if kind == 'unread' else size}",
            f"-run={arguments.run or ('tags' if kind == 'lists' else '')}",
        ]
        if kind == "memory" and arguments.cpuprofile:
            options.append(f"-cpuprofile={arguments.cpuprofile}")
        with stores(kind, arguments) as folder:
            done[kind] = measure(client, kind, folder, options)
    times = with_pipe({what: results for each in done.values() for what, results in each.times.items()})
    rows = [
        row
        for what, kind_of in measurements(size * MIB).items()
        if what in times
        for row in kind_of.rows(what, times[what])
    ]
    rows += beside_itself(times, size * MIB)
    rows += memory_rows({kind: each.memory for kind, each in done.items() if each.memory})
    plugin = os.environ.get("UDIST_PLUGIN") or f"Python {sys.version.split()[0]}"
    report(f"{os.cpu_count()} cores, {plugin}, distribution {VERSION}", rows, arguments.json)


if __name__ == "__main__":
    main()
