"""Certificates for one registry, in the folders that containers/image and Docker look in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import TransportError
from udist_plugin.remote.network.origin import PORTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.remote.network.origin import Origin

SYSTEM: Final = ("/etc/containers/certs.d", "/etc/docker/certs.d")


class Certificates(NamedTuple):
    """Paths: of authorities to trust beside the system's, and of this client's certificates with their
    keys."""

    authorities: list[str]
    clients: list[tuple[str, str]]


def certificates_of(origin: Origin, environ: Mapping[str, str]) -> Certificates:
    """Those of the first folder that is there. Raises ``TransportError`` for half a pair."""
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    names = [f"{host}:{origin.port}"] + ([host] if origin.port == PORTS["https"] else [])
    for folder in [*_users(environ), *SYSTEM]:
        for name in names:
            place = os.path.join(folder, name)
            if os.path.isdir(place):
                return certificates_in(place)
    return Certificates([], [])


def _users(environ: Mapping[str, str]) -> list[str]:
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    return [os.path.join(config, "containers/certs.d")] if config else []


def certificates_in(folder: str) -> Certificates:
    """Those of a folder. Raises ``TransportError`` for half a pair, and ``OSError``."""
    names = sorted(os.listdir(folder))
    found = Certificates([os.path.join(folder, name) for name in names if name.endswith(".crt")], [])
    for name in names:
        if name.endswith((".cert", ".key")):
            stem = name.rpartition(".")[0]
            pair = f"{stem}.cert", f"{stem}.key"
            if not {*pair} <= {*names}:
                raise TransportError(f"{folder}: {name} has no {pair[name == pair[0]]} beside it")
            if name == pair[0]:
                found.clients.append((os.path.join(folder, pair[0]), os.path.join(folder, pair[1])))
    return found
