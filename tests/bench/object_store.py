"""Measures a plugin beside distribution v3 on one MinIO server: ``python tests/bench/object_store.py``.

Each has a bucket of its own for blobs; the lists are of one bucket that both read. One client (``go/``)
speaks to both, in turns. MinIO stores on a memory file system, so that no disk is measured. The bars are
those the project holds itself to. A plugin keeps an index of the repositories of a bucket; the list that
makes it has a row of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.comparison import PLUGIN, RIVAL, Faster, Sooner, compared
from tests.bench.go_client import build, run
from tests.bench.rows import MIB, Row, add_json_option, mebibytes, rate, report, speed
from tests.bench.servers import VERSION, distribution
from tests.bench.store import workspace
from tests.drivers.processes import free_port
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from tests.bench.comparison import Result
    from tests.bench.go_client import Report

MINIO = "github.com/minio/minio"
USER, PASSWORD = "bench-user", "bench-password"
LISTED = 10_000
REPOSITORIES = "docker/registry/v2/repositories"
DIGEST = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
MEMORY = 1.5
"""Of the rival's, at the peak."""


def measurements(size: int) -> dict[str, Faster | Sooner]:
    """By name, each with its bars against distribution v3."""
    return {
        "push": Faster(size, speed, 3.5, None),
        "pull": Faster(size, speed, 1.3, None),
        "16 callers push 4 KiB": Faster(640, rate, 2, None),
        "list tags": Faster(LISTED, rate, 6, None),
        "list repositories": Faster(LISTED, rate, 5, None),
    }


@contextlib.contextmanager
def running(command: list[str], port: int, environ: dict[str, str]) -> Iterator[int]:
    """A server that listens on ``port``: its process id."""
    process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    try:
        while process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


@contextlib.contextmanager
def minio(folder: Path) -> Iterator[str]:
    """The URL of a server that has a bucket for each peer, and one to list."""
    for bucket in (PLUGIN, RIVAL, "listed"):
        (folder / bucket).mkdir(parents=True)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "udist-tests" / "bin"
    port = free_port()
    command = [str(cache / "minio"), "server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder)]
    environ = {"MINIO_ROOT_USER": USER, "MINIO_ROOT_PASSWORD": PASSWORD, "MINIO_BROWSER": "off"}
    with running(command, port, environ):
        yield f"http://127.0.0.1:{port}"


def configuration(url: str, bucket: str) -> dict[str, Any]:
    """For either peer."""
    return {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {
            "s3": {
                "bucket": bucket,
                "region": "us-east-1",
                "regionendpoint": url,
                "accesskey": USER,
                "secretkey": PASSWORD,
                "forcepathstyle": True,
                "secure": False,
            },
            "delete": {"enabled": True},
            "redirect": {"disable": True},
        },
    }


def client_of(url: str) -> S3Client:
    """For threads."""
    import boto3
    from botocore.config import Config

    client: S3Client = boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=USER,
        aws_secret_access_key=PASSWORD,
        config=Config(max_pool_connections=16),
    )
    return client


def fill(url: str) -> None:
    """Makes the tags of one repository, and repositories of one tag."""
    client = client_of(url)
    keys = []
    for number in range(LISTED):
        name, tag = f"team{number % 100}/application{number}", f"v1.{number}"
        for repository, its in ((name, "latest"), ("listed", tag)):
            tags = f"{REPOSITORIES}/{repository}/_manifests/tags/{its}"
            keys += [f"{tags}/current/link", f"{tags}/index/sha256/{DIGEST}/link"]
        keys.append(f"{REPOSITORIES}/{name}/_manifests/revisions/sha256/{DIGEST}/link")
        keys.append(f"{REPOSITORIES}/{name}/_layers/sha256/{DIGEST}/link")
    with ThreadPoolExecutor(16) as pool:
        for _ in pool.map(
            lambda key: client.put_object(Bucket="listed", Key=key, Body=f"sha256:{DIGEST}"), keys
        ):
            pass


def measure(client: Path, url: str, buckets: dict[str, str], options: list[str]) -> Report:
    """One run of the client."""
    port = free_port()
    rival = configuration(url, buckets[RIVAL])
    rival["http"] = {"addr": f"127.0.0.1:{port}"}
    with workspace() as folder:
        for peer, config in ((RIVAL, rival), (PLUGIN, configuration(url, buckets[PLUGIN]))):
            (folder / peer).write_text(json.dumps(config))
        command = [str(distribution()), "serve", str(folder / RIVAL)]
        with running(command, port, {"OTEL_TRACES_EXPORTER": "none"}) as pid:
            peers = [f"{PLUGIN}={folder / PLUGIN}", f"{RIVAL}=http://127.0.0.1:{port}#{pid}"]
            return run(client, [*options, *peers], folder)


def list_anew(url: str) -> float:
    """Seconds in which a plugin lists a bucket that has no index of its repositories yet."""
    start = time.perf_counter()
    count, target = 0, "/v2/_catalog?n=1000"
    with Plugin(json.dumps(configuration(url, "listed")), {}) as plugin:
        while target:
            with plugin.request("GET", target) as response:
                count += len(json.loads(response.read())["repositories"])
                target = (response.header("link") or "").partition("<")[2].partition(">")[0]
    assert count > LISTED, count
    return time.perf_counter() - start


def anew(first: float, rival: Result) -> Row:
    """The list that makes the index."""
    seconds = {PLUGIN: first, RIVAL: statistics.median(rival.seconds)}
    row = compared("list repositories anew", seconds, lambda each: rate(LISTED, each))
    return row._replace(ratio=seconds[RIVAL] / seconds[PLUGIN], bar="≥ 5")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="move 128 MiB instead of 1 GiB")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count; default 3")
    parser.add_argument(
        "--no-lists", action="store_true", help="leave out the lists, which take long to fill"
    )
    add_json_option(parser)
    arguments = parser.parse_args()
    size = 128 if arguments.quick else 1024
    rounds = f"-rounds={arguments.rounds}"
    client = build()
    rows = []
    with workspace() as folder, minio(folder) as url:
        own = {PLUGIN: PLUGIN, RIVAL: RIVAL}
        moved = measure(client, url, own, [f"-size={size}", rounds, "-run=^(pull|push|16.*)$"])
        times = moved.times
        if not arguments.no_lists:
            fill(url)
            first = list_anew(url)
            both = dict.fromkeys(own, "listed")
            times |= measure(client, url, both, ["-kind=lists", "-run=^list (tags|rep)", rounds]).times
            rows.append(anew(first, times["list repositories"][RIVAL]))
    for what, kind in measurements(size * MIB).items():
        if what in times:
            rows += kind.rows(what, times[what])
    peaks = {peer: memory.peak for peer, memory in moved.memory.items()}
    rows.append(compared("peak memory", peaks, mebibytes)._replace(bar=f"≤ {MEMORY}"))
    title = f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, distribution {VERSION}"
    report(title, rows, arguments.json)


if __name__ == "__main__":
    main()
