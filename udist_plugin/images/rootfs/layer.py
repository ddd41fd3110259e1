"""A layer's files, in their order."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.images.progress import SILENT
from udist_plugin.images.rootfs.content import unpacked
from udist_plugin.images.unpacking import BoundedEntry

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from typing import IO

    from udist_plugin.content import Readable
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor


class Member(NamedTuple):
    """An entry of a layer. ``content`` is that of a file, to be read before the next one."""

    entry: tarfile.TarInfo
    content: IO[bytes] | None


def members_of(
    source: ImageSource, layer: Descriptor, progress: Progress = SILENT, doing: str = "unpacking"
) -> Generator[Member, None, None]:
    """The entries of a layer. After the last one, the whole layer is verified.

    Raises ``LayoutInvalid`` for what is no tar, or unpacks to too much, ``DigestInvalid`` and
    ``SizeInvalid``.
    """
    with unpacked(source, layer, progress, doing) as plain:
        yield from entries_of(plain)


def entries_of(plain: Readable) -> Iterator[Member]:
    """Those of a tar. Raises ``tarfile.TarError``."""
    with tarfile.open(fileobj=plain, mode="r|", tarinfo=BoundedEntry) as tar:  # type: ignore[call-overload]
        while (entry := tar.next()) is not None:
            tar.members.clear()  # tarfile keeps every entry otherwise
            yield Member(entry, tar.extractfile(entry) if entry.isreg() else None)
