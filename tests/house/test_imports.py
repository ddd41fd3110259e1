"""Who may import whom, read from the source: the rooms of the house, its doors, and no circles.

``udist_plugin/__init__.py`` is the street door: it names what a room inside exports and imports it on first
use, so it belongs to no room.
"""

from __future__ import annotations

import ast
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.house.generate import REPOSITORY
from udist_plugin.drivers import DRIVERS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGE = REPOSITORY / "udist_plugin"

LEAVES = {"errors", "content", "redaction", "version", "oci", "patterns", "kinds", "keys", "exhaustion"}
EVERYWHERE = {"typed"}
BACKBONE = {"errors", "oci", "content", "registry", "exhaustion"}
ROOMS = {
    "errors": set(),
    "content": set(),
    "redaction": set(),
    "exhaustion": set(),
    "helpers": {"exhaustion"},
    "version": set(),
    "typed": set(),
    "start": set(),
    "oci": {"errors"},
    "patterns": set(),
    "kinds": {"redaction", "patterns"},
    "keys": {"kinds"},
    "registry": {"errors", "oci", "content"},
    "drivers": {"errors", "content", "redaction", "kinds", "keys", "exhaustion", "helpers"},
    "storage": BACKBONE | {"drivers", "helpers", "kinds", "patterns"},
    "remote": BACKBONE | {"version"},
    "wrappers": BACKBONE | {"remote", "patterns"},
    "notifications": BACKBONE | {"remote", "wrappers", "config", "redaction"},
    "proxy": BACKBONE | {"remote", "storage", "drivers", "config", "patterns"},
    "http_api": BACKBONE | {"patterns"},
    "config": {"errors", "redaction", "kinds", "keys", "drivers", "patterns"},
    "lazy_registry": {"registry"},
    "service": BACKBONE | {"lazy_registry", "storage", "drivers", "wrappers", "http_api", "config"},
    "mail": {"config"},
    "middleware": {"errors", "registry", "config"},
    "redirecting": {"errors", "drivers", "config"},
    "tracing": {"errors", "http_api", "version"},
    "bootstrap": BACKBONE
    | {"redaction", "storage", "drivers", "remote", "wrappers", "http_api", "config", "service"}
    | {"lazy_registry", "mail", "middleware", "notifications", "patterns", "proxy", "redirecting", "tracing"},
    "wire": {"errors"},
    "link": {"wire", "errors"},
    "server": {"wire", "link", "errors", "version", "exhaustion"},
    "client": {"wire", "link", "errors", "version", "exhaustion", "config"},
    "images": BACKBONE | {"remote", "client", "config", "bootstrap", "patterns"},
    "gateway": BACKBONE | {"http_api", "version"},
    "__main__": {"cli"},
    "testing": BACKBONE | {"storage", "drivers", "wire", "link", "client"},
    "cli": BACKBONE
    | {
        "storage",
        "drivers",
        "remote",
        "wrappers",
        "http_api",
        "config",
        "bootstrap",
        "wire",
        "link",
        "server",
    }
    | {"client", "images", "gateway", "testing", "redaction", "kinds", "keys", "version", "service", "start"},
}
"""What each room may import of the others."""

INSIDE: dict[str, set[str]] = {
    "drivers.filesystem": {"drivers.base", "drivers.once", "drivers.section"},
    "drivers.objects": {"drivers.base", "drivers.growing"},
    "drivers.fsspec": {"drivers.base", "drivers.section", "drivers.growing"},
    "drivers.s3": {"drivers.base", "drivers.section", "drivers.objects"},
    "drivers.gcs": {"drivers.base", "drivers.section", "drivers.objects"},
    "drivers.oss": {"drivers.base", "drivers.section", "drivers.objects"},
    "drivers.azure": {"drivers.base", "drivers.section", "drivers.objects"},
    "drivers.swift": {"drivers.base", "drivers.section", "drivers.objects"},
    "storage.sizes": {"storage.cache"},
    "storage.upkeep": {"storage.catalog", "storage.collection.notes", "storage.paths", "storage.stretches"},
    "http_api.middleware": {"http_api.errors", "http_api.request", "http_api.response", "http_api.routes"},
    "config.keys": {"config.part", "config.schema"},
    "client.trace": set(),
    "gateway.clients": {"gateway.credential", "gateway.folder"},
    "cli.browse": {
        "cli.anywhere",
        "cli.error_codes",
        "cli.failures",
        "cli.options",
        "cli.output",
        "cli.places",
    },
}
"""What a folder within a room may import of that room, beside its own files: files, and other folders."""

