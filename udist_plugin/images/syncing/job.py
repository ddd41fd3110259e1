"""What a sync has to do: repositories, each with the name it gets at the destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import ReferenceInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from udist_plugin.images.syncing.choosing import Choice
    from udist_plugin.images.transports.base import Repositories


class Job(NamedTuple):
    """The repository ``name`` of ``source``, which becomes ``target``; ``choose`` says which tags."""

    source: Repositories
    name: str
    target: str
    choose: Choice


def jobs_of(source: Repositories, destination: Repositories, choose: Choice) -> list[Job]:
    """A job for each repository of ``source``.

    One that was asked for by its name becomes the one that the destination names, or else keeps its name;
    of all, each keeps its name below what the destination names. Raises ``ReferenceInvalid`` where a
    repository would have no name.
    """
    one = is_one(source)
    jobs = []
    for name in source.list_repositories():
        if not one:
            target = "/".join(filter(None, (destination.chosen, name)))
        elif destination.nameless and source.chosen:
            target = ""
        else:
            target = destination.chosen or name
        if not target and not destination.nameless:
            raise ReferenceInvalid("the source's repository has no name; give the destination one")
        jobs.append(Job(source, name, target, choose))
    return check_targets(jobs)


def is_one(source: Repositories) -> bool:
    """Whether one repository is meant, and not all that there are."""
    return bool(source.chosen) or (source.nameless and len(source.list_repositories()) == 1)


def check_targets(jobs: Iterable[Job]) -> list[Job]:
    """``jobs`` themselves. Raises ``ReferenceInvalid`` where two repositories would become one."""
    jobs = list(jobs)
    found: dict[str, tuple[int, str]] = {}
    for job in jobs:
        if found.setdefault(job.target, (id(job.source), job.name)) != (id(job.source), job.name):
            raise ReferenceInvalid("two repositories would become this one; sync them apart", job.target)
    return jobs
