"""What is wrong with a store."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Damage(NamedTuple):
    """What was found at ``path``.

    ``kind`` is ``blob``, ``layer`` (a repository's link to one), ``manifest``, ``tag``, ``upload`` or
    ``index`` (of referrers). ``repair`` says how it can be mended, and is empty if only a push can.
    ``harmless`` is what was left behind and nobody needs: collectors leave the links of blobs that they
    delete, for instance.
    """

    kind: str
    path: str
    problem: str
    repair: str = ""
    mended: bool = False
    harmless: bool = False


class Case(NamedTuple):
    """A damage, and what mends it: whether it did, and not somebody else meanwhile."""

    damage: Damage
    mend: Callable[[], bool] | None = None
