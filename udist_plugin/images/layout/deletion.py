"""An image taken off a layout's index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import ImageError, ImageUnknown
from udist_plugin.images.layout.destination import locked
from udist_plugin.images.layout.source import index_of

if TYPE_CHECKING:
    from udist_plugin.images.files import Folder
    from udist_plugin.images.layout.location import Location


def delete_image(folder: Folder, location: Location) -> None:
    """Removes the entries that have the name or the digest of ``location``. No blob is deleted.

    Raises ``ImageUnknown``, and ``ImageError`` for a location that says neither.
    """
    if not location.name and not location.digest:
        raise ImageError("an image is deleted by its name, or by its digest: PATH:@DIGEST", str(location))
    index_of(folder)  # there is no folder to lock otherwise
    with locked(folder.path):
        index = index_of(folder)
        if not index.remove(location.name, location.digest):
            raise ImageUnknown(f"there is no such image; it has {index.listed()}", str(location))
        with folder.new("index.json") as out:
            out.write(index.to_bytes())
