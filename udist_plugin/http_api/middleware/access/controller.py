"""What every kind of access control does: say who asks, or challenge them."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from udist_plugin.http_api.middleware.access.needs import Need


class Challenge(Exception):
    """The request is not allowed as it is: what a client may answer with (RFC 9110, section 11.6.1)."""

    def __init__(self, value: str) -> None:
        self.value = value
        super().__init__(value)


class Controller(Protocol):
    """A kind of access control, used by many threads at once."""

    def authorize(self, environ: dict[str, Any], wanted: list[Need], /) -> str:
        """The user of a request that may do all that is ``wanted``. Raises ``Challenge``."""

    def challenge(self, environ: dict[str, Any], wanted: list[Need], /) -> Challenge:
        """The challenge to a request without credentials."""


def parameters(scheme: str, **values: str) -> str:
    """A challenge; the values are quoted strings."""
    quoted = (f'{name}="{_escaped(value)}"' for name, value in values.items())
    return f"{scheme} {','.join(quoted)}"


def _escaped(text: str) -> str:
    """As Go's ``%q``, though in ASCII: a client may have chosen the text."""
    return text.encode("unicode_escape").decode().replace('"', '\\"')
