"""A WSGI application that answers what a test says, for registries that are not as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment


def answering(status: int, content: bytes = b"", **fields: str) -> RemoteRegistry:
    """A registry that answers every request alike; a field's underscores are hyphens."""

    def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        headers = [(name.replace("_", "-"), value) for name, value in fields.items()]
        start_response(f"{status} -", headers)
        return [content]

    return RemoteRegistry(WSGITransport(application))
