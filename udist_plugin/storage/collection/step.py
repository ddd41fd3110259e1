"""What the collector does, one thing after another, and how far it is."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from udist_plugin.oci.digest import Digest

    Progress = Callable[[str, int], object]
    """Takes what is being counted, such as ``"manifests read"``, and how many there have been."""

Item = TypeVar("Item")


class Step(NamedTuple):
    """What is done with a blob that is not where it belongs, or that nothing refers to, or with a manifest or
    tag of the repository ``name``.

    ``action`` is ``delete`` or ``restore`` (from quarantine), ``wait`` (in quarantine, and not due yet),
    ``quarantine``, ``keep`` (it changed within the grace period), or of a tag ``untag`` or ``restore``;
    ``reason`` says why. ``size`` is in bytes, 0 of manifests and tags.
    """

    action: str
    digest: Digest
    size: int
    name: str = ""
    tag: str = ""
    reason: str = ""

    @property
    def changes(self) -> bool:
        """Whether anything in the store changes."""
        return self.action not in ("keep", "wait")


def counted(items: Iterable[Item], progress: Progress, what: str) -> Iterator[Item]:
    """``items``, each counted when it is dealt with."""
    for count, item in enumerate(items, 1):
        yield item
        progress(what, count)
