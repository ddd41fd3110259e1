"""Which blobs no repository has, by the links of all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.storage import paths
from udist_plugin.storage.catalog import walk
from udist_plugin.storage.collection.walk import names_in
from udist_plugin.storage.links import read_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest

OWN: Final = "sha256"
"""Links by this algorithm hold the digest in their paths. Stock servers keep all data by it, and say in the
link of another digest for which of these it stands."""


def unlinked(driver: StorageDriver, digests: set[Digest]) -> set[Digest]:
    """Those of ``digests`` to which no link leads. Raises ``StorageError``."""
    if not digests:
        return digests
    if driver.has_folders:
        for name, _ in walk(driver):
            digests = {digest for digest in digests if not _has(driver, name, digest)}
            digests = digests - set(_translated(driver, paths.layers(name)))
        return digests
    # A look at each link is a request there, and one tells of a thousand files.
    return digests - {link for path in driver.files(paths.REPOSITORIES) if (link := _linked(driver, path))}


def _has(driver: StorageDriver, name: str, digest: Digest) -> bool:
    folders = paths.layer(name, digest), paths.revision(name, digest)
    return any(driver.stands(paths.link(folder)) for folder in folders)


def _translated(driver: StorageDriver, layers: str) -> Iterator[Digest | None]:
    """What the links of a repository hold that may hold another digest than their path says."""
    for algorithm in names_in(driver, layers):
        if algorithm != OWN:
            for encoded in names_in(driver, f"{layers}/{algorithm}"):
                yield read_link(driver, f"{layers}/{algorithm}/{encoded}/link")


def _linked(driver: StorageDriver, path: str) -> str | None:
    """What a path below ``REPOSITORIES`` links to, if it is that of a link."""
    parts = path.split("/")
    if len(parts) <= 4 or parts[-1] != "link" or parts[-4] not in (paths.LAYERS, "revisions"):
        return None
    if parts[-3] == OWN:
        return f"{parts[-3]}:{parts[-2]}"
    return read_link(driver, f"{paths.REPOSITORIES}/{path}")
