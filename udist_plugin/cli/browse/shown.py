"""The text beside the tree: a document or a list of files, bounded."""

from __future__ import annotations

import json
import stat

from udist_plugin.cli.output import printable, size_text
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Sequence

    from udist_plugin.cli.browse.items import Item
    from udist_plugin.oci.manifest import Manifest

TEXT_MAX: Final = 100_000
"""How many characters are shown of a document."""


class Shown(NamedTuple):
    """``text`` is JSON if ``language`` says so; ``facts`` are lines above it."""

    title: str
    facts: Sequence[str] = ()
    text: str = ""
    language: str = ""


def document(item: Item, content: bytes | None, manifest: Manifest | None = None) -> Shown:
    """A manifest or configuration, or without ``content`` the descriptor of a layer."""
    found = manifest.descriptor if manifest else item.descriptor
    assert found is not None
    facts = [f"{found.media_type}  {size_text(found.size)}", found.digest]
    if manifest and manifest.layers:
        total = sum(layer.size for layer in manifest.layers)
        facts.append(f"layers: {len(manifest.layers)}, {size_text(total)}")
    if content is None:
        content = json.dumps(found.to_json()).encode()
        facts.append("Press Enter to list its files.")
    text, language = _readable(content)
    if len(text) > TEXT_MAX:
        facts.append(f"The first {TEXT_MAX} of {len(text)} characters:")
    return Shown(printable(item.path), tuple(map(printable, facts)), text[:TEXT_MAX], language)


def listing(item: Item, entries: Sequence[tarfile.TarInfo], *, complete: bool) -> Shown:
    """The files of a layer, as ``tar -tv`` lists them."""
    size = sum(entry.size for entry in entries)
    facts = [f"{len(entries)} entries, {size_text(size)}"]
    if not complete:
        facts = [f'The first {len(entries)} entries; "udist blob get" and tar list all of them.']
    return Shown(printable(item.path), facts, "\n".join(map(_line, entries)))


def _readable(content: bytes) -> tuple[str, str]:
    """The text, and its language if that is known."""
    text = content.decode(errors="replace")
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False), "json"
    except (ValueError, RecursionError):
        return "\n".join(map(printable, text.splitlines())), ""


def _line(entry: tarfile.TarInfo) -> str:
    kind = "l" if entry.issym() else "d" if entry.isdir() else "-" if entry.isfile() else "?"
    mode = kind + stat.filemode(entry.mode)[1:]
    target = f" -> {entry.linkname}" if entry.linkname else ""
    return f"{mode} {size_text(entry.size):>9}  {printable(entry.name + target)}"
