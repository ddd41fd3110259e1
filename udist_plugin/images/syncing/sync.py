"""``sync_images``: repositories copied as they are, and kept equal."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.parallel import CONCURRENCY
from udist_plugin.images.progress import SILENT
from udist_plugin.images.syncing.choosing import by_pattern
from udist_plugin.images.syncing.copying import Copies
from udist_plugin.images.syncing.deleting import Deletion
from udist_plugin.images.syncing.job import is_one, jobs_of
from udist_plugin.images.syncing.record import Record
from udist_plugin.images.syncing.yaml_file import YAML, jobs_in_file
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports import open_repositories

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.syncing.result import SyncResult
    from udist_plugin.images.transports.base import Repositories


def sync_images(
    source: Repositories | str,
    destination: Repositories | str,
    *,
    policy: Policy,
    tags: Sequence[str] = (),
    without: Sequence[str] = (),
    referrers: bool = False,
    delete: bool = False,
    force: bool = False,
    dry_run: bool = False,
    progress: Progress = SILENT,
    concurrency: int = CONCURRENCY,
    system: SystemContext = THIS_SYSTEM,
) -> SyncResult:
    """Copies a repository, or all of a registry, to where it is wanted, as far as it is not there.

    Places are open, or texts such as ``docker://quay.io/team/app``, ``udist:`` or ``oci:folder``; the source
    may be ``yaml:file``, which lists registries as for ``skopeo sync``. One repository becomes the one that
    the destination names, or keeps its name; of a whole registry, all keep their names below what the
    destination names.

    ``tags`` and ``without`` are patterns such as ``v1.*``. A tag that both places have with one digest costs
    one HEAD each; up to ``concurrency`` are looked at, and copied, at once, with all platforms and every byte
    as it is. Each image that is copied must meet ``policy``, as of ``copy_image``. With ``referrers``,
    what refers to an image is copied with it, such as signatures, also those that cosign keeps at tags,
    whatever the patterns say. Of these, container images alone are judged.

    With ``delete``, tags that match and that the source does not have are deleted at the destination, but not
    of a repository of which something failed, and not if the source lists none for it: that takes ``force``.

    What concerns one image or repository does not stop the others, and is in the result. Raises
    ``ImageError``, ``RegistryError``, ``TransportError`` and ``OSError`` for what concerns all.
    """
    with ExitStack() as opened:

        def at(place: Repositories | str) -> Repositories:
            if isinstance(place, str):
                return opened.enter_context(open_repositories(place, system=system))
            return place

        written = at(destination)
        record, choose, whole = Record(), by_pattern(tags, without), False
        if isinstance(source, str) and source.startswith(YAML):
            if tags or without:
                raise ReferenceInvalid("the file says which tags; give no patterns", source)
            jobs = jobs_in_file(source.removeprefix(YAML), written, system, opened, record)
        else:
            read = at(source)
            jobs, whole = jobs_of(read, written, choose), not is_one(read)
        copies = Copies(
            written,
            record,
            policy=policy,
            referrers=referrers,
            dry_run=dry_run,
            progress=progress,
            concurrency=concurrency,
        )
        found = copies.run(jobs)
        if delete:
            deletion = Deletion(written, record, force=force, dry_run=dry_run)
            deletion.of_repositories(found)
            if whole:
                deletion.of_others(found, written.chosen, choose)
        return record.result()
