"""``udist exec`` beside distribution v3 on loopback, with crane: ``python tests/bench/gateway.py``.

An image of 1 GiB in four layers is pushed and pulled, store and image on a memory file system; 64 blobs are
pulled at once. What is compared takes turns; each figure is the median of several rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import PLUGIN, RIVAL, Faster, Result, compared
from tests.bench.rows import MIB, Row, add_json_option, mebibytes, milliseconds, report, speed
from tests.bench.servers import distribution
from tests.bench.store import make_blob, peak_memory, workspace
from tests.remote.loopback import stock_process
from tests.tools import require_tool
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

UDIST = [str(Path(sysconfig.get_path("scripts"), "udist")), "exec"]
STREAMS = 64
LAYERS = 4
PART = 16 * MIB
BUFFER = 256 << 10


class Peer(NamedTuple):
    """A registry that runs: its address, its processes, and what a client finds in its environment."""

    address: str
    processes: list[int]
    environ: dict[str, str]
    fields: dict[str, str]


@contextmanager
def gateway(root: Path) -> Iterator[Peer]:
    """The gateway, with its owner: a command that waits."""
    config = root.parent / "udist.yml"
    config.write_text(json.dumps({"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(root)}}}))
    script = "cat $DOCKER_CONFIG/../lock; echo; env -0; read line"
    command = [*UDIST, "--config", str(config), "--", "sh", "-c", script]
    with subprocess.Popen(command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        said = b""
        while b"UDIST_REGISTRY=" not in said or not said.endswith(b"\0"):
            said += os.read(process.stdout.fileno(), 1 << 16)
        environ = dict(pair.split("=", 1) for pair in said.decode().split("\0") if "=" in pair)
        login = environ["UDIST_URL"].removeprefix("http://").rpartition("@")[0]
        fields = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        yield Peer(environ["UDIST_REGISTRY"], [process.pid, pid], environ, fields)
        process.communicate(b"\n")


@contextmanager
def rival(root: Path) -> Iterator[Peer]:
    with stock_process(root, str(distribution())) as stock:
        yield Peer(f"127.0.0.1:{stock.port}", [stock.pid], dict(os.environ), {})


PEERS: dict[str, Callable[[Path], AbstractContextManager[Peer]]] = {PLUGIN: gateway, RIVAL: rival}


def make_image(folder: Path, size: int) -> list[str]:
    """A layout of an image of ``LAYERS`` layers that do not compress; their digests."""
    place = folder / "blobs" / "sha256"
    place.mkdir(parents=True)
    layers: list[dict[str, object]] = []
    diff_ids: list[str] = []
    for number in range(LAYERS):
        path = folder / f"layer{number}"
        digest = make_blob(path, size // LAYERS)
        path.rename(place / digest.removeprefix("sha256:"))
        layers.append({"digest": digest, "size": size // LAYERS})
        diff_ids.append(digest)
    media_type = "application/vnd.oci.image.{}"
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type.format("manifest.v1+json"),
        "config": document(place, media_type.format("config.v1+json"), config),
        "layers": [{"mediaType": media_type.format("layer.v1.tar"), **layer} for layer in layers],
    }
    entry = document(place, media_type.format("manifest.v1+json"), manifest)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return diff_ids


def document(place: Path, media_type: str, value: object) -> dict[str, object]:
    content = json.dumps(value).encode()
    name = hashlib.sha256(content).hexdigest()
    (place / name).write_bytes(content)
    return {"mediaType": media_type, "digest": f"sha256:{name}", "size": len(content)}


def taken(peer: Peer, work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and the processor time of the registry and of what ``work`` has waited for."""
    before, start = processor(peer), time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    return seconds, processor(peer) - before


def processor(peer: Peer) -> float:
    ticks = 0
    for pid in peer.processes:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    children, own = (resource.getrusage(who) for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF))
    client = sum(usage.ru_utime + usage.ru_stime for usage in (children, own))
    return ticks / os.sysconf("SC_CLK_TCK") + client


