"""Link files: a digest, and nothing else."""

from __future__ import annotations

from functools import lru_cache

from udist_plugin.errors import DigestInvalid, InvalidPath, PathNotFound
from udist_plugin.oci.digest import HEX_LENGTHS, Digest
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver

LINK_MIN: Final = min(len(f"{algorithm}:") + length for algorithm, length in HEX_LENGTHS.items())
"""No link is shorter, in bytes."""
KEPT: Final = 1024
"""Links whose content is kept as a digest once it was found to be one."""


def read_link(driver: StorageDriver, path: str) -> Digest | None:
    """The digest a link holds, ``None`` when there is no link.

    A file that holds anything else, as a server leaves it that was killed while it wrote, counts as none:
    every client heals that by pushing again.
    """
    try:
        return _digest(driver.get_content(path))
    except (PathNotFound, InvalidPath, DigestInvalid):
        return None


def write_link(driver: StorageDriver, path: str, digest: Digest) -> None:
    """Makes a link, durable when this returns."""
    driver.put_content(path, link_content(digest))


def link_content(digest: Digest) -> bytes:
    """What stands in a link to ``digest``."""
    return digest.encode("ascii")


@lru_cache(KEPT)
def _digest(content: bytes) -> Digest:
    return Digest(content.decode("ascii", "replace"))
