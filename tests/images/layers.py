"""Layers by their entries, and images of them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_CONFIG, OCI_LAYER_TAR_GZIP, OCI_MANIFEST

if TYPE_CHECKING:
    from tests.images.sample import Layout


class Tar:
    """A layer in the making."""

    def __init__(self) -> None:
        self._out = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._out, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115

    def add(self, name: str, content: bytes = b"", **more: Any) -> Tar:
        entry = tarfile.TarInfo(name)
        entry.mode = 0o644
        entry.size = len(content)
        for key, value in more.items():
            setattr(entry, key, value)
        self._tar.addfile(entry, io.BytesIO(content))
        return self

    def folder(self, name: str, mode: int = 0o755) -> Tar:
        return self.add(name, type=tarfile.DIRTYPE, mode=mode)

    def done(self) -> bytes:
        self._tar.close()
        return self._out.getvalue()


def image(layout: Layout, name: str, *layers: bytes, config: dict[str, Any] | None = None) -> dict[str, Any]:
    """An image of ``layers``, with ``config`` as what its configuration says of how it runs."""
    document = {
        "os": "linux",
        "architecture": "amd64",
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(layer)) for layer in layers]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": layout.blob(json.dumps(document).encode(), OCI_CONFIG),
        "layers": [layout.blob(gzip.compress(layer, mtime=0), OCI_LAYER_TAR_GZIP) for layer in layers],
    }
    found = layout.blob(json.dumps(manifest).encode(), OCI_MANIFEST)
    layout.add(found, name)
    return found


BASE = (
    Tar()
    .folder("etc")
    .add("etc/passwd", b"root\n")
    .add("etc/old", b"old\n")
    .folder("lib")
    .add("lib/a", b"a")
    .add("lib/deep/b", b"b")
    .add("link", type=tarfile.SYMTYPE, linkname="etc/old")
    .add("hard", type=tarfile.LNKTYPE, linkname="etc/passwd")
    .add("gone/file", b"x")
    .done()
)
TOP = (
    Tar()
    .add("lib/new", b"new")
    .add("lib/.wh..wh..opq")
    .add("etc/.wh.old")
    .add(".wh.gone")
    .add("gone/again", b"y")
    .add("./etc/passwd", b"root\nweb\n", mode=0o600)
    .add("link", type=tarfile.SYMTYPE, linkname="etc/passwd")
    .folder("etc", 0o700)
    .done()
)
