"""What a sync did."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest


class Synced(NamedTuple):
    """An image at its source and its destination, as references, and the digest of both."""

    source: str
    destination: str
    digest: Digest


class Failure(NamedTuple):
    """What failed: an image or a repository, and why."""

    reference: str
    error: Exception


class SyncResult(NamedTuple):
    """``copied`` are the images that differed, ``present`` those that did not; ``deleted`` are the references
    that were removed at the destination.

    ``size`` is how many bytes of blobs were moved. Where ``failed`` has something, the rest was done all the
    same, and another sync tries again what is missing.
    """

    copied: list[Synced]
    present: list[Synced]
    deleted: list[str]
    failed: list[Failure]
    size: int
