"""What is wrong with a store."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Damage(NamedTuple):
    """What was found at ``path``.

    ``kind`` is ``blob``, ``layer`` (a repository's link to one), ``manifest``, ``tag``, ``upload`` or
    ``index`` (of referrers). ``repair`` says how it can be repaired, and is empty if only a push can.
    ``harmless`` is what was left behind and nobody needs: collectors leave the links of blobs that they
    delete, for instance. ``lost`` is a manifest or a tag whose content is gone: its repair
    deletes what leads there, and only a push brings it back.
    """

    kind: str
    path: str
    problem: str
    repair: str = ""
    repaired: bool = False
    harmless: bool = False
    lost: bool = False


class Case(NamedTuple):
    """A damage, and what repairs it: whether it did, and not somebody else meanwhile."""

    damage: Damage
    repair: Callable[[], bool] | None = None
