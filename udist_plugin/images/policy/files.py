"""Where signature policies are, as containers/image looks for them."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import PolicyInvalid
from udist_plugin.images.policy.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE: Final = "CONTAINERS_POLICY_JSON"
SYSTEM: Final = ("/etc/containers/policy.json", "/usr/share/containers/policy.json")
SIZE_MAX: Final = 4 << 20
"""Bytes of a policy file."""


def load_policy(path: str | None, environ: Mapping[str, str]) -> Policy:
    """The policy at ``path``; without one, at the place that ``CONTAINERS_POLICY_JSON`` names, else the
    first of the user's and the system's files. Raises ``PolicyInvalid``."""
    if given := path or environ.get(VARIABLE):
        try:
            return _parse(given)
        except FileNotFoundError:
            raise PolicyInvalid("there is no such file", source=given) from None
    places = [*_own(environ), *SYSTEM]
    for place in places:
        with suppress(FileNotFoundError):
            return _parse(place)
    raise PolicyInvalid(
        f"there is no signature policy; write one to {' or '.join(places)}, or give the name of one, "
        f"also in {VARIABLE}"
    )


def _own(environ: Mapping[str, str]) -> list[str]:
    """The user's own file, if there is a home."""
    folder = environ.get("XDG_CONFIG_HOME") or (
        os.path.join(environ["HOME"], ".config") if environ.get("HOME") else None
    )
    return [os.path.join(folder, "containers", "policy.json")] if folder else []


def _parse(path: str) -> Policy:
    try:
        with open(path, "rb") as file:
            content = file.read(SIZE_MAX + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PolicyInvalid(f"cannot be read: {error.strerror}", source=path) from None
    if len(content) > SIZE_MAX:
        raise PolicyInvalid(f"larger than {SIZE_MAX >> 20} MiB", source=path)
    return Policy.parse(content, path)
