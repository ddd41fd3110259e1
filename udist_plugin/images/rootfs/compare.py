"""What is different between two images."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.images.configuration import image_config
from udist_plugin.images.progress import SILENT
from udist_plugin.images.rootfs.layer import members_of
from udist_plugin.images.rootfs.tree import Node, RootFS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from udist_plugin.images.progress import Progress
    from udist_plugin.images.rootfs.tree import File
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.manifest import Manifest


class Image(NamedTuple):
    """One image: where it is read, its manifest, and what its configuration says; ``None`` if its layers are
    no file systems."""

    source: ImageSource
    manifest: Manifest
    config: dict[str, Any] | None

    @classmethod
    def of(cls, source: ImageSource, manifest: Manifest) -> Image:
        return cls(source, manifest, image_config(source, manifest))


class Change(NamedTuple):
    """A file that only one of two images has, or that is different: in ``fields`` of ``File``."""

    path: str
    before: File | None
    after: File | None
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """``added``, ``removed`` or ``changed``."""
        return "added" if self.before is None else "removed" if self.after is None else "changed"


class Setting(NamedTuple):
    """A member of the configurations that is different, by its path; ``None`` where one has none."""

    path: str
    before: object
    after: object


def changed_layers(before: Image, after: Image) -> tuple[list[Descriptor], list[Descriptor]]:
    """The layers that only the one, and only the other has."""
    left = {layer.digest for layer in before.manifest.layers}
    right = {layer.digest for layer in after.manifest.layers}
    return (
        [layer for layer in before.manifest.layers if layer.digest not in right],
        [layer for layer in after.manifest.layers if layer.digest not in left],
    )


def changed_settings(before: Image, after: Image) -> list[Setting]:
    """What their configurations say differently, but for the layers."""
    ours, theirs = dict(_settings(before.config or {}, "")), dict(_settings(after.config or {}, ""))
    paths = sorted(ours.keys() | theirs.keys())
    found = [Setting(path, ours.get(path), theirs.get(path)) for path in paths]
    return [each for each in found if each.before != each.after]


def _settings(members: dict[str, Any], above: str) -> Iterator[tuple[str, object]]:
    for name, value in members.items():
        path = f"{above}.{name}" if above else name
        if path in ("rootfs", "history"):
            continue
        if isinstance(value, dict) and value and above in ("", "config"):
            yield from _settings(value, path)
        else:
            yield path, value


def changed_files(before: Image, after: Image, progress: Progress = SILENT) -> Iterator[Change]:
    """The files that are different, in the order of their paths; times are not compared.

    The layers are read before this returns, those that both images begin with once. Raises
    ``LayoutInvalid``, ``DigestInvalid`` and ``SizeInvalid``.
    """
    shared = _shared(before.manifest.layers, after.manifest.layers)
    layers = (*before.manifest.layers, *after.manifest.layers[shared:])
    progress.expect(len(layers), sum(layer.size for layer in layers))
    ours = RootFS()
    _apply(ours, before.source, before.manifest.layers[:shared], progress)
    theirs = ours.copy()
    _apply(ours, before.source, before.manifest.layers[shared:], progress)
    _apply(theirs, after.source, after.manifest.layers[shared:], progress)
    return _changes(ours.root, theirs.root, "")


def _shared(before: Sequence[Descriptor], after: Sequence[Descriptor]) -> int:
    """How many layers both begin with."""
    count = 0
    for one, other in zip(before, after, strict=False):
        if one.digest != other.digest:
            break
        count += 1
    return count


def _apply(rootfs: RootFS, source: ImageSource, layers: Sequence[Descriptor], progress: Progress) -> None:
    for layer in layers:
        rootfs.apply(members_of(source, layer, progress))


def _changes(before: Node | None, after: Node | None, path: str) -> Iterator[Change]:
    """Those of a node, and then those below it."""
    ours, theirs = before.file if before else None, after.file if after else None
    if ours != theirs:
        pairs = zip(ours, theirs, ours._fields, strict=True) if ours and theirs else ()
        fields = tuple(name for one, other, name in pairs if one != other)
        yield Change(path or "/", ours, theirs, fields)
    ours_below, theirs_below = before.children if before else {}, after.children if after else {}
    for name in sorted(ours_below.keys() | theirs_below.keys()):
        yield from _changes(ours_below.get(name), theirs_below.get(name), f"{path}/{name}")
