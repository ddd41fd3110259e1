"""What a folder holds, to compare."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def content_of(root: Path) -> dict[str, object]:
    """By path: a file's bytes and whether it is executable, a link's target, ``None`` for a folder."""
    found: dict[str, object] = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_dir():
            found[name] = None
        else:
            found[name] = path.read_bytes(), os.access(path, os.X_OK)
    return found
