"""An image's blobs at hand, where reading them twice would take them over the network twice."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from udist_plugin.images.copying.copy import CopyJob
from udist_plugin.images.copying.plan import Plan
from udist_plugin.images.copying.recompression import Recompression
from udist_plugin.images.directory.destination import DirectoryDestination
from udist_plugin.images.directory.source import DirectorySource
from udist_plugin.images.files import Folder
from udist_plugin.images.parallel import CONCURRENCY
from udist_plugin.images.progress import SILENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.progress import Progress
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.manifest import Manifest


@contextmanager
def fetched(source: ImageSource, image: Manifest, progress: Progress = SILENT) -> Iterator[ImageSource]:
    """``image`` in a temporary folder, which is deleted when the block ends. Raises as ``copy_image``."""
    plan = Plan((image,))
    with tempfile.TemporaryDirectory(prefix="udist-") as folder:
        with DirectoryDestination(Folder(folder)) as target:
            CopyJob(source, target, plan, None, Recompression(source, plan, None)).run(CONCURRENCY, progress)
        with DirectorySource(Folder(folder)) as there:
            yield there
