"""The user's own files: read as far as they can be, since a tool may never look at them."""

from __future__ import annotations

import os

from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def home(environ: Mapping[str, str], *path: str) -> str:
    """A path in the user's home."""
    return os.path.join(environ.get("HOME") or os.path.expanduser("~"), *path)


def config_home(environ: Mapping[str, str], *path: str) -> str:
    return os.path.join(environ.get("XDG_CONFIG_HOME") or home(environ, ".config"), *path)


def read_json(path: str, note: Callable[[str], object]) -> dict[str, Any]:
    """The object in a file; empty if there is no such file, or it is not to be used, which is said."""
    import json

    try:
        with open(path, "rb") as file:
            content = file.read()
        found = json.loads(content) if content.strip() else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        note(f"{path} is left out: {error}")
        return {}
    if isinstance(found, dict):
        return found
    note(f"{path} is left out: expected a JSON object")
    return {}


def table(value: object) -> dict[str, Any]:
    """``value`` if it is an object, else an empty one: what others wrote is taken as far as it goes."""
    return dict(value) if isinstance(value, dict) else {}
