"""An image in a folder (image-spec, "OCI Image Layout"), as tools copy it."""

from __future__ import annotations

import gzip
import io
import json
import random
import tarfile
from typing import TYPE_CHECKING

from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONTENT = random.Random(5).randbytes(300_000)


def make_layout(folder: Path) -> Digest:
    """An image of two layers, tagged ``v1``; the digest of its manifest."""
    layers = [_layer("etc/name", b"udist\n"), _layer("data", CONTENT)]
    blobs = [gzip.compress(layer, mtime=0) for layer in layers]
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [Digest.of(layer) for layer in layers]},
            "history": [{"created_by": "layout"}, {"created_by": "layout"}],
        }
    ).encode()
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _descriptor("application/vnd.oci.image.config.v1+json", config),
            "layers": [_descriptor("application/vnd.oci.image.layer.v1.tar+gzip", blob) for blob in blobs],
        }
    ).encode()
    place = folder / "blobs" / "sha256"
    place.mkdir(parents=True)
    for blob in (*blobs, config, manifest):
        (place / Digest.of(blob).hex).write_bytes(blob)
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    entry = _descriptor(MANIFEST, manifest) | {"annotations": {"org.opencontainers.image.ref.name": "v1"}}
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [entry]}
    (folder / "index.json").write_text(json.dumps(index))
    return Digest.of(manifest)


def blobs_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "blobs" / "sha256").iterdir()}


def digest_in(folder: Path) -> str:
    """That of the only manifest."""
    (entry,) = json.loads((folder / "index.json").read_text())["manifests"]
    digest: str = entry["digest"]
    return digest


def _layer(name: str, content: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def _descriptor(media_type: str, content: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": Digest.of(content), "size": len(content)}
