"""distribution's ``htpasswd``: users and bcrypt hashes in a file, which is read again when it changes."""

from __future__ import annotations

import os
import re
import threading

from udist_plugin.errors import ConfigurationError, Unavailable
from udist_plugin.http_api.middleware.access.basic import credentials
from udist_plugin.http_api.middleware.access.controller import Challenge, parameters
from udist_plugin.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.http_api.middleware.access.needs import Need

KEY: Final = "auth.htpasswd.path"
BCRYPT: Final = re.compile(
    rb"\$2[abxy]\$(0[4-9]|[12]\d|3[01])\$"
    rb"[./A-Za-z0-9]{21}[.Oeu]"  # a salt of 128 bits, so its last character has four values
    rb"[./A-Za-z0-9]{31}"
)
LONGEST: Final = 72
"""Bytes of a password that bcrypt looks at; Go's leaves the others aside as well."""

NOBODY: Final = b"$2b$%02d$" + b"." * 53
"""The hash of no password, for any cost."""


class Users(NamedTuple):
    """The hash of each user; what an unknown one's password is compared with; and the ``version`` of the file
    that it is from."""

    hashes: Mapping[bytes, bytes]
    decoy: bytes
    version: tuple[int, int, int]


class Htpasswd:
    """Users of the file ``path``. A wrong user costs what a wrong password does, whoever's: as much as the
    file's most expensive comparison.

    A password that was right is remembered by a keyed hash, so bcrypt runs once for each user and version of
    the file. Raises ``ConfigurationError``.
    """

    def __init__(self, realm: str, path: str) -> None:
        self._challenge = parameters("Basic", realm=realm)
        self._path = path
        self._lock = threading.Lock()
        self._secret = os.urandom(32)
        self._right: dict[bytes, bytes] = {}
        try:
            self._users, wrong = read(path)
        except OSError as error:
            raise ConfigurationError(f"cannot read {path}: {error.strerror}", key=KEY) from error
        if wrong:
            expected = "expected user:hash with a bcrypt hash, as htpasswd -B makes it"
            raise ConfigurationError(f"{expected}, in line {wrong[0]} of {path}", key=KEY)

    def authorize(self, environ: dict[str, Any], wanted: list[Need]) -> str:
        """Also raises ``Unavailable`` if the file cannot be read any longer."""
        given = credentials(environ.get("HTTP_AUTHORIZATION", ""))
        if given is None or not self._admits(*given, environ):
            raise self.challenge(environ, wanted)
        return given[0].decode(errors="backslashreplace")

    def challenge(self, environ: dict[str, Any], wanted: list[Need]) -> Challenge:  # noqa: ARG002
        return Challenge(self._challenge)

    def _admits(self, user: bytes, password: bytes, environ: dict[str, Any]) -> bool:
        from hashlib import blake2b
        from hmac import compare_digest

        users, right = self._current(environ)
        known = users.hashes.get(user)
        mark = blake2b(password[:LONGEST], key=self._secret).digest()
        if compare_digest(right.get(user, b""), mark):
            return True
        admitted = _matches(password, known or users.decoy) and known is not None
        if admitted:
            right[user] = mark
        elif known:  # each cost is twice the one before, so these make up for a cheaper comparison
            for cost in range(_cost(known), _cost(users.decoy)):
                _matches(password, NOBODY % cost)
        return admitted

    def _current(self, environ: dict[str, Any]) -> tuple[Users, dict[bytes, bytes]]:
        """The users of the file as it is now, and the passwords of theirs that were right."""
        try:
            with self._lock:
                if version(os.stat(self._path)) != self._users.version:
                    self._users, wrong = read(self._path)
                    self._right = {}
                    for line in wrong:
                        environ["wsgi.errors"].write(
                            f"{KEY}: line {line} of {self._path} is left out: expected a bcrypt hash\n"
                        )
                return self._users, self._right
        except OSError as error:
            environ["wsgi.errors"].write(f"{KEY}: cannot read {self._path}: {error.strerror}\n")
            raise Unavailable from error


def read(path: str) -> tuple[Users, list[int]]:
    """The users of a file, and the numbers of the lines that are wrong. Raises ``OSError``."""
    hashes = {}
    wrong = []
    with open(path, "rb") as file:
        seen = version(os.fstat(file.fileno()))
        for number, line in enumerate(file, 1):
            entry = line.strip()
            if not entry or entry.startswith(b"#"):
                continue
            user, _, hashed = entry.partition(b":")
            if BCRYPT.fullmatch(hashed) is None:
                wrong.append(number)
            else:
                hashes[user] = hashed
    decoy = max(hashes.values(), key=_cost, default=NOBODY % 10)
    return Users(hashes, decoy, seen), wrong


def version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_mtime_ns, status.st_size, status.st_ino


def make_missing(path: str) -> str | None:
    """Makes a file that is not there, with a user and a random password, and returns what to tell of it.
    Raises ``ConfigurationError``."""
    if os.path.exists(path):
        return None
    from base64 import urlsafe_b64encode

    import bcrypt

    password = urlsafe_b64encode(os.urandom(32)).rstrip(b"=")
    entry = b"docker:" + bcrypt.hashpw(password, bcrypt.gensalt(10))
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), 0o700, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was faster
        return None
    except OSError as error:
        raise ConfigurationError(f"cannot make {path}: {error.strerror}", key=KEY) from error
    with open(descriptor, "wb") as file:
        file.write(entry)
    return f"{KEY}: {path} did not exist; created it, with the user docker and password {password.decode()}"


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])


def _matches(password: bytes, hashed: bytes) -> bool:
    import bcrypt

    return bcrypt.checkpw(password[:LONGEST], hashed)
