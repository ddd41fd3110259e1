"""What to spawn: the command that was asked for, or else a plugin that is found."""

from __future__ import annotations

import os
import sys

from udist_plugin.errors import PluginNotFound
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VARIABLE: Final = "UDIST_PLUGIN"

OWN: Final = "udist_plugin"
"""Where udist is a single file, the attribute of ``sys`` with the words that start its plugin."""

HINT: Final = f"install it from a checkout (pip install /path/to/udist), or set {VARIABLE} to its command"

_ROOT = os.path.abspath(__file__).rpartition(f"{os.sep}udist_plugin{os.sep}")[0]
"""Where this package was imported from: a folder, or an archive. Made absolute before anybody changes the
working directory."""

_RUN: Final = (
    "import sys, collections; site, root, *more = sys.argv[1:]; del sys.argv[1:]; "
    "sys.path.insert(0, root); import udist_plugin; del sys.path[0]; "
    "from udist_plugin.start.late_site import LateSite; "
    "sys.meta_path.insert(0, LateSite(more, wanted=bool(site))); "
    "from udist_plugin.cli.plugin import main; main()"
)
"""Runs this very package from its root, and for all else looks last where the caller does. Neither a folder
that the caller stands in nor the package's own can hide a module of the standard library."""


def find_command(command: str | Sequence[str] | None, environ: Mapping[str, str]) -> tuple[list[str], bool]:
    """The words to spawn, and whether they are this library's own choice.

    ``command`` goes before ``UDIST_PLUGIN``; text is split as a POSIX shell does, without expansion. With
    neither it is this interpreter's own plugin, or what ``PATH`` has. Raises ``PluginNotFound``.
    """
    if command:
        return (_split(command, "the command") if isinstance(command, str) else list(command)), False
    if text := environ.get(VARIABLE, "").strip():
        return _split(text, VARIABLE), False
    if own := getattr(sys, OWN, None):
        return list(own), True
    interpreter = _interpreter()
    if interpreter and os.path.exists(_ROOT):
        more = [os.path.abspath(path) for path in sys.path if path]
        site = "" if sys.flags.no_site else "site"
        return [interpreter, *_flags(), "-c", _RUN, site, _ROOT, *more], True
    from shutil import which

    if found := which("udist-plugin", path=environ.get("PATH", os.defpath)):
        return [found], True
    raise PluginNotFound(f"no Python interpreter to run the plugin, and no udist-plugin on PATH; {HINT}")


def _split(text: str, source: str) -> list[str]:
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise PluginNotFound(f"{source} ({text}) cannot be split into words: {error}") from None


def _interpreter() -> str | None:
    """A Python of this version. ``sys.executable`` may be another program: one that embeds Python (uWSGI), or
    the caller itself, frozen, which spawned would only spawn itself again."""
    if getattr(sys, "frozen", False) or _is_compiled():
        return None
    if sys.executable and os.path.basename(sys.executable).lower().startswith(("python", "pypy", "graalpy")):
        return sys.executable
    if sys.platform == "win32":
        names = ["Scripts\\python.exe", "python.exe"]
    else:
        names = [f"bin/python{sys.version_info.major}.{sys.version_info.minor}"]
    found = (os.path.join(prefix, name) for prefix in (sys.prefix, sys.base_prefix) for name in names)
    return next((path for path in found if os.access(path, os.X_OK)), None)


def _is_compiled() -> bool:
    """Whether Nuitka has made a program of this package or of the main module."""
    return "__compiled__" in globals() or hasattr(sys.modules.get("__main__"), "__compiled__")


def _flags() -> list[str]:
    """How much this interpreter was told to look at, told to the plugin's too."""
    given = {
        "-I": sys.flags.isolated,
        "-E": sys.flags.ignore_environment,
        "-s": sys.flags.no_user_site,
        "-S": True,  # see LateSite
        "-B": sys.flags.dont_write_bytecode,
    }
    options = getattr(sys, "_xoptions", {}).items()  # CPython's
    return [
        *(flag for flag, is_set in given.items() if is_set),
        "-P",
        *(f"-X{name}" if value is True else f"-X{name}={value}" for name, value in options),
    ]
