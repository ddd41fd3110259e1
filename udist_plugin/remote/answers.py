"""Error answers turned back into the errors they were made of (distribution-spec, "Error Codes")."""

from __future__ import annotations

from udist_plugin import errors
from udist_plugin.errors import RegistryError
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from udist_plugin.remote.transport import Response

ERROR_BODY_MAX: Final = 64 << 10
"""How much of an error's body is looked at, in bytes."""

_BY_CODE: Final[dict[str, type[RegistryError]]] = {
    kind.code: kind for kind in RegistryError.__subclasses__() if kind is not errors.ManifestTooLarge
}
_BY_STATUS: Final[dict[int, type[RegistryError]]] = {
    401: errors.Unauthorized,
    403: errors.Denied,
    405: errors.Unsupported,
    413: errors.ManifestTooLarge,
    416: errors.RangeInvalid,
    429: errors.TooManyRequests,
    502: errors.Unavailable,
    503: errors.Unavailable,
    504: errors.Unavailable,
}


def error_of(response: Response, unknown: type[RegistryError]) -> RegistryError:
    """The error that ``response`` stands for; closes it.

    The body's first error decides. Without one (the answer to a HEAD, a proxy's page) it is the status,
    where 404 means ``unknown``.
    """
    with response:
        stated = _first_error(_read_some(response))
    if stated is None:
        kind = unknown if response.status == 404 else _BY_STATUS.get(response.status, RegistryError)
        return kind({"status": response.status} if kind is RegistryError else None)
    code, message, detail = stated.get("code"), stated.get("message"), stated.get("detail")
    kind = errors.ManifestTooLarge if response.status == 413 else _BY_CODE.get(str(code), RegistryError)
    error = kind(detail, message if isinstance(message, str) and message else None)
    if kind is RegistryError and isinstance(code, str):
        error.code = code
    return error


def _read_some(response: Response) -> bytes:
    content = bytearray()
    try:
        while len(content) < ERROR_BODY_MAX and (data := response.read(ERROR_BODY_MAX - len(content))):
            content += data
    except errors.TransportError:
        return b""  # the status has arrived, and says enough
    return bytes(content)


def _first_error(content: bytes) -> dict[str, Any] | None:
    import json

    try:
        first = json.loads(content)["errors"][0]
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return None
    return first if isinstance(first, dict) else None
