"""A login written to docker's file, or kept by the helper that the file names."""

from __future__ import annotations

import base64
import json
import os
import tempfile
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from udist_plugin.errors import LoginError
from udist_plugin.remote.credentials.helpers import HelperFailed, erase_login, store_login
from udist_plugin.remote.credentials.keyring import HUB, HUBS_KEY, place_of, read_document

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def login_file_of(environ: Mapping[str, str]) -> str:
    """Where a login is kept: docker's file, or the one that ``REGISTRY_AUTH_FILE`` names."""
    folder = environ.get("DOCKER_CONFIG") or os.path.join(environ.get("HOME", ""), ".docker")
    return environ.get("REGISTRY_AUTH_FILE") or os.path.join(folder, "config.json")


class LoginFile:
    """The file at ``path``. Whatever else it holds is kept. Raises ``LoginError``."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._document = read_document(path)
        except FileNotFoundError:
            self._document = {}
        except (OSError, ValueError) as error:
            raise LoginError(f"cannot be read: {error}", path) from None

    def store(self, host: str, username: str, password: str) -> str:
        """Keeps a login, in the place of any other for ``host``. Returns where it is: the file, or the name
        of a helper program."""
        key = _key_of(host)
        entry: dict[str, Any] = {}
        helper = self._helper(host)
        if helper:
            self._ask(lambda: store_login(helper, key, username, password))
        else:
            entry["auth"] = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._remove(host)
        self._document["auths"] = {**self._members("auths"), key: entry}
        self._write()
        return f"docker-credential-{helper}" if helper else self.path

    def erase(self, host: str) -> bool:
        """Forgets the login for ``host``. ``False`` if the file has none."""
        helper = self._helper(host)
        if helper:
            self._ask(lambda: erase_login(helper, _key_of(host)))
        removed = self._remove(host)
        if removed:
            self._write()
        return removed

    def _helper(self, host: str) -> str:
        own = {place_of(key): name for key, name in self._members("credHelpers").items()}
        found = own.get(place_of(host)) or self._document.get("credsStore")
        return found if isinstance(found, str) else ""

    def _ask(self, ask: Callable[[], None]) -> None:
        try:
            ask()
        except HelperFailed as error:
            raise LoginError(f"names a helper that failed: {error}", self.path) from None

    def _remove(self, host: str) -> bool:
        """Removes the entry in whatever form its key is written."""
        entries = self._members("auths")
        left = {key: entry for key, entry in entries.items() if place_of(key) != place_of(host)}
        self._document["auths"] = left
        return len(left) < len(entries)

    def _members(self, name: str) -> dict[str, Any]:
        found = self._document.get(name)
        return found if isinstance(found, dict) else {}

    def _write(self) -> None:
        """Replaces the whole file, also behind a link, by one that nobody else may read."""
        path = os.path.realpath(self.path)
        try:
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".udist-")  # mode 0600
            try:
                with open(descriptor, "w", encoding="utf-8") as file:
                    json.dump(self._document, file, indent="\t", ensure_ascii=False)
                    file.write("\n")
                    file.flush()
                    os.fsync(descriptor)
                os.replace(temporary, path)
            except BaseException:
                with suppress(FileNotFoundError):
                    os.unlink(temporary)
                raise
        except OSError as error:
            raise LoginError(f"cannot be written: {error.strerror}", self.path) from None


def _key_of(host: str) -> str:
    return HUBS_KEY if place_of(host) == HUB else host
