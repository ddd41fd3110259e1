"""A plugin that redirects: a request's query is its answer's status and location; without one echoed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ECHOED = {"authorization": "HTTP_AUTHORIZATION", "cookie": "HTTP_COOKIE", "content-type": "CONTENT_TYPE"}


class Service:
    drain_timeout = 5.0
    max_streams = 64
    spin = 0.0
    warnings = ()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any], /) -> Iterable[bytes]:
        asked = {key: value for key, [value] in parse_qs(environ["QUERY_STRING"]).items()}
        body = b"".join(iter(lambda: environ["wsgi.input"].read(1 << 16), b""))
        fields = [("docker-content-digest", "sha256:1234"), ("content-type", "application/json")]
        if "status" not in asked:
            start_response("200 OK", fields)
            echoed = {name: environ[key] for name, key in ECHOED.items() if environ.get(key)}
            method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
            return [json.dumps({"method": method, "path": path, **echoed, "body": body.decode()}).encode()]
        if left := int(asked.get("more", 0)):
            asked["location"] = (
                f"{environ['PATH_INFO']}?status={asked['status']}&location=/echo&more={left - 1}"
            )
        start_response(asked["status"], fields + [(n, v) for n, v in asked.items() if n == "location"])
        return [b"{}"]

    def start(self, record: Callable[[str, str], object]) -> None:
        pass

    def warm_up(self) -> None:
        pass

    def wait_within(self, context: object) -> bool:  # noqa: ARG002
        return False

    def close(self) -> None:
        pass


if __name__ == "__main__":
    serve(*take_standard_streams(), lambda *_: Service())
