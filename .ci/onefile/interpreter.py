"""The interpreter that runs the build, with what it needs of its system, made to run anywhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

LIBRARY = f"lib/python{sys.version_info.major}.{sys.version_info.minor}"

LEFT_OUT = {
    *("__pycache__", "site-packages", "dist-packages", "lib-dynload", "test", "tests", "idlelib", "tkinter"),
    *(
        "turtledemo",
        "lib2to3",
        "ensurepip",
        "distutils",
        "pydoc_data",
        "unittest",
        "venv",
        "curses",
        "sqlite3",
    ),
    *("dbm", "msilib", "xmlrpc", "turtle.py", "antigravity.py", "this.py", "doctest.py", "__phello__"),
}
"""Of the standard library: what no part of udist and of the packages imports."""

EXTENSIONS_LEFT_OUT = re.compile(
    r"_test|xx|_xx|_ctypes_test|_tkinter|nis\.|ossaudiodev|_curses|readline|_g?dbm|_sqlite3|spwd|audioop|_lsprof"
    r"|_codecs_"
)


def copy_interpreter(folder: Path) -> None:
    """Into ``folder``: ``bin/python``, the standard library's sources, its extension modules."""
    binary = folder / "bin" / "python"
    binary.parent.mkdir(parents=True)
    shutil.copyfile(os.path.realpath(sys._base_executable), binary)  # type: ignore[attr-defined]
    library = folder / LIBRARY
    source = Path(sysconfig.get_path("stdlib"))
    for path in source.rglob("*.py"):
        relative = path.relative_to(source)
        if not LEFT_OUT.intersection(relative.parts) and not relative.parts[0].startswith("config-"):
            _copy(path, library / relative)
    for path in (source / "lib-dynload").glob("*.so"):
        if not EXTENSIONS_LEFT_OUT.match(path.name):
            _copy(path, library / "lib-dynload" / path.name)


def carry_libraries(folder: Path) -> dict[str, Path]:
    """On Linux adds the system's libraries that the binaries in ``folder`` need, and its loader, and strips
    them all. Gives where each came from, by its name."""
    for path in binaries(folder):
        path.chmod(0o755)
    if sys.platform != "linux":
        return {}
    carried: dict[str, Path] = {}
    for path in binaries(folder):
        carried |= {name: found for name, found in _needed(path) if not found.is_relative_to(folder)}
    for name, found in carried.items():
        _copy(found, folder / "lib" / name)
    for path in binaries(folder):
        path.chmod(0o755)
        subprocess.run(["strip", "--strip-unneeded", str(path)], check=True)
        _forget_paths(path)
    return carried


MAGICS = (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def binaries(folder: Path) -> list[Path]:
    """All that a start may map into memory, in order."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                if file.read(4) in MAGICS:
                    found.append(path)
    return sorted(found)


def _needed(path: Path) -> list[tuple[str, Path]]:
    """What the loader finds for ``path``: ``libc.so.6 => /lib/libc.so.6 (0x...)``, and itself."""
    said = subprocess.run(["ldd", str(path)], capture_output=True, text=True, check=False).stdout
    libraries = re.findall(r"^\s*(\S+) => (/\S+) \(", said, re.M)
    loaders = [("loader", name) for name in re.findall(r"^\s*(/\S+) \(", said, re.M)]
    if missing := re.findall(r"^\s*(\S+) => not found", said, re.M):
        raise SystemExit(f"{path} needs {', '.join(missing)}, which this system does not have")
    return [(name, Path(os.path.realpath(found))) for name, found in [*libraries, *loaders]]


def _forget_paths(path: Path) -> None:
    """Blanks where the builder's machine had libraries: on another one anybody might own that folder."""
    said = subprocess.run(["readelf", "-dW", str(path)], capture_output=True, text=True, check=True).stdout
    content = path.read_bytes()
    for found in re.findall(r"\(R(?:UN)?PATH\)\s+Library r(?:un)?path: \[(.*)\]", said):
        if not found.startswith("$ORIGIN"):
            content = content.replace(b"\0" + found.encode() + b"\0", bytes(len(found) + 2))
    path.write_bytes(content)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
