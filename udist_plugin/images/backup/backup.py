"""``backup_images``: repositories into one archive."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageUnknown
from udist_plugin.images.backup.archive import BackupArchive
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.progress import SILENT
from udist_plugin.images.syncing.choosing import by_pattern
from udist_plugin.images.syncing.copying import Copies
from udist_plugin.images.syncing.job import Job, check_targets, jobs_of
from udist_plugin.images.syncing.record import Record
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import open_repositories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.images.progress import Progress
    from udist_plugin.images.syncing.result import SyncResult
    from udist_plugin.images.transports.base import Repositories


def backup_images(
    sources: Sequence[Repositories | str],
    path: str,
    *,
    tags: Sequence[str] = (),
    without: Sequence[str] = (),
    progress: Progress = SILENT,
    system: SystemContext = THIS_SYSTEM,
) -> SyncResult:
    """Writes all tags of ``sources``, repositories or whole registries, to the archive at ``path``, with what
    refers to their images.

    ``tags`` and ``without`` are patterns, as of ``sync_images``. The archive is an OCI layout, and replaces
    what is at ``path`` once it is whole; ``-`` is standard output. The same images make the same bytes.

    Raises an ``ExceptionGroup`` of all that failed, and otherwise ``ImageError``, ``RegistryError``,
    ``TransportError`` and ``OSError``.
    """
    with ExitStack() as opened:
        jobs: list[Job] = []
        archive = BackupArchive(path)
        opened.callback(archive.close)
        for source in sources:
            if isinstance(source, str):
                source = opened.enter_context(open_repositories(source, system=system))
            jobs += jobs_of(source, archive, by_pattern(tags, without))
        archive.several = len({job.target for job in check_targets(jobs)}) > 1
        record = Record()
        copies = Copies(
            archive,
            record,
            policy=Policy.accepting_anything(),
            referrers=True,
            progress=progress,
            concurrency=1,
        )
        copies.run(jobs)
        result = record.result()
        if result.failed:
            raise ExceptionGroup("the backup is not complete", [failure.error for failure in result.failed])
        if not result.copied:
            raise ImageUnknown("no tag was found; there is nothing to back up", path)
        archive.finish()
        return result
