"""Which scopes a policy may have below a transport (containers/image's ValidatePolicyConfigurationScope)."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

HOST: Final = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*"
DOMAIN: Final = rf"{HOST}(?::[0-9]+)?"
_COMPONENT: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
PATH: Final = rf"{_COMPONENT}(?:/{_COMPONENT})*"
"""Parts of references, as patterns."""

_DIGEST: Final = r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}"
_ATOMIC: Final = "[^/]*(/[^:/]*(/[^:/]*(:[^:/]*)?)?)?"
_IMAGE_ID: Final = "[a-f0-9]{64}"


def problem_of(transport: str, scope: str) -> str | None:
    """What is wrong with ``scope``, if the transport cannot have it.

    Of the default scope "" and of an unknown transport's scopes nothing is.
    """
    check = _CHECKS.get(transport)
    return check(scope) if check is not None and scope else None


def _any(_: str) -> None:
    return None


def _none(_: str) -> str:
    return 'has no scopes but ""'


def _path(scope: str) -> str | None:
    if not scope.startswith("/"):
        return "expected an absolute path"
    if scope == "/":
        return 'use the scope "" for all paths'
    clean = posixpath.normpath(scope).replace("//", "/")
    return None if clean == scope else f"expected a path in its shortest form, such as {clean!r}"


def _daemon(scope: str) -> str | None:
    return "an image ID cannot be a scope" if re.fullmatch(_DIGEST, scope) else None


def _atomic(scope: str) -> str | None:
    return None if re.fullmatch(_ATOMIC, scope) else "expected HOST/NAMESPACE/STREAM:TAG or a parent of it"


def _storage(scope: str) -> str | None:
    """``[driver@root]`` or ``[root]``, then a name, a digest and an image ID, each optional."""
    place = re.match(r"\[(?:[^@\]]+@)?([^@\]][^\]]*)\]", scope)
    if place is None or not place[1].startswith("/"):
        return "expected [DRIVER@/PATH] or [/PATH] at the start"
    match scope[place.end() :].split("@", 2):
        case [_]:
            return None
        case [_, known] if re.fullmatch(f"{_IMAGE_ID}|{_DIGEST}", known):
            return None
        case [_, digest, image_id] if re.fullmatch(_DIGEST, digest) and re.fullmatch(_IMAGE_ID, image_id):
            return None
    return "expected a digest or an image ID after @"


_CHECKS: Final[dict[str, Callable[[str], str | None]]] = {
    "atomic": _atomic,
    "containers-storage": _storage,
    "dir": _path,
    "docker": _any,
    "docker-archive": _none,
    "docker-daemon": _daemon,
    "oci": _path,
    "oci-archive": _path,
    "ostree": _any,
    "sif": _path,
    "tarball": _none,
    "udist": _any,
}

TRANSPORTS: Final = frozenset(_CHECKS)
"""The transports that containers/image knows, and udist's own."""
