"""``restore_images``: a backup's repositories to where they are wanted."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING

from udist_plugin.errors import ImageUnknown, ReferenceInvalid
from udist_plugin.images.archive.members import Archive
from udist_plugin.images.archive.transports import OCIArchiveTransport
from udist_plugin.images.files import Folder
from udist_plugin.images.layout.repositories import LayoutRepositories
from udist_plugin.images.parallel import CONCURRENCY
from udist_plugin.images.policy.policy import Policy
from udist_plugin.images.progress import SILENT
from udist_plugin.images.syncing.choosing import by_pattern
from udist_plugin.images.syncing.copying import Copies
from udist_plugin.images.syncing.job import Job, check_targets
from udist_plugin.images.syncing.record import Record
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import open_repositories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from udist_plugin.images.progress import Progress
    from udist_plugin.images.syncing.choosing import Choice
    from udist_plugin.images.syncing.result import SyncResult
    from udist_plugin.images.transports.base import Repositories


def restore_images(
    path: str,
    destination: Repositories | str = "udist:",
    *,
    names: Mapping[str, str] | None = None,
    tags: Sequence[str] = (),
    without: Sequence[str] = (),
    dry_run: bool = False,
    progress: Progress = SILENT,
    concurrency: int = CONCURRENCY,
    system: SystemContext = THIS_SYSTEM,
) -> SyncResult:
    """Copies the repositories of the backup at ``path`` to ``destination``, as far as they are not there.

    ``names`` are the repositories to restore, all if it is ``None``, each with the name that it gets. A
    backup that ``oras backup`` made has no name for its only repository; any is taken for it. ``path`` is
    an archive, a folder with the same files, or ``-`` for standard input. Tags that are there move to the
    backup's images, and others stay.

    What concerns one image does not stop the others, and is in the result. Raises ``ImageError``,
    ``RegistryError``, ``TransportError`` and ``OSError`` for what concerns all.
    """
    with ExitStack() as opened:
        source = opened.enter_context(_open(path))
        if isinstance(destination, str):
            destination = opened.enter_context(open_repositories(destination, system=system))
        record = Record()
        copies = Copies(
            destination,
            record,
            policy=Policy.accepting_anything(),
            referrers=True,
            dry_run=dry_run,
            progress=progress,
            concurrency=concurrency,
        )
        copies.run(_jobs(source, destination, names, by_pattern(tags, without), path))
        return record.result()


def _open(path: str) -> LayoutRepositories:
    files = Folder(path) if os.path.isdir(path) else Archive(path)
    try:
        return LayoutRepositories(OCIArchiveTransport(), files)
    except BaseException:
        files.close()
        raise


def _jobs(
    source: Repositories,
    destination: Repositories,
    names: Mapping[str, str] | None,
    choose: Choice,
    path: str,
) -> list[Job]:
    there = source.list_repositories()
    if names is None:
        names = {name: name for name in there}
    jobs = []
    for name, target in names.items():
        if there == [""]:
            name = ""
        if name not in there:
            known = ", ".join(filter(None, there)) or "one without a name"
            raise ImageUnknown(f"the backup has no repository {name!r}; it has {known}", path)
        target = "/".join(filter(None, (destination.chosen, target)))
        if not target and not destination.nameless:
            raise ReferenceInvalid("the backup does not name its repository; give it a name", path)
        jobs.append(Job(source, name, target, choose))
    return check_targets(jobs)
