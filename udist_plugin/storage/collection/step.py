"""What the collector does, one thing after another."""

from __future__ import annotations

from udist_plugin.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from udist_plugin.oci.digest import Digest


class Step(NamedTuple):
    """What is done with a blob that is not where it belongs, or that nothing refers to, or with a manifest or
    tag of the repository ``name``.

    ``action`` is ``delete`` or ``restore`` (from quarantine), ``wait`` (in quarantine, and not due yet),
    ``quarantine``, ``keep`` (it changed within the grace), or of a tag ``untag`` or ``restore``; ``reason``
    says why. ``size`` is in bytes, 0 of manifests and tags.
    """

    action: str
    digest: Digest
    size: int
    name: str = ""
    tag: str = ""
    reason: str = ""
