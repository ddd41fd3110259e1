"""Link files: a digest, and nothing else."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import BrokenLink, DigestInvalid, PathNotFound
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from udist_plugin.drivers.base import StorageDriver

LINK_MAX: Final = 1024
"""No link is longer, in bytes."""
KEPT: Final = 1024
"""Links whose content is kept as a digest once it was found to be one."""


def read_link(driver: StorageDriver, path: str) -> Digest | None:
    """The digest a link holds, ``None`` when there is no link.

    Raises ``BrokenLink`` for a file that holds something else, as a server killed in the middle of
    writing it in place leaves behind.
    """
    try:
        content = driver.get_content(path, LINK_MAX)
    except PathNotFound:
        return None
    try:
        return _digest(content)
    except DigestInvalid:
        raise BrokenLink("not a digest; push it again", driver=driver.name, path=path) from None


def write_link(driver: StorageDriver, path: str, digest: Digest) -> None:
    """Makes a link, durable when this returns."""
    driver.put_content(path, link_content(digest))


def link_content(digest: Digest) -> bytes:
    """What stands in a link to ``digest``."""
    return digest.encode("ascii")


@lru_cache(KEPT)
def _digest(content: bytes) -> Digest:
    return Digest(content.decode("ascii", "replace"))
