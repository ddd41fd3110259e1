"""What a container lists: pages of JSON.

A container's listing is told of objects after they stand; on a busy cluster it may lag, by minutes where the
container's servers were away.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.store import StoredObject
from udist_plugin.drivers.swift.answers import FOREIGN, NAME
from udist_plugin.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.drivers.swift.client import SwiftClient

PAGE: Final = 1000
"""Entries asked for at once; clusters allow 10,000 unless they are configured otherwise."""


def listed(client: SwiftClient, prefix: str, after: str = "") -> Iterator[StoredObject]:
    """Every object whose key starts with ``prefix`` and comes after ``after``, of a dynamic large one without
    its size."""
    from datetime import UTC, datetime

    for entry in _entries(client, prefix, after):
        try:
            modified = datetime.fromisoformat(entry["last_modified"]).replace(tzinfo=UTC).timestamp()
            version = entry.get("slo_etag", entry["hash"]).strip('"')
            yield StoredObject(entry["name"], entry["bytes"], round(modified, 5), version)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise StorageError(FOREIGN, driver=NAME, path=prefix) from error


def grouped(client: SwiftClient, prefix: str, after: str = "") -> Iterator[str]:
    """The keys as ``listed``, but of those with a further slash behind ``prefix`` one for all that share what
    is up to it."""
    for entry in _entries(client, prefix, after, delimiter="/"):
        yield _key(entry, prefix)


def _entries(client: SwiftClient, prefix: str, after: str, **more: str) -> Iterator[dict[str, Any]]:
    while True:
        params = {"format": "json", "prefix": prefix, "marker": after, "limit": str(PAGE), **more}
        response, _ = client.attempt("GET", "", accept={200}, params=params)
        try:
            page: list[dict[str, Any]] = response.json()
        except ValueError as error:
            raise StorageError(FOREIGN, driver=NAME, path=prefix) from error
        yield from page
        if len(page) < PAGE:
            return
        after = _key(page[-1], prefix)


def _key(entry: dict[str, Any], prefix: str) -> str:
    try:
        found: str = entry["subdir"] if "subdir" in entry else entry["name"]
    except (KeyError, TypeError) as error:
        raise StorageError(FOREIGN, driver=NAME, path=prefix) from error
    return found
