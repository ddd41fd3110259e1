"""Turns all the sources in the tree that it is given into one file of bytecode, which ``start.py`` reads.

It runs in a process of its own: marshalled code depends on what else of the process shares its parts.
"""

from __future__ import annotations

import importlib.util
import marshal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import CodeType

LOOSE = {"start", "encodings", "encodings.aliases", "encodings.utf_8"}
"""What Python loads before ``start.py`` can help."""

LANDMARK = "os"
"""By this file Python knows its library."""


def sources(folder: Path) -> Iterator[tuple[str, Path]]:
    """Modules by name."""
    for path in sorted(folder.rglob("*.py")):
        *packages, name = path.relative_to(folder).with_suffix("").parts
        yield ".".join(packages if name == "__init__" else [*packages, name]), path


def compiled(name: str, path: Path) -> CodeType | None:
    """Nothing where Python prefers a binary beside it, for a template, or for what another version of Python
    would understand. Tracebacks name the module in place of a file that exists nowhere."""
    if any(path.parent.glob(f"{path.stem}.*.so")):
        return None
    try:
        return compile(path.read_bytes(), f"<{name}>", "exec", dont_inherit=True)
    except SyntaxError:
        if name.startswith("udist_plugin."):
            raise
        return None


def namespaces(names: Iterable[str]) -> set[str]:
    """Packages that have no module of their own."""
    parents = {name[:end] for name in names for end, letter in enumerate(name) if letter == "."}
    return parents.difference(names)


def main() -> None:
    library, packages = map(Path, sys.argv[1:3])
    tree = library.parents[1]
    entries: dict[str, tuple[bool, bool, int, int]] = {}
    codes = bytearray()
    for folder in (packages, library, tree):
        for name, path in list(sources(folder)):
            code = compiled(name, path)
            if code is not None:
                begin = len(codes)
                codes += marshal.dumps(code)
                entries[name] = (path.name == "__init__.py", folder == packages, begin, len(codes) - begin)
                if name in LOOSE:
                    header = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8)
                    path.with_suffix(".pyc").write_bytes(header + codes[begin:])
            path.unlink()
    for name in sorted(namespaces(entries)):
        begin = len(codes)
        codes += marshal.dumps(compile("", f"<{name}>", "exec"))
        entries[name] = (True, True, begin, len(codes) - begin)
    (library / f"{LANDMARK}.pyc").touch()
    index = marshal.dumps(entries)
    (tree / "lib" / "modules").write_bytes(len(index).to_bytes(8, "big") + index + codes)


main()
