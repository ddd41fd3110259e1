"""What a registry, or its token server, is told."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from typing import Self

TOKEN_USER: Final = "<token>"  # noqa: S105 - a user's name
"""The user name that says that the password is an identity token."""


class Credential(NamedTuple):
    """A login. ``identity_token`` is for the token server, ``registry_token`` for the registry itself;
    ``source`` says where all that was found."""

    username: str = ""
    password: str = ""
    identity_token: str = ""
    registry_token: str = ""
    source: str = ""

    @classmethod
    def of_login(cls, username: str, password: str, source: str) -> Self:
        if username == TOKEN_USER:
            return cls(identity_token=password, source=source)
        return cls(username, password, source=source)

    @classmethod
    def of_entry(cls, entry: object, source: str) -> Self | None:
        """That of an entry of a file's ``auths``; ``None`` if it has none, as beside a helper.

        Raises ``ValueError`` for an ``auth`` that cannot be read.
        """
        if not isinstance(entry, dict):
            return None
        username, password = _text(entry, "username"), _text(entry, "password")
        if auth := _text(entry, "auth"):
            username, password = _decoded(auth)
        found = cls.of_login(username, password, source)
        identity = _text(entry, "identitytoken") or found.identity_token
        found = found._replace(identity_token=identity, registry_token=_text(entry, "registrytoken"))
        return found if found.username or found.identity_token or found.registry_token else None

    @property
    def basic(self) -> str | None:
        """The value of an Authorization field (RFC 7617), if there is a password."""
        if not self.username:
            return None
        return "Basic " + base64.b64encode(f"{self.username}:{self.password}".encode()).decode()


def _text(entry: dict[str, object], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""


def _decoded(auth: str) -> tuple[str, str]:
    try:
        login = base64.b64decode(
            auth.rstrip("=") + "=" * (-len(auth.rstrip("=")) % 4), validate=True
        ).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise ValueError("auth is not base64") from None
    username, colon, password = login.partition(":")
    if not colon:
        raise ValueError("auth has no colon")
    return username, password.strip("\0")
