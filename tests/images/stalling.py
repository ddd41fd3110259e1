"""A plugin that never finishes what is large: ``python -m tests.images.stalling``.

It has the artifact ``demo:endless``: ``large`` and ``larger``, whose content stops halfway. ``demo:v1`` has
``missing`` as well, whose blob is gone. It stops reading what is large, and refuses what is ``REFUSED`` bytes
long. Each time it stops, it says so on standard error. ``/uploads`` tells how many uploads are open.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

from tests.http_api.memory import MemoryRegistry
from tests.server.apps import Service
from udist_plugin.http_api.app import Application
from udist_plugin.images.artifact import EMPTY, EMPTY_CONTENT, TITLE, manifest_of
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_LAYER_TAR, OCI_MANIFEST
from udist_plugin.server.stdio import serve
from udist_plugin.server.streams import take_standard_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.server.log import Log
    from udist_plugin.wire.frames import Settings

    Environ = dict[str, Any]
    Start = Callable[..., Any]

LARGE = 1 << 20
REFUSED = 7
COMMAND = [sys.executable, "-m", "tests.images.stalling"]


class StallingService(Service):
    """The registry, but for what stalls."""

    drain_timeout = 0.1
    max_streams = 64
    spin = 0.0

    def __init__(self) -> None:
        self._registry = _filled()
        self._inner = Application(self._registry)
        self._never = threading.Event()

    def __call__(self, environ: Environ, start_response: Start, /) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if environ["PATH_INFO"] == "/uploads":
            start_response("200 OK", [])
            return [str(len(self._registry.uploads)).encode()]
        if length == REFUSED:
            start_response("403 Forbidden", [("Content-Type", "application/json")])
            return [b'{"errors": [{"code": "DENIED"}]}']
        if length >= LARGE:
            environ["wsgi.input"].read(LARGE // 2)
            self._stall()
        content = self._inner(environ, start_response)
        return self._half(content) if environ["REQUEST_METHOD"] == "GET" else content

    def _half(self, content: Iterable[bytes]) -> Iterator[bytes]:
        data = b"".join(content)
        yield data[: LARGE // 2]
        if len(data) >= LARGE:
            self._stall()
            yield data[LARGE // 2 :]

    def _stall(self) -> None:
        os.write(2, b"stalled\n")  # at once, whatever another thread writes
        self._never.wait(60)


def _filled() -> MemoryRegistry:
    registry = MemoryRegistry()
    layers = []
    for title, content in [("large", b"a" * LARGE), ("larger", b"b" * 2 * LARGE), ("missing", b"c")]:
        digest = Digest.of(content)
        registry.push_blob("demo", digest, io.BytesIO(content))
        layers.append(Descriptor(OCI_LAYER_TAR, digest, len(content), annotations={TITLE: title}))
    registry.push_blob("demo", EMPTY.digest, io.BytesIO(EMPTY_CONTENT))
    for tag, held in [("v1", layers), ("endless", layers[:2])]:
        registry.push_manifest("demo", Manifest.parse(manifest_of(held), OCI_MANIFEST), [tag])
    registry.delete_blob("demo", layers[-1].digest)
    return registry


def build(_: Settings, log: Log) -> StallingService:
    """It warns of nothing: whether its last warning, of open requests, is read is a matter of luck."""
    log.configure("error", "text", {})
    return StallingService()


if __name__ == "__main__":
    serve(*take_standard_streams(), build)
