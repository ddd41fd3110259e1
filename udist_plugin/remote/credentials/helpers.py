"""Credential helpers: programs called ``docker-credential-NAME``."""

from __future__ import annotations

import json
import re
import subprocess
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
    program = f"docker-credential-{name}"
    if not re.fullmatch(r"[\w.-]+", name):
        raise HelperFailed(f"{name!r} is no name of a helper")
    try:
        done = subprocess.run(  # noqa: S603 - what the user has set up
            [program, "get"], input=server, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except FileNotFoundError:
        raise HelperFailed(f"{program} is not installed") from None
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise HelperFailed(f"{program}: {error}") from None
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        if any(words in said for words in NOT_FOUND):
            return None
        raise HelperFailed(f"{program}: {said[:200] or f'status {done.returncode}'}")
    try:
        found = json.loads(done.stdout)
        username, secret = found.get("Username") or "", found["Secret"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise HelperFailed(f"{program}: its answer is not as expected") from None
    return Credential.of_login(username, secret, program) if username and secret else None
