"""Folders of configuration files, of which the user's hide the administrator's, and those the vendor's."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FOLDERS: Final = ("/etc/containers", "/usr/share/containers")


def user_folders(environ: Mapping[str, str]) -> list[str]:
    """The user's own folder, if there is a home."""
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (home and os.path.join(home, ".config"))
    return [os.path.join(config, "containers")] if config else []


def drop_ins(folders: Iterable[str], ending: str) -> list[str]:
    """The files in ``folders``, the nearest first, in the order of their names; of one name, the nearest."""
    found: dict[str, str] = {}
    for folder in reversed(list(folders)):
        names = os.listdir(folder) if os.path.isdir(folder) else []
        found |= {name: os.path.join(folder, name) for name in names if name.endswith(ending)}
    return [found[name] for name in sorted(found, key=os.fsencode) if not os.path.isdir(found[name])]
