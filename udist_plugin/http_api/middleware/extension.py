"""Garbage collection and leases over HTTP, where the configuration allows them.

The paths are those of an extension (distribution-spec, "Extensions"): ``/v2/_udist/gc`` and
``/v2/_udist/leases``; ``udist help stores`` describes them.
"""

from __future__ import annotations

import threading

from udist_plugin.errors import ConfigurationError, TooManyRequests, UdistError, Unsupported
from udist_plugin.http_api.errors import EndpointUnknown, ExtensionInvalid, error_response
from udist_plugin.http_api.request import Request
from udist_plugin.http_api.response import Response
from udist_plugin.http_api.routes import EXTENSION
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Protocol

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Documents = list[dict[str, str]]

    class Store(Protocol):
        """See ``storage/extension.py``."""

        def collect(
            self, *, apply: bool, untagged: bool, restore: bool, retention: object | None
        ) -> Iterator[dict[str, object]]: ...

        def create_leases(self, owner: str, references: Sequence[str]) -> Documents: ...

        def release_leases(self, owner: str, references: Sequence[str]) -> Documents: ...

        def list_leases(self, owner: str) -> Documents: ...


CONTENT_MAX: Final = 256 << 10
"""Bytes of a request's content."""
STEPS_MAX: Final = 1000
"""Steps of a run that an answer lists; all of them are counted."""


class Extension:
    """``application``, and beside it below ``prefix`` what of the store is allowed."""

    def __init__(
        self, application: Application, store: Callable[[], Store], prefix: str, *, gc: bool, leases: bool
    ) -> None:
        self._application = application
        self._make_store = store
        self._store: Store | None = None
        self._path = prefix + EXTENSION
        self._gc = gc
        self._leases = leases
        self._running = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ.get("PATH_INFO", "")
        if not path.startswith(self._path):
            return self._application(environ, start_response)
        component, _, owner = path.removeprefix(self._path).partition("/")
        request = Request(environ, "")
        try:
            if component == "gc" and self._gc and not owner:
                return self._collect(request).send(environ, start_response)
            if component == "leases" and self._leases:
                return self._answer(request, owner).send(environ, start_response)
            raise EndpointUnknown({"path": path[:512]})
        except ConfigurationError as error:
            response = error_response(ExtensionInvalid({"reason": str(error)}))
        except UdistError as error:
            response = error_response(error)
        return response.send(environ, start_response)

    @property
    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._make_store()
        return self._store

    def _collect(self, request: Request) -> Response:
        """One run at a time: another would only do its work twice."""
        if request.method != "POST":
            raise Unsupported({"allow": "POST"})
        steps = self._opened.collect(
            apply=_flag(request, "apply"),
            untagged=_flag(request, "untagged"),
            restore=_flag(request, "undo"),
            retention=_document(request),
        )
        if not self._running.acquire(blocking=False):
            raise TooManyRequests("a run is under way; wait until it ends")
        try:
            return Response.json(200, _summary(steps))
        finally:
            self._running.release()

    def _answer(self, request: Request, owner: str) -> Response:
        store = self._opened
        if request.method in ("GET", "HEAD"):
            return Response.json(200, {"leases": store.list_leases(owner)})
        if request.method == "PUT" and owner:
            return Response.json(201, {"leases": store.create_leases(owner, _references(request))})
        if request.method == "DELETE" and owner:
            released = store.release_leases(owner, request.parameters("reference"))
            return Response.json(200, {"leases": released})
        raise Unsupported({"allow": "GET, HEAD, PUT, DELETE" if owner else "GET, HEAD"})


def _summary(steps: Iterator[dict[str, Any]]) -> dict[str, object]:
    """What a run did: its first steps, and for each action how many there were, with their bytes."""
    first: list[dict[str, Any]] = []
    totals: dict[str, dict[str, int]] = {}
    for step in steps:
        total = totals.setdefault(step["action"], {"steps": 0, "bytes": 0})
        total["steps"] += 1
        total["bytes"] += step["size"]
        if len(first) < STEPS_MAX:
            first.append(step)
    return {"totals": totals, "steps": first}


def _flag(request: Request, name: str) -> bool:
    value = request.parameter(name) or "false"
    if value not in ("true", "false"):
        raise ExtensionInvalid({name: value[:64], "expected": "true or false"})
    return value == "true"


def _references(request: Request) -> list[str]:
    document = _document(request)
    found = document.get("references") if isinstance(document, dict) else None
    if not isinstance(found, list) or not found or not all(isinstance(each, str) for each in found):
        raise ExtensionInvalid({"expected": '{"references": ["NAME:TAG", "NAME@DIGEST"]}'})
    return found


def _document(request: Request) -> object | None:
    """The content, as JSON; ``None`` if there is none."""
    import json

    source, content = request.content, b""
    while len(content) <= CONTENT_MAX and (data := source.read(CONTENT_MAX + 1 - len(content))):
        content += data
    if len(content) > CONTENT_MAX:
        raise ExtensionInvalid({"expected": f"at most {CONTENT_MAX} bytes of JSON"})
    if not content:
        return None
    try:
        document: object = json.loads(content)
    except (ValueError, RecursionError):
        raise ExtensionInvalid({"expected": "JSON"}) from None
    return document
