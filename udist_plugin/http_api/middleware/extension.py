"""Garbage collection and leases over HTTP, where the configuration allows them.

The paths are those of an extension (distribution-spec, "Extensions"): ``/v2/_udist/gc`` and
``/v2/_udist/leases``; ``udist help stores`` describes them.
"""

from __future__ import annotations

import threading

from udist_plugin.errors import ConfigurationError, TooManyRequests, UdistError, Unsupported
from udist_plugin.http_api.errors import EndpointUnknown, ExtensionInvalid, error_response
from udist_plugin.http_api.request import QUERY_FIELDS_MAX, Request
from udist_plugin.http_api.response import API_VERSION, Response
from udist_plugin.http_api.routes import EXTENSION
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Protocol

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
    Documents = list[dict[str, str]]

    class Store(Protocol):
        """See ``storage/extension.py``."""

        def collect(
            self, *, apply: bool, untagged: bool, restore: bool, retention: object | None
        ) -> tuple[bool, Iterator[dict[str, object]]]: ...

        def create_leases(self, owner: str, references: Sequence[str]) -> Documents: ...

        def release_leases(self, owner: str, references: Sequence[str]) -> Documents: ...

        def list_leases(self, owner: str) -> Documents: ...


CONTENT_MAX: Final = 256 << 10
"""Bytes of a request's content."""
STEPS_MAX: Final = 1000
"""Steps of a run that an answer lists; the others are counted."""
METHODS: Final = {
    "gc": ("POST",),
    "leases": ("GET", "HEAD"),
    "leases/OWNER": ("GET", "HEAD", "PUT", "DELETE"),
}
_ACTIONS: Final = ("delete", "restore", "quarantine", "wait", "keep")
_LISTED: Final = {
    "manifests": ("action", "name", "tag", "digest", "reason"),
    "blobs": ("action", "digest", "size"),
}
"""The lists of a run's steps, and what they say of each, as ``udist gc --json`` does."""


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
        response = self._answer(Request(environ, ""), path.removeprefix(self._path))
        response.fields.insert(0, API_VERSION)
        return response.send(environ, start_response)

    def _answer(self, request: Request, path: str) -> Response:
        component, _, owner = _as_utf8(path).partition("/")
        allowed = METHODS.get(f"{component}/OWNER" if owner else component, ())
        try:
            if not (allowed and (self._gc if component == "gc" else self._leases)):
                raise EndpointUnknown({"path": f"{self._path}{path}"[:512]})
            if request.method not in allowed:
                raise Unsupported({"method": request.method[:64]})
            return self._collect(request) if component == "gc" else self._lease(request, owner)
        except ConfigurationError as error:
            return error_response(ExtensionInvalid({"reason": str(error)}))
        except UdistError as error:
            response = error_response(error)
            if response.status == 405:
                response.fields.append(("Allow", ", ".join(allowed)))
            return response

    @property
    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._make_store()
        return self._store

    def _collect(self, request: Request) -> Response:
        """One run at a time: another would only do its work twice."""
        _check_parameters(request, "apply", "undo", "untagged")
        apply, undo, untagged = (_flag(request, name) for name in ("apply", "undo", "untagged"))
        retention = _document(request)
        wishes = {"apply=true": apply, "untagged=true": untagged, "content": retention is not None}
        _check_alone("undo=true", undo, wishes)
        _check_alone("content", retention is not None, {"untagged=true": untagged})
        store = self._opened
        applied, steps = store.collect(apply=apply, untagged=untagged, restore=undo, retention=retention)
        if not self._running.acquire(blocking=False):
            raise TooManyRequests("a run is under way; wait until it ends")
        try:
            return Response.json(200, {"applied": applied, **_summary(steps)})
        finally:
            self._running.release()

    def _lease(self, request: Request, owner: str) -> Response:
        store = self._opened
        _check_parameters(request, *(("reference",) if request.method == "DELETE" else ()))
        if request.method == "PUT":
            return Response.json(201, {"leases": store.create_leases(owner, _references(request))})
        if request.method == "DELETE":
            _check_alone("content", _document(request) is not None, {"DELETE": True})
            released = store.release_leases(owner, request.parameters("reference"))
            return Response.json(200, {"leases": released})
        return Response.json(200, {"leases": store.list_leases(owner)})


def _summary(steps: Iterator[dict[str, Any]]) -> dict[str, object]:
    """What a run did: its first steps, how many more there were, and how many blobs each action was taken on,
    with their bytes."""
    lists: dict[str, list[dict[str, Any]]] = {kind: [] for kind in _LISTED}
    omitted = dict.fromkeys(_LISTED, 0)
    totals = {action: {"blobs": 0, "bytes": 0} for action in _ACTIONS}
    for step in steps:
        kind = "manifests" if step["name"] else "blobs"
        if kind == "blobs":
            total = totals[step["action"]]
            total["blobs"] += 1
            total["bytes"] += step["size"]
        if sum(map(len, lists.values())) < STEPS_MAX:
            lists[kind].append({member: step[member] for member in _LISTED[kind]})
        else:
            omitted[kind] += 1
    return {**lists, "omitted": omitted, "totals": totals}


def _as_utf8(path: str) -> str:
    """PEP 3333 makes each byte of a path a character."""
    return path.encode("latin-1", "replace").decode(errors="replace")


def _check_parameters(request: Request, *known: str) -> None:
    """Raises ``ExtensionInvalid`` for a parameter that would be ignored."""
    for name in request.parameter_names:
        if name not in known:
            expected = f"one of {', '.join(known)}" if known else "no parameters"
            raise ExtensionInvalid({"parameter": name[:64], "expected": expected})
    if request.has_too_many_parameters:
        raise ExtensionInvalid({"expected": f"at most {QUERY_FIELDS_MAX} parameters"})


def _check_alone(name: str, is_given: bool, others: Mapping[str, bool]) -> None:
    """Raises ``ExtensionInvalid`` if what is given stands beside any of the others."""
    if is_given and (found := [other for other, is_there in others.items() if is_there]):
        raise ExtensionInvalid({"reason": f"{name} cannot be combined with {', '.join(found)}"})


def _flag(request: Request, name: str) -> bool:
    values = request.parameters(name)
    if values not in ([], ["true"], ["false"]):
        given = ", ".join(values)[:64]
        raise ExtensionInvalid({"parameter": name, "value": given, "expected": "true or false"})
    return values == ["true"]


def _references(request: Request) -> list[str]:
    match _document(request):
        case {"references": [*found], **others} if found and not others:
            if all(isinstance(each, str) for each in found):
                return found
    raise ExtensionInvalid({"expected": '{"references": ["NAME:TAG", "NAME@DIGEST"]}'})


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
