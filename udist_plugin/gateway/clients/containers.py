"""``REGISTRY_AUTH_FILE`` and ``CONTAINERS_REGISTRIES_CONF``: skopeo, podman, buildah.

The latter takes the place of all of the user's and the system's registries.conf, so it says what they say.
"""

from __future__ import annotations

import os

from udist_plugin.gateway.clients.docker import login, usable
from udist_plugin.gateway.clients.reading import config_home, read_json, table
from udist_plugin.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.gateway.clients.place import Place

SYSTEM: Final = ("/usr/share/containers", "/etc/containers")
"""Folders of a registries.conf; what the latter has goes before."""

AUTH_FILES: Final = "containers-auth.json"
"""The "credential helper" that stands for files such as ``REGISTRY_AUTH_FILE``."""


def variables(place: Place) -> dict[str, str]:
    """Both files."""
    import json

    auth = read_json(_auth_file(place), place.note)
    auth["auths"] = usable(auth.get("auths")) | login(place)
    return {
        "REGISTRY_AUTH_FILE": place.folder.write("containers/auth.json", json.dumps(auth, indent=2)),
        "CONTAINERS_REGISTRIES_CONF": place.folder.write("containers/registries.conf", _registries(place)),
    }


def _auth_file(place: Place) -> str:
    """The user's, where skopeo looks for it first."""
    runtime = place.environ.get("XDG_RUNTIME_DIR")
    folder = f"{runtime}/containers" if runtime else f"/run/containers/{os.getuid()}"
    return place.environ.get("REGISTRY_AUTH_FILE") or f"{folder}/auth.json"


def _registries(place: Place) -> str:
    registries: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for path in _registries_files(place):
        document = _read_toml(place, path)
        for registry in document.pop("registry", []):
            registries[str(registry.get("prefix") or registry.get("location"))] = registry
        aliases = table(others.get("aliases")) | table(document.pop("aliases", None))
        others |= document
        others["aliases"] = aliases
    others.pop("registries", None)  # version 1, which newer tools refuse
    helpers = others.get("credential-helpers")
    if helpers and isinstance(helpers, list):
        others["credential-helpers"] = [*(each for each in helpers if each != AUTH_FILES), AUTH_FILES]
    registries[place.host] = {"location": place.host, "insecure": not place.authority}
    others["registry"] = list(registries.values())
    return "".join(f"{_toml(key)} = {_toml(value)}\n" for key, value in others.items())


def _registries_files(place: Place) -> Iterator[str]:
    """The files that count, in the order in which later ones go before earlier ones
    (containers-registries.conf(5))."""
    if given := place.environ.get("CONTAINERS_REGISTRIES_CONF"):
        yield given
        return
    folders = [*SYSTEM, config_home(place.environ, "containers")]
    mains = (os.path.join(folder, "registries.conf") for folder in reversed(folders))
    if main := next(filter(os.path.exists, mains), None):
        yield main
    parts: dict[str, str] = {}
    for folder in folders:
        parts |= _parts(os.path.join(folder, "registries.conf.d"))
    for name in sorted(parts, key=os.fsencode):
        yield parts[name]


def _parts(folder: str) -> dict[str, str]:
    try:
        return {name: f"{folder}/{name}" for name in os.listdir(folder) if name.endswith(".conf")}
    except OSError:
        return {}


def _read_toml(place: Place, path: str) -> dict[str, Any]:
    import tomllib

    try:
        with open(path, "rb") as file:
            document = tomllib.load(file)
    except (OSError, ValueError) as error:
        place.note(f"{path} is left out: {error}")
        return {}
    registries = document.get("registry", [])
    if isinstance(registries, list) and all(isinstance(each, dict) for each in registries):
        return document
    place.note(f"{path} is left out: expected [[registry]]")
    return {}


def _toml(value: object) -> str:
    """TOML on one line: of strings, numbers, booleans, lists and tables."""
    import json

    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False, default=str).replace("\x7f", "\\u007f")
