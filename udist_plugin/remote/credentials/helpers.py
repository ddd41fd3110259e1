"""Credential helpers: programs called ``docker-credential-NAME``."""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import suppress
from typing import Final

from udist_plugin.remote.credentials.credential import Credential

PATIENCE: Final = 60.0
"""Seconds that a helper has: it may ask its user."""

NOT_FOUND: Final = ("credentials not found", "no credentials server URL", "no credentials username")
"""What helpers say when they have none."""


class HelperFailed(Exception):
    """A helper is missing, or fails. The message says which, and why."""


def ask_helper(name: str, server: str) -> Credential | None:
    """What the helper ``name`` has for ``server``; ``None`` if it has nothing. Raises ``HelperFailed``."""
    return ask_program(_program(name), server)


def ask_program(program: str, server: str) -> Credential | None:
    """The same of a program of any name, which is run with the argument ``get``."""
    try:
        answer = _run(program, "get", server)
    except _NothingFound:
        return None
    try:
        found = json.loads(answer)
        username, secret = found.get("Username") or "", found["Secret"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HelperFailed(f"{program}: its answer is not as expected") from None
    return Credential.of_login(username, secret, program) if username and secret else None


def store_login(name: str, server: str, username: str, password: str) -> None:
    """Has the helper ``name`` keep a login. Raises ``HelperFailed``."""
    _run(_program(name), "store", json.dumps({"ServerURL": server, "Username": username, "Secret": password}))


def erase_login(name: str, server: str) -> None:
    """Has the helper ``name`` forget a login, if it has one. Raises ``HelperFailed``."""
    with suppress(_NothingFound):
        _run(_program(name), "erase", server)


class _NothingFound(Exception):
    """The helper has nothing for a server."""


def _program(name: str) -> str:
    if not re.fullmatch(r"[\w.-]+", name):
        raise HelperFailed(f"{name!r} is no name of a helper")
    return f"docker-credential-{name}"


def _run(program: str, verb: str, said: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - what the user has set up
            [program, verb], input=said, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not installed") from None
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise HelperFailed(f"{program}: {error}") from None
    if done.returncode:
        answer = (done.stdout + done.stderr).strip()
        if any(words in answer for words in NOT_FOUND):
            raise _NothingFound
        raise HelperFailed(f"{program}: {answer[:200] or f'status {done.returncode}'}")
    return done.stdout
