"""Small requests under access control, beside distribution v3 on loopback with the same configuration:
``python tests/bench/access.py``.

A locked plugin and a server answer HEAD of a manifest to one caller in Python, on a connection that stays
open: without access control, with a token that was used before, and with a password (bcrypt's cost is 10).
They take turns; the figures are those of single requests.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import bcrypt

from tests.bench.comparison import PLUGIN, RIVAL, Result, Sooner
from tests.bench.gateway import Peer, processor
from tests.bench.rows import add_json_option, report
from tests.bench.servers import distribution
from tests.bench.store import LAYOUT, write
from tests.drivers.processes import free_port
from tests.http_api.access import issuer
from tests.http_api.images import CONFIG, image
from tests.remote.loopback import wait_for
from udist_plugin.client.plugin import Plugin
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

TARGET = "/v2/bench/app/manifests/v1"
PASSWORD = "secret"
BAR = Sooner(0.5)


class Case(NamedTuple):
    """Access control, the credentials for it, and how many requests a round makes."""

    auth: dict[str, Any]
    fields: dict[str, str]
    requests: int


@contextmanager
def plugin(config: Path) -> Iterator[tuple[Peer, Callable[[dict[str, str]], int]]]:
    command = [sys.executable, "-m", "udist_plugin.cli.plugin", "--config", str(config), "--locked"]
    with Plugin(command=command) as spawned:

        def head(fields: dict[str, str]) -> int:
            with spawned.request("HEAD", TARGET, [(k.lower(), v) for k, v in fields.items()]) as response:
                return response.status

        yield Peer("", [spawned.pid], {}, {}), head


@contextmanager
def server(config: Path) -> Iterator[tuple[Peer, Callable[[dict[str, str]], int]]]:
    document = json.loads(config.read_text())
    port = free_port()
    document["http"] = {"addr": f"127.0.0.1:{port}"}
    config.write_text(json.dumps(document))
    command = [str(distribution()), "serve", str(config)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        wait_for(port, process)
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def head(fields: dict[str, str]) -> int:
            connection.request("HEAD", TARGET, headers=fields)
            with connection.getresponse() as response:
                response.read()
                return response.status

        yield Peer("", [process.pid], {}, {}), head
        connection.close()
        process.terminate()


PEERS: dict[str, Callable[[Path], AbstractContextManager[Any]]] = {PLUGIN: plugin, RIVAL: server}


def cases(folder: Path, count: int) -> dict[str, Case]:
    users = folder / "htpasswd"
    users.write_bytes(b"alice:" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(10)))
    token = issuer.by_chain(issuer.claims(issuer.pulls("bench/app"), exp=int(time.time()) + 3600))
    password = base64.b64encode(f"alice:{PASSWORD}".encode()).decode()
    return {
        "HEAD manifest": Case({}, {}, count),
        "HEAD manifest, token": Case(issuer.section(folder), {"Authorization": f"Bearer {token}"}, count),
        "HEAD manifest, password": Case(
            {"htpasswd": {"realm": "bench", "path": str(users)}},
            {"Authorization": f"Basic {password}"},
            count // 20,
        ),
    }


def make_manifest(root: Path) -> None:
    manifest = image(layers=[])
    repository = root / LAYOUT / "repositories/bench/app"
    for content in (manifest, CONFIG):
        name = Digest.of(content).partition(":")[2]
        write(root / LAYOUT / f"blobs/sha256/{name[:2]}/{name}/data", content.decode())
    name = Digest.of(manifest).partition(":")[2]
    for link in (f"revisions/sha256/{name}", f"tags/v1/index/sha256/{name}", "tags/v1/current"):
        write(repository / "_manifests" / link / "link", f"sha256:{name}")


def measure(folder: Path, case: Case, rounds: int) -> dict[str, Result]:
    found = {name: Result([], []) for name in PEERS}
    fields = {"Accept": OCI_MANIFEST, **case.fields}
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(start(_config(folder, name, case))) for name, start in PEERS.items()
        }
        for number in range(rounds + 1):
            for name, (peer, head) in running.items():
                before = processor(peer)
                seconds = [_timed(head, fields) for _ in range(case.requests)]
                if number:
                    found[name].seconds.extend(seconds)
                    found[name].processor.append(processor(peer) - before)
    return found


def _config(folder: Path, name: str, case: Case) -> Path:
    config = folder / f"{name}.yml"
    document = {
        "version": "0.1",
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "store")}},
        "auth": case.auth,
    }
    config.write_text(json.dumps(document))
    return config


def _timed(head: Callable[[dict[str, str]], int], fields: dict[str, str]) -> float:
    begun = time.perf_counter()
    status = head(fields)
    seconds = time.perf_counter() - begun
    assert status == 200, status
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="make fewer requests")
    add_json_option(parser)
    arguments = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    count, rounds = (1000, 3) if arguments.quick else (4000, 7)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_manifest(folder / "store")
        for what, case in cases(folder, count).items():
            found = list(BAR.rows(what, measure(folder, case, rounds)))
            rows += found if case.auth else [row._replace(bar="") for row in found]
    report(f"Python {sys.version.split()[0]}, {os.cpu_count()} cores", rows, arguments.json)


if __name__ == "__main__":
    main()