def crane(peer: Peer, *words: str) -> None:
    subprocess.run([require_tool("crane"), *words], env=peer.environ, check=True, capture_output=True)


def pull_at_once(peer: Peer, digests: list[str]) -> None:
    host, _, port = peer.address.partition(":")

    def pull(number: int) -> None:
        connection = http.client.HTTPConnection(host, int(port))
        target = f"/v2/bench/image/blobs/{digests[number % len(digests)]}"
        fields = peer.fields | {"Range": f"bytes=0-{PART - 1}"}
        connection.request("GET", target, headers=fields)
        response = connection.getresponse()
        buffer, length = bytearray(BUFFER), 0
        while count := response.readinto(buffer):
            length += count
        assert length == PART
        connection.close()

    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(pull, range(STREAMS)))


def transfers(folder: Path, size: int, rounds: int) -> Iterator[Row]:
    image = folder / "image"
    digests = make_image(image, size)
    times: dict[str, dict[str, list[tuple[float, float]]]] = {}
    peaks = dict.fromkeys(PEERS, 0.0)
    for number in range(rounds + 1):
        for name, start in PEERS.items():
            root = folder / f"store-{name}"
            with start(root) as peer:
                target = f"{peer.address}/bench/image:v1"
                for what, work in {
                    "push": partial(crane, peer, "push", str(image), target),
                    "pull": partial(crane, peer, "pull", target, os.devnull),
                    "parallel pulls": partial(pull_at_once, peer, digests),
                }.items():
                    result = taken(peer, work)
                    if number:
                        times.setdefault(what, {}).setdefault(name, []).append(result)
                peaks[name] = max(peaks[name], sum(map(peak_memory, peer.processes)))
            shutil.rmtree(root)
    for what, bar in {
        "push": Faster(size, speed, 1.15, 1),
        "pull": Faster(size, speed, 1.15, 1),
        "parallel pulls": Faster(STREAMS * PART, speed, 1, 1),
    }.items():
        yield from bar.rows(f"{what} through the gateway", results(times[what]))
    yield compared("peak memory of gateway and owner", peaks, mebibytes)._replace(bar="≤ 1")


def results(times: Mapping[str, list[tuple[float, float]]]) -> dict[str, Result]:
    return {
        peer: Result([seconds for seconds, _ in each], [spent for _, spent in each])
        for peer, each in times.items()
    }


def start_up(rounds: int) -> Row:
    """``udist exec -- true``, the whole command, beside a plugin's start to its first response."""

    def command() -> None:
        subprocess.run([*UDIST, "--", "true"], check=True)

    def plugin() -> None:
        with Plugin(None, {}) as spawned, spawned.request("GET", "/v2/") as response:
            assert response.status == 200

    spent: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds + 1):
        for name, work in (("exec", command), ("plugin", plugin)):
            result = taken(Peer("", [], {}, {}), work)
            if number:
                spent.setdefault(name, []).append(result)
    seconds, processor_time = (
        {name: statistics.median(pair[i] for pair in each) for name, each in spent.items()} for i in (0, 1)
    )
    return Row(
        "udist exec -- true",
        milliseconds(seconds["exec"]),
        f"plugin to its first 200 {milliseconds(seconds['plugin'])}",
        seconds["exec"] / seconds["plugin"],
        "≤ 2",
        processor_time["exec"] / processor_time["plugin"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 256 MiB instead of 1 GiB, in fewer rounds")
    add_json_option(parser)
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with workspace() as folder:
        os.environ["XDG_DATA_HOME"] = str(folder / "data")
        rows = [start_up(5 if arguments.quick else 21)]
        size, rounds = (256 * MIB, 3) if arguments.quick else (1024 * MIB, 5)
        rows += transfers(folder, size, rounds)
    title = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, store on {folder.parent}"
    report(title, rows, arguments.json)


if __name__ == "__main__":
    main()
