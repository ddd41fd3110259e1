"""Measures requests with a dead notification endpoint beside the same without one:
``python tests/bench/notifications.py``.

Each figure is the median of single requests of one caller to a plugin. The two plugins serve one store and
take turns. Processor time is that of the caller and the plugin together.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.api_calls import MANIFEST, digest_of
from tests.bench.files import processor_time
from tests.bench.rows import Row, add_json_option, microseconds, report
from tests.bench.store import workspace
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = "/v2/bench/events"
BLOB = b"blob" * 100
DEAD = {"endpoints": [{"name": "dead", "url": "http://127.0.0.1:1/", "timeout": "1s"}]}
BAR = 1.1

Request = tuple[str, str, dict[str, str], bytes]


def manifest() -> bytes:
    descriptor = {"mediaType": "application/octet-stream", "digest": digest_of(BLOB), "size": len(BLOB)}
    document = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor, "layers": [descriptor]}
    return json.dumps(document).encode()


REQUESTS: dict[str, Request] = {
    "HEAD a manifest": ("HEAD", f"{REPOSITORY}/manifests/v1", {}, b""),
    "GET a manifest": ("GET", f"{REPOSITORY}/manifests/v1", {"accept": MANIFEST}, b""),
    "GET a blob": ("GET", f"{REPOSITORY}/blobs/{digest_of(BLOB)}", {}, b""),
    "PUT a manifest": ("PUT", f"{REPOSITORY}/manifests/v1", {"content-type": MANIFEST}, manifest()),
}


def send(plugin: Plugin, request: Request) -> None:
    method, target, fields, content = request
    with plugin.request(method, target, fields, content) as response:
        response.read()
        assert response.status in (200, 201), response.status


def measure(plugin: Plugin, request: Request, count: int) -> tuple[float, float]:
    """The median of ``count`` requests, and the processor time of each, in seconds."""
    taken = []
    before = processor_time(plugin.pid)
    for _ in range(count):
        began = time.perf_counter()
        send(plugin, request)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), (processor_time(plugin.pid) - before) / count


def row(what: str, plugins: Sequence[Plugin], rounds: int, count: int) -> Row:
    """With the endpoint, beside without it."""
    measured = [[measure(plugin, REQUESTS[what], count) for plugin in plugins] for _ in range(rounds)]
    with_one, without = (
        tuple(map(statistics.median, zip(*column, strict=True))) for column in zip(*measured, strict=True)
    )
    return Row(
        what,
        microseconds(with_one[0]),
        microseconds(without[0]),
        with_one[0] / without[0],
        f"≤ {BAR}",
        with_one[1] / without[1],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer requests")
    add_json_option(parser)
    options = parser.parse_args()
    rounds, count = (6, 500) if options.quick else (20, 1000)
    with ExitStack() as stack:
        folder = stack.enter_context(workspace())
        storage = {"filesystem": {"rootdirectory": str(folder / "store")}}
        plugins = [
            stack.enter_context(Plugin({"version": 0.1, "storage": storage, **more}, {}))
            for more in ({"notifications": DEAD, "http": {"draintimeout": "1s"}}, {})
        ]
        uploads = f"{REPOSITORY}/blobs/uploads/?digest={digest_of(BLOB)}"
        send(plugins[0], ("POST", uploads, {}, BLOB))
        send(plugins[0], REQUESTS["PUT a manifest"])
        rows = [row(what, plugins, rounds, count) for what in REQUESTS]
    report(f"Python {sys.version.split()[0]}, a dead endpoint beside none", rows, options.json)


if __name__ == "__main__":
    main()
