"""What users have in their files beside the gateway: logins to other registries, stores and helpers."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.gateway.udist import Home

USER, PASSWORD = "somebody", "else"
AUTH = {"auth": b64encode(f"{USER}:{PASSWORD}".encode()).decode()}

STORE = f"""\
#!/bin/sh
read host
[ "${{host#*://}}" = "$OTHER" ] || {{
    echo "credentials not found in native keychain"
    exit 1
}}
printf '{{"ServerURL": "%s", "Username": "{USER}", "Secret": "{PASSWORD}"}}\\n' "$host"
"""
"""A credential helper that knows the host of ``$OTHER``."""


def nobody(home: Home) -> None:
    """An empty home."""


def with_logins(home: Home) -> None:
    """Logins in files, those that are broken too."""
    _docker(home, {"auths": _logins(home), "currentContext": "default"})
    containers = home.runtime / "containers"
    containers.mkdir()
    (containers / "auth.json").write_text(json.dumps({"auths": _logins(home)}))
    registries = home.path / ".config" / "containers" / "registries.conf"
    registries.parent.mkdir(parents=True)
    registries.write_text(
        'unqualified-search-registries = ["quay.io"]\n'
        '[aliases]\n"app" = "quay.io/app"\n'
        f'[[registry]]\nlocation = "{home.environ.get("OTHER", "other.example")}"\ninsecure = true\n'
    )
    regctl = home.path / ".regctl" / "config.json"
    regctl.parent.mkdir()
    host = {"tls": "disabled", "user": USER, "pass": PASSWORD}
    regctl.write_text(json.dumps({"hosts": {home.environ.get("OTHER", "other.example"): host}}))


def with_a_store(home: Home) -> None:
    """A store has all logins; a helper is missing for another host."""
    programs = home.path / "bin"
    programs.mkdir()
    (programs / "docker-credential-store").write_text(STORE)
    (programs / "docker-credential-store").chmod(0o755)
    home.environ["PATH"] += f":{programs}"
    other = home.environ.get("OTHER", "other.example")
    _docker(
        home,
        {"auths": {other: {}}, "credsStore": "store", "credHelpers": {"helped.example": "missing"}},
    )


def with_a_missing_store(home: Home) -> None:
    """As a file that came from another machine."""
    _docker(home, {"auths": _logins(home), "credsStore": "missing"})


USERS: list[Callable[[Home], None]] = [nobody, with_logins, with_a_store, with_a_missing_store]

TLS = ("--tls",)

users = pytest.mark.parametrize("user", USERS, ids=lambda user: user.__name__)
users_and_schemes = pytest.mark.parametrize(
    ("user", "options"),
    [
        *(pytest.param(user, (), id=f"{user.__name__}-http") for user in USERS),
        *(pytest.param(user, TLS, id=f"{user.__name__}-https") for user in (nobody, with_a_store)),
    ],
)


def _logins(home: Home) -> dict[str, object]:
    return {
        home.environ.get("OTHER", "other.example"): AUTH,
        "quay.io": AUTH,
        "broken.example": {"auth": "not base64"},
        "number.example": {"auth": 5},
        "colon.example": {"auth": b64encode(b"no colon").decode()},
        "text.example": "text",
    }


def _docker(home: Home, config: dict[str, object]) -> None:
    folder = home.path / ".docker"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "contexts").mkdir()
