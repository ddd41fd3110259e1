"""The WSGI application (PEP 3333) that serves a ``Registry``."""

from __future__ import annotations

from udist_plugin.errors import StorageError, TransportError, UdistError, Unsupported
from udist_plugin.exhaustion import exhausted
from udist_plugin.http_api.errors import error_response
from udist_plugin.http_api.options import Options
from udist_plugin.http_api.request import Request
from udist_plugin.http_api.response import API_VERSION, REASONS, Blocks, Response, SplicedBlocks
from udist_plugin.http_api.routes import match
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from udist_plugin.http_api.resource import Resource
    from udist_plugin.registry import Registry

    Environ = dict[str, Any]
    StartResponse = Callable[[str, list[tuple[str, str]]], object]

RESOURCES = {
    "base": "base:Base",
    "blob": "blobs:Blob",
    "catalog": "catalog:Catalog",
    "manifest": "manifests:ManifestResource",
    "referrers": "referrers:Referrers",
    "tags": "tags:Tags",
    "upload": "uploads:Upload",
    "uploads": "uploads:Uploads",
}
"""Where each resource of the routes is, loaded when it is first asked for: the first answer is soon."""

ERROR_PATH = ("json", "traceback")


class Application:
    """Serves ``registry``. Any number of threads may call it at once.

    Every failure is an answer with the specification's JSON body, except a ``TransportError`` of the
    request's content: then nobody is left to answer, and it goes to the server. What the registry did not
    foresee is 500 for the client and a stack trace for ``wsgi.errors``.
    """

    def __init__(self, registry: Registry, options: Options | None = None) -> None:
        options = options or Options()
        self._host = options.host.rstrip("/")
        self._prefix = options.prefix
        self._configured = [(name, value) for name, values in options.headers.items() for value in values]
        self._registry = registry
        self._options = options
        self._resources: dict[str, Resource] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            response = self._answer_or_error(environ)
        except Exception as error:
            if not exhausted(error):
                raise
            _log(environ, f"{error}\n")
            response = error_response(error)
        if environ["REQUEST_METHOD"] == "HEAD":
            response.discard()
        fields = [API_VERSION, *response.fields]
        if self._configured:  # an answer's own go before them, as in distribution
            own = {name.lower() for name, _ in response.fields}
            fields += [field for field in self._configured if field[0].lower() not in own]
        start_response(f"{response.status} {REASONS[response.status]}", fields)
        return _body(environ, response)

    def _answer_or_error(self, environ: Environ) -> Response:
        """Raises what the server is to see: a ``TransportError``, and what says that it has no more of
        something, which may come of telling an error as well."""
        try:
            return self._answer(environ)
        except TransportError:
            raise
        except UdistError as error:
            if isinstance(error, StorageError):
                _log(environ, f"{error}\n")
            return error_response(error)
        except Exception as error:
            if not exhausted(error):
                _log_trace(environ, error)
                return error_response(error)
            raise

    def _answer(self, environ: Environ) -> Response:
        route = match(environ.get("PATH_INFO", ""), self._prefix)
        resource = self._resource(route.resource)
        method = environ["REQUEST_METHOD"]
        handler = resource.methods.get(method)
        if method == "OPTIONS":
            return Response(200, [resource.allow()])
        if handler is None:
            return error_response(Unsupported(), [resource.allow()])
        try:
            return handler(Request(environ, self.base(environ), route.name, route.reference))
        except Unsupported as error:  # a registry that is read-only, or deletes nothing
            return error_response(error, [resource.allow(method)])

    def warm_up(self) -> None:
        """Loads what the first answer did not need, what only an error needs among it: then there may be no
        descriptor left to load it by."""
        from importlib import import_module

        for name in RESOURCES:
            self._resource(name)
        for module in ERROR_PATH:
            import_module(module)

    def _resource(self, name: str) -> Resource:
        resource = self._resources.get(name)
        if resource is None:
            place, _, kind = RESOURCES[name].partition(":")
            module = __import__(f"udist_plugin.http_api.{place}", fromlist=[kind])
            found: type[Resource] = getattr(module, kind)
            resource = self._resources[name] = found(self._registry, self._options)
        return resource

    def base(self, environ: Environ) -> str:
        """What stands before ``/v2/`` in the URLs handed out."""
        if self._host:
            return self._host
        mounted: str = environ.get("SCRIPT_NAME", "")
        if mounted:
            from urllib.parse import quote

            mounted = quote(mounted.encode("latin-1"))
        return mounted + self._prefix[:-1]


def _body(environ: Environ, response: Response) -> Iterable[bytes]:
    content = response.content
    if isinstance(content, bytes):
        return (content,) if content else ()
    wrapper = environ.get("wsgi.file_wrapper")
    # Of part of a file, our server sends Content-Length bytes; others may send on to the file's end.
    if wrapper is None or content.file is None or (response.status == 206 and not _is_ours(environ)):
        return SplicedBlocks(content) if content.spliceable else Blocks(content)
    wrapped: Iterable[bytes] = wrapper(content.file)
    return wrapped


def _is_ours(environ: Environ) -> bool:
    return "udist.capabilities" in environ


def _log(environ: Environ, text: str) -> None:
    environ["wsgi.errors"].write(f"{environ['REQUEST_METHOD']} {environ.get('PATH_INFO', '')!r}: {text}")


def _log_trace(environ: Environ, error: Exception) -> None:
    from traceback import format_exception

    _log(environ, "".join(format_exception(error)))