SAME = {"keys", "settings", "driver", "store", "probe", "client", "transfers", "checkup"}
"""The files of each driver for an object store: who knows one knows where to look in the others."""

SANS_IO = {"os", "socket", "threading", "time", "select", "selectors", "subprocess", "asyncio", "io"}
"""What ``wire`` does without: it is told what was read and asked what to write."""

START_PATH = LEAVES | {
    "typed",
    "start",
    "lazy_registry",
    "registry",
    "drivers",
    "storage",
    "http_api",
    "wrappers",
    "config",
    "service",
    "bootstrap",
    "wire",
    "link",
    "server",
}
"""Rooms that the plugin imports before its first answer."""

SLOW = {
    "argparse",
    "asyncio",
    "dataclasses",
    "datetime",
    "email",
    "hashlib",
    "http",
    "inspect",
    "json",
    "logging",
    "pathlib",
    "random",
    "secrets",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib.request",
    "uuid",
    "yaml",
}
"""What these rooms import only inside the function that needs it."""


class Import(NamedTuple):
    """One imported module; ``checked`` is only for the type checker, ``top`` at import of the file."""

    module: str
    checked: bool
    top: bool
    line: int


@cache
def sources() -> dict[str, Path]:
    """Every module of ours by name; generated code aside."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(REPOSITORY).with_suffix("").parts
        if "generated" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(module: str) -> tuple[Import, ...]:
    tree = ast.parse(sources()[module].read_text())
    return tuple(_walk(tree, checked=False, top=True))


def _walk(node: ast.AST, *, checked: bool, top: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, checked, top, child.lineno)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute"
            for alias in child.names:
                whole = f"{child.module}.{alias.name}"
                yield Import(whole if whole in sources() else child.module or "", checked, top, child.lineno)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for part in child.body:
                yield from _walk(ast.Module([part], []), checked=True, top=top)
            for part in child.orelse:
                yield from _walk(ast.Module([part], []), checked=checked, top=top)
        else:
            inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _walk(child, checked=checked, top=top and not inside)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def inner(module: str) -> str:
    """The folder within a room that a module stands in, as ``drivers.s3``; empty if it is the room itself."""
    path = sources().get(module)
    parts = module.split(".")[1:]
    if path is None or (len(parts) < 3 and path.name != "__init__.py"):
        return ""
    return ".".join(parts[:2])


@pytest.mark.parametrize("module", sorted(sources()))
def test_a_room_imports_only_what_it_may(module: str) -> None:
    if not room(module):
        return
    assert room(module) in ROOMS, "a new room needs a row in ROOMS"
    allowed = ROOMS[room(module)] | EVERYWHERE | {room(module), ""}
    wrong = [each for each in imports(module) if each.module.split(".")[0] == "udist_plugin"]
    assert [each for each in wrong if room(each.module) not in allowed] == []


def test_the_rooms_form_no_circle() -> None:
    assert circles({name: set(below) for name, below in ROOMS.items()}) == set()


def test_modules_form_no_circle() -> None:
    """Imports for the type checker and inside functions count too: a circle is two thoughts in one place."""
    graph = {module: {each.module for each in imports(module)} & set(sources()) for module in sources()}
    assert circles(graph) == set()


@pytest.mark.parametrize("module", [each for each in sorted(sources()) if inner(each) in INSIDE])
def test_inside_a_room_too(module: str) -> None:
    allowed = INSIDE[inner(module)] | {inner(module)}
    own = [each for each in imports(module) if room(each.module) == room(module)]
    assert [each for each in own if not {inner(each.module), each.module.partition(".")[2]} & allowed] == []


@pytest.mark.parametrize("service", ["azure", "filesystem", "gcs", "oss", "s3", "swift"])
def test_a_driver_has_the_files_that_every_driver_has(service: str) -> None:
    files = {path.stem for path in (PACKAGE / "drivers" / service).glob("*.py")}
    shared = {"keys", "driver"}
    assert files >= (shared if service == "filesystem" else SAME)


def test_nobody_but_the_doors_reads_the_environment() -> None:
    found = {
        module
        for module, path in sources().items()
        if re.search(r"\bos\.(environ|getenv)\b", re.sub(r"``[^`]*``", "", path.read_text()))
    }
    assert {room(module) for module in found} <= {"cli"} | {"bootstrap", "client", "images", "testing"}
    assert {module for module in found if room(module) in {"client", "images"}} <= {
        "udist_plugin.client.plugin",
        "udist_plugin.images.system",
    }


def circles(graph: dict[str, set[str]]) -> set[str]:
    """The nodes left once all are gone that lead nowhere but to those gone before."""
    left = dict(graph)
    while leaves := {name for name, below in left.items() if not below & left.keys() - {name}}:
        left = {name: below for name, below in left.items() if name not in leaves}
    return set(left)


@pytest.mark.parametrize("module", [each for each in sorted(sources()) if room(each) in START_PATH])
def test_the_start_path_imports_nothing_slow(module: str) -> None:
    slow = [
        each
        for each in imports(module)
        if each.top and not each.checked and any((each.module + ".").startswith(f"{name}.") for name in SLOW)
    ]
    assert slow == []


@pytest.mark.parametrize("module", [each for each in sorted(sources()) if room(each) == "wire"])
def test_the_protocol_does_no_input_or_output(module: str) -> None:
    assert [each for each in imports(module) if each.module.split(".")[0] in SANS_IO] == []


def test_a_heavy_package_is_imported_by_one_file_of_a_room_on_first_use() -> None:
    """On first use: inside a function, or in files imported there. pytest is at home in ``testing``; Textual,
    with rich in its interfaces, in the files of ``cli.browse`` that draw."""
    users: dict[tuple[str, str], set[str]] = {}
    early = set()
    for module in sources():
        for each in imports(module):
            package = distribution(each.module)
            if (
                package in {"udist_plugin", "__future__"}
                or package in sys.stdlib_module_names
                or each.checked
            ):
                continue
            users.setdefault((package, room(module)), set()).add(module)
            if each.top and module in imported_at_start() and room(module) not in {"cli", "testing"}:
                early.add((package, module))
    users.pop(("pytest", "testing"), None)
    screens = users.pop(("textual", "cli"))
    users["rich", "cli"] -= screens
    assert screens == {f"udist_plugin.cli.browse.{name}" for name in ("app", "pane", "rows", "screens")}
    assert {package: modules for package, modules in users.items() if len(modules) > 1} == {}
    assert early == set()


def distribution(module: str) -> str:
    """The package that is installed: ``google`` and ``azure`` are many."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in {"azure", "google"} else parts[0]


@cache
def imported_at_start() -> set[str]:
    """What the modules that nobody imports bring with them before any function runs; drivers are imported by
    their names, when they are opened."""
    waiting = set(sources()) - {each.module for name in sources() for each in imports(name)}
    waiting -= {name for driver in DRIVERS.values() for name in (driver.module, driver.checkup)}
    found: set[str] = set()
    while waiting:
        module = waiting.pop()
        for each in imports(module):
            if each.top and not each.checked and each.module in sources().keys() - found:
                found.add(each.module)
                waiting.add(each.module)
    return found
