"""The repositories of a store, found by walking its folders."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import InvalidPath, NameInvalid, PathNotFound
from udist_plugin.oci.reference import check_name
from udist_plugin.registry import Page
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.storage.drivers.base import StorageDriver


def list_repositories(driver: StorageDriver, limit: int | None = None, last: str = "") -> Page[str]:
    """Repositories that hold something, in lexical order; only folders that can matter are looked into."""
    found: list[str] = []
    for name, entries in walk(driver, last):
        if not ("_layers" in entries or "_manifests" in entries):
            continue
        if len(found) == limit:
            return Page(found, found[-1] if found else last)
        found.append(name)
    return Page(found)


def walk(driver: StorageDriver, last: str = "") -> Iterator[tuple[str, list[str]]]:
    """Every folder that can be a repository, by name in lexical order, with the names in it.

    Folders of which neither they nor what is below them comes after ``last`` are left out.
    """
    return _walk(driver, "", _entries(driver, paths.REPOSITORIES), last)


def _walk(
    driver: StorageDriver, prefix: str, entries: list[str], last: str
) -> Iterator[tuple[str, list[str]]]:
    # "a-b" comes before "a/b": the folder itself and what is below it have places of their own in the order.
    names = [f"{prefix}{entry}" for entry in entries if not entry.startswith("_")]
    inside: dict[str, list[str]] = {}
    for place in sorted([*names, *(f"{name}/" for name in names)]):
        name = place.removesuffix("/")
        if (place <= last and not (place != name and last.startswith(place))) or not _is_name(name):
            continue
        if name not in inside:
            inside[name] = _entries(driver, f"{paths.REPOSITORIES}/{name}")
        if place == name:
            yield name, inside[name]
        else:
            yield from _walk(driver, place, inside.pop(name), last)


def _entries(driver: StorageDriver, path: str) -> list[str]:
    try:
        return driver.list(path)
    except (PathNotFound, InvalidPath):  # deleted meanwhile, or a file
        return []


def _is_name(text: str) -> bool:
    try:
        check_name(text)
    except NameInvalid:
        return False
    return True
