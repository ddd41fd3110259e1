"""What the resources of the API have in common."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.http_api.options import Options
    from udist_plugin.http_api.request import Request
    from udist_plugin.http_api.response import Response
    from udist_plugin.registry import Registry

VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


class Resource:
    """A resource: it answers the HTTP methods it has methods for, in lower case."""

    def __init__(self, registry: Registry, options: Options) -> None:
        self.registry = registry
        self.options = options
        self.methods: dict[str, Callable[[Request], Response]] = {
            verb: getattr(self, verb.lower()) for verb in VERBS if hasattr(self, verb.lower())
        }
        if "GET" in self.methods:
            self.methods.setdefault("HEAD", self.methods["GET"])

    def allow(self, refused: str = "") -> tuple[str, str]:
        """The Allow field, without a method that was just ``refused``."""
        return ("Allow", ", ".join(verb for verb in self.methods if verb != refused))
