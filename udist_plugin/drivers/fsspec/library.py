"""The one place that imports fsspec."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fsspec
from fsspec.utils import infer_storage_options

if TYPE_CHECKING:
    from collections.abc import Mapping


def open_system(url: str, options: Mapping[str, object]) -> tuple[Any, str]:
    """A file system of its own, and the path of ``url`` there. Raises what its library does."""
    system, path = fsspec.url_to_fs(url, skip_instance_cache=True, **options)
    system.dircache.use_listings_cache = False  # others write to the store as well
    return system, path


def address(url: str) -> tuple[str, int | None]:
    """The host and the port in ``url``."""
    found = infer_storage_options(url)
    return found.get("host", ""), found.get("port")


def look_up(protocol: str) -> None:
    """Raises ``ImportError`` or ``ValueError`` where there is no file system for it."""
    fsspec.get_filesystem_class(protocol)
