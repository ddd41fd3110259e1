"""Tags that the destination has and the source has not."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ImageError, ImageUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from udist_plugin.images.syncing.choosing import Choice
    from udist_plugin.images.syncing.comparing import Listed
    from udist_plugin.images.syncing.record import Record
    from udist_plugin.images.transports.base import Repositories

_REFERRERS_TAG: Final = re.compile("sha256-([0-9a-f]{64})")  # distribution-spec, "Referrers Tag Schema"


class Deletion:
    """Deletes tags of ``destination``, but not of a repository of which something failed. With ``force``,
    also where the source lists no tags."""

    def __init__(self, destination: Repositories, record: Record, *, force: bool, dry_run: bool) -> None:
        self._destination = destination
        self._record = record
        self._force = force
        self._dry_run = dry_run

    def of_repositories(self, listed: Sequence[Listed]) -> None:
        """What repositories have too much."""
        for found in listed:
            extra = {*found.job.choose(sorted(found.there))} - {*found.wanted}
            self._delete(found.job.target, sorted(extra), is_empty=not found.wanted)

    def of_others(self, listed: Sequence[Listed], below: str, choose: Choice) -> None:
        """All that ``choose`` does of repositories that the source does not have, ``below`` a name or
        anywhere."""
        known = {found.job.target for found in listed}
        start = f"{below}/" if below else ""
        for name in self._repositories():
            if name.startswith(start) and name not in known:
                tags = self._record.attempt(name, name, "", partial(self._destination.list_tags, name))
                self._delete(name, choose(tags or []), is_empty=True)

    def _repositories(self) -> list[str]:
        try:
            return self._destination.list_repositories()
        except ImageUnknown:
            return []

    def _delete(self, name: str, tags: Sequence[str], *, is_empty: bool) -> None:
        if not tags or name in self._record.broken_repositories():
            return
        if is_empty and not self._force:
            count = f"{len(tags)} tag" if len(tags) == 1 else f"{len(tags)} tags"
            problem = f"the source lists no tags for it; to delete its {count}, use --force"
            self._record.refuse(name, ImageError(problem, name))
            return
        for tag in tags:
            reference = str(self._destination.reference(name, tag))
            if self._record.attempt(reference, name, tag, partial(self._delete_tag, name, tag)):
                self._record.deleted.append(reference)

    def _delete_tag(self, name: str, tag: str) -> bool:
        if self._lists_referrers(name, tag):
            return False
        if not self._dry_run:
            self._destination.delete_tag(name, tag)
        return True

    def _lists_referrers(self, name: str, tag: str) -> bool:
        """Whether a registry keeps ``tag`` by itself, for an image that is there."""
        subject = _REFERRERS_TAG.fullmatch(tag)
        return subject is not None and self._destination.resolve(name, f"sha256:{subject[1]}") is not None
