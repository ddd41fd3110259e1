"""How many requests to a bucket each call of the API takes: on a service across a network each is a wait."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from tests.bench.api_calls import count
from tests.drivers.s3.fault_proxy import fault_proxy
from udist_plugin.client.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.drivers.s3.server import S3Server

MOST: Final = {
    "start an upload": 1,
    "end it with the whole blob": 4,
    "PATCH an upload": 3,
    "GET its status": 1,
    "end it, PATCHed": 5,
    "cancel an upload": 2,
    "mount a blob": 3,
    "HEAD a blob": 2,
    "HEAD a blob that is unknown": 1,
    "GET a blob": 2,
    "GET a range of a blob": 4,
    "PUT a manifest by tag": 10,
    "PUT the same again": 10,
    "PUT a manifest by digest": 7,
    "HEAD a manifest by tag": 3,
    "GET a manifest by tag": 3,
    "HEAD a manifest by digest": 2,
    "GET a manifest by digest": 2,
    "list the tags": 1,
    "DELETE a manifest": 13,
    "DELETE a blob": 2,
}
"""A call that needs fewer is a reason to lower its number."""


def test_each_call_keeps_to_its_requests(minio_server: S3Server) -> None:
    with fault_proxy(minio_server.url) as (url, faults):
        server = minio_server._replace(url=url)
        storage = {"s3": server.parameters(server.bucket(), forcepathstyle=True, secure=False)}
        config = {"version": 0.1, "storage": storage | {"redirect": {"disable": True}}}
        with Plugin(json.dumps(config), {}) as plugin:

            def ask(method: str, target: str, fields: Mapping[str, str], content: bytes) -> tuple[int, str]:
                with plugin.request(method, target, fields, content) as response:
                    response.read()
                    return response.status, response.header("location") or ""

            assert count(ask, faults.requests) == MOST
