"""Counts the requests to an S3 bucket that each call of the API takes, by a plugin and by distribution v3:
``python tests/bench/object_requests.py``.

Each has a bucket on one MinIO server, and reaches it through a proxy that counts.
"""

from __future__ import annotations

import argparse
import http.client
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.api_calls import count
from tests.bench.comparison import PLUGIN, RIVAL, compared
from tests.bench.object_store import configuration, minio, running
from tests.bench.rows import add_json_option, report
from tests.bench.servers import VERSION, distribution
from tests.bench.store import workspace
from tests.drivers.processes import free_port
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Mapping


def count_plugin(url: str) -> dict[str, int]:
    with (
        fault_proxy(url) as (proxy, faults),
        Plugin(json.dumps(configuration(proxy, PLUGIN)), {}) as plugin,
    ):

        def ask(method: str, target: str, fields: Mapping[str, str], content: bytes) -> tuple[int, str]:
            with plugin.request(method, target, fields, content) as response:
                response.read()
                return response.status, response.header("location") or ""

        return count(ask, faults.requests)


def count_rival(registry: Path, url: str, folder: Path) -> dict[str, int]:
    port = free_port()
    with fault_proxy(url) as (proxy, faults):
        config = configuration(proxy, RIVAL)
        config["http"] = {"addr": f"127.0.0.1:{port}"}
        path = folder / "distribution.yml"
        path.write_text(json.dumps(config))
        with running([str(registry), "serve", str(path)], port, {"OTEL_TRACES_EXPORTER": "none"}):
            connection = http.client.HTTPConnection("127.0.0.1", port)

            def ask(method: str, target: str, fields: Mapping[str, str], content: bytes) -> tuple[int, str]:
                connection.request(method, target, content, dict(fields))
                response = connection.getresponse()
                response.read()
                location = urlsplit(response.getheader("location", ""))
                return response.status, location._replace(scheme="", netloc="").geturl()

            return count(ask, faults.requests)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_json_option(parser)
    arguments = parser.parse_args()
    with workspace() as folder, minio(folder) as url:
        ours, theirs = count_plugin(url), count_rival(distribution(), url, folder)
    rows = [
        compared(call, {PLUGIN: ours[call], RIVAL: theirs[call]}, str)._replace(bar="≤ 0.5") for call in ours
    ]
    report(f"requests to a bucket, distribution {VERSION}", rows, arguments.json)


if __name__ == "__main__":
    main()
