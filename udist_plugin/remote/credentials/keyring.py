"""Where a login is looked for, and which one is meant for a repository."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.remote.credentials.credential import Credential
from udist_plugin.remote.credentials.helpers import HelperFailed, ask_helper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

FILE_MAX: Final = 16 << 20
"""The largest file that is read, in bytes."""

HUB: Final = "docker.io"
HUBS_KEY: Final = "https://index.docker.io/v1/"
"""What docker calls its own registry."""
_HUBS: Final = {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com", HUB}


class Keyring:
    """Finds logins in the files that ``environ`` names, in containers/image's order and then docker's.

    ``warn`` is told of files and helpers that failed where nothing else was found, ``tell`` where a login
    came from.
    """

    def __init__(
        self, environ: Mapping[str, str], warn: Callable[[str], None], tell: Callable[[str], None]
    ) -> None:
        self._environ = environ
        self._warn = warn
        self._tell = tell

    def find(self, host: str, repository: str) -> Credential | None:
        """The login of the longest entry that covers a repository of a registry: an entry for another
        repository is no one else's."""
        failures: list[str] = []
        for path in files_of(self._environ):
            found = self._in_file(path, host, repository, failures)
            if found:
                self._tell(f"the login for {host} is from {found.source}")
                return found
        for failure in failures:
            self._warn(failure)
        return None

    def _in_file(self, path: str, host: str, repository: str, failures: list[str]) -> Credential | None:
        try:
            document = read_document(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            failures.append(f"no login was read from {path}: {error}")
            return None
        auths, helpers = _by_place(document.get("auths")), _by_place(document.get("credHelpers"))
        for place in _places(host, repository):
            key, entry = auths.get(place, (HUBS_KEY if place == HUB else place, None))
            helper = helpers.get(place, ("", None))[1]
            if helper is None and (place in auths or place == _canonical(host)):
                helper = document.get("credsStore")
            if found := _asked(helper, key, failures) or _entered(entry, path, failures):
                return found
        return None


def _asked(helper: object, server: str, failures: list[str]) -> Credential | None:
    """What a helper has for a server, by the name that the file has for it."""
    if not isinstance(helper, str) or not helper:
        return None
    try:
        return ask_helper(helper, server)
    except HelperFailed as error:
        failures.append(f"no login for {server}: {error}")
        return None


def _entered(entry: object, path: str, failures: list[str]) -> Credential | None:
    try:
        return Credential.of_entry(entry, path)
    except ValueError as error:
        failures.append(f"no login was read from {path}: {error}")
        return None


def files_of(environ: Mapping[str, str]) -> Iterator[str]:
    """The files that may have logins, in the order they are looked into."""
    home = environ.get("HOME", "")
    if path := environ.get("REGISTRY_AUTH_FILE"):
        yield path
    elif folder := environ.get("XDG_RUNTIME_DIR"):
        yield os.path.join(folder, "containers/auth.json")
    if config := environ.get("XDG_CONFIG_HOME") or (home and os.path.join(home, ".config")):
        yield os.path.join(config, "containers/auth.json")
    if docker := environ.get("DOCKER_CONFIG") or (home and os.path.join(home, ".docker")):
        yield os.path.join(docker, "config.json")


def read_document(path: str) -> dict[str, Any]:
    """A file's members. Raises ``ValueError`` for what is no JSON object, and ``OSError``."""
    with open(path, "rb") as file:
        content = file.read(FILE_MAX + 1)
    document = json.loads(content) if content.strip() else {}
    if len(content) > FILE_MAX or not isinstance(document, dict):
        raise ValueError("expected a JSON object")
    return document


def _places(host: str, repository: str) -> Iterator[str]:
    """A repository, what it lies in, and its host: the longest first."""
    parts = repository.split("/")
    place = _canonical(host)
    for end in range(len(parts), 0, -1):
        yield "/".join([place, *parts[:end]])
    yield place


def _by_place(entries: object) -> dict[str, tuple[str, object]]:
    """Entries by what their keys mean, in whatever form they are written, each with the key; of two for one
    place the plainer one counts."""
    if not isinstance(entries, dict):
        return {}
    found: dict[str, tuple[str, object]] = {}
    for key, entry in sorted(entries.items(), key=lambda item: -len(item[0])):
        found[place_of(key)] = (key, entry)
    return found


def place_of(key: str) -> str:
    """``https://HOST/v1/`` and other forms of ``HOST``."""
    key = key.removeprefix("https://").removeprefix("http://").rstrip("/")
    host, _, rest = key.partition("/")
    rest = "" if rest in ("v1", "v2") else rest
    return f"{_canonical(host)}/{rest}" if rest else _canonical(host)


def _canonical(host: str) -> str:
    return HUB if host in _HUBS else host
