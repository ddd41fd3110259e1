"""The compiled modules of a program's start in one file: opening a hundred takes a fifth of the start.

The file is a cache like Python's own ``.pyc`` files, and is trusted as they are. It takes the place of one:
the one of a module here with the program's name, which nobody imports. So it is uninstalled with the package.
It is used as long as every source file in it has the size and the time of change that it had.
"""

from __future__ import annotations

import marshal
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import MAGIC_NUMBER, SourceFileLoader, cache_from_source
from contextlib import suppress
from mmap import PROT_READ, mmap

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

    Entry = tuple[str, int, int, int, int]
    """A source file below the package, its size, its time in nanoseconds; where its code begins and ends."""

PACKAGE = __name__.partition(".")[0]
FOLDER = os.path.dirname(os.path.dirname(__file__))


class Bundle:
    """Finds what ``program`` loads, as the first of ``sys.meta_path``."""

    def __init__(self, program: str) -> None:
        self._path = cache_from_source(os.path.join(os.path.dirname(__file__), f"{program}.py"))
        self._codes, self._entries = _read(self._path)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """See ``importlib.abc.MetaPathFinder``."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        source = os.path.join(FOLDER, entry[0])
        spec = ModuleSpec(name, _Loader(name, source, self._codes[entry[3] : entry[4]]), origin=source)
        if source.endswith("__init__.py"):
            spec.submodule_search_locations = [os.path.dirname(source)]
        spec.has_location = True
        spec.cached = self._path
        return spec

    def save(self) -> None:
        """Adds what is loaded by now and was not in the file, unless Python is to write no ``.pyc``."""
        missing = {name: loader for name, loader in _loaded() if name not in self._entries}
        if not missing or sys.dont_write_bytecode:
            return
        temporary = f"{self._path}.{os.getpid()}"
        try:
            with open(temporary, "xb") as file:
                file.write(self._with(missing))
            os.replace(temporary, self._path)
        except (OSError, ImportError, SyntaxError, ValueError):
            pass  # this user cannot write to the folder, or a source is being edited
        finally:
            with suppress(OSError):
                os.unlink(temporary)

    def _with(self, more: dict[str, SourceFileLoader]) -> bytes:
        """The file with more modules in it, each compiled as its source is now."""
        entries, codes = dict(self._entries), bytearray(self._codes)
        for name, loader in more.items():
            status = os.stat(loader.path)  # before the code: if it changes meanwhile, the entry is outdated
            code = marshal.dumps(loader.get_code(name))
            start = len(codes)
            codes += code
            source = os.path.relpath(loader.path, FOLDER)
            entries[name] = (source, status.st_size, status.st_mtime_ns, start, len(codes))
        return MAGIC_NUMBER + marshal.dumps((entries, len(codes))) + codes + MAGIC_NUMBER


class _Loader(SourceFileLoader):
    """As Python's own, but for where the code is."""

    def __init__(self, name: str, path: str, code: memoryview) -> None:
        super().__init__(name, path)
        self._code = code

    def get_code(self, _: str) -> CodeType:
        code: CodeType = marshal.loads(self._code)  # noqa: S302 - a cache of ours, as a .pyc is Python's
        return code


def _read(path: str) -> tuple[memoryview, dict[str, Entry]]:
    """The codes, and the entries by module. There are none if the file is not whole, or of another Python, or
    if a source has changed."""
    try:
        with open(path, "rb", 0) as file:
            content = memoryview(mmap(file.fileno(), 0, prot=PROT_READ))
        body, end = content[:-4], content[-4:]
        if body[:4] == end == MAGIC_NUMBER:
            entries, size = marshal.loads(body[4:])  # noqa: S302
            if all(map(_is_current, entries.values())):
                return body[-size:], entries
    except (OSError, EOFError, ValueError, TypeError):
        pass
    return memoryview(b""), {}


def _is_current(entry: Entry) -> bool:
    status = os.stat(os.path.join(FOLDER, entry[0]))
    return (status.st_size, status.st_mtime_ns) == entry[1:3]


def _loaded() -> Iterator[tuple[str, SourceFileLoader]]:
    """The modules of this package that are loaded, but for those that were in the file."""
    for name, module in list(sys.modules.items()):
        loader = getattr(module, "__loader__", None)
        if name.startswith(f"{PACKAGE}.") and type(loader) is SourceFileLoader:
            yield name, loader
