"""Small images, as they stand in a layout, for tests to spoil."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_MANIFEST,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAME = "org.opencontainers.image.ref.name"


class Layout:
    """An OCI layout at ``root`` that holds what it is given, right or wrong."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.entries: list[dict[str, Any]] = []
        (root / "blobs/sha256").mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
        self.index()

    def blob(
        self, content: bytes, media_type: str, algorithm: str = "sha256", **more: object
    ) -> dict[str, Any]:
        digest = Digest.of(content, algorithm)
        self.path(digest).parent.mkdir(exist_ok=True)
        self.path(digest).write_bytes(content)
        return {"mediaType": media_type, "digest": str(digest), "size": len(content), **more}

    def path(self, digest: str) -> Path:
        algorithm, _, encoded = digest.partition(":")
        return self.root / "blobs" / algorithm / encoded

    def image(
        self,
        name: str | None = None,
        platform: str = "linux/amd64",
        layers: Sequence[bytes] = (b"one", b"two"),
        *,
        docker: bool = False,
        compressed: bool = False,
        listed: bool = True,
        algorithm: str = "sha256",
    ) -> dict[str, Any]:
        """An image with a layer of a file for each of ``layers``; its descriptor with its platform."""
        tars = [layer_tar(content) for content in layers]
        system, architecture, *variant = platform.split("/")
        stated = {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}
        config = {**stated, "rootfs": {"type": "layers", "diff_ids": [str(Digest.of(tar)) for tar in tars]}}
        gz = compressed or docker
        media_type = DOCKER_LAYER if docker else OCI_LAYER_TAR_GZIP if gz else OCI_LAYER_TAR
        manifest = {
            "schemaVersion": 2,
            "mediaType": DOCKER_MANIFEST if docker else OCI_MANIFEST,
            "config": self.blob(json.dumps(config).encode(), DOCKER_CONFIG if docker else OCI_CONFIG),
            "layers": [
                self.blob(gzip.compress(tar, mtime=0) if gz else tar, media_type, algorithm) for tar in tars
            ],
        }
        found = self.blob(json.dumps(manifest).encode(), str(manifest["mediaType"]), platform=stated)
        if listed:
            self.add(found, name)
        return found

    def image_index(self, name: str | None, *children: dict[str, Any], listed: bool = True) -> dict[str, Any]:
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": list(children)}
        found = self.blob(json.dumps(document).encode(), OCI_INDEX)
        if listed:
            self.add(found, name)
        return found

    def referrer(self, subject: dict[str, Any], content: bytes) -> dict[str, Any]:
        """An artifact that refers to ``subject``."""
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": "text/plain",
            "config": self.blob(b"{}", "application/vnd.oci.empty.v1+json"),
            "layers": [self.blob(content, "text/plain")],
            "subject": {key: subject[key] for key in ("mediaType", "digest", "size")},
        }
        found = self.blob(json.dumps(document).encode(), OCI_MANIFEST)
        self.add(found, None)
        return found

    def add(self, descriptor: dict[str, Any], name: str | None, **annotations: str) -> None:
        notes = {**({NAME: name} if name else {}), **annotations}
        self.entries.append({**descriptor, **({"annotations": notes} if notes else {})})
        self.index()

    def index(self, **more: object) -> None:
        """Writes ``index.json``."""
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": self.entries, **more}
        (self.root / "index.json").write_text(json.dumps(document))


def layer_tar(content: bytes) -> bytes:
    """A layer with one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def entries_of(folder: Path) -> list[tuple[str | None, str]]:
    """Name and digest of each entry of a layout's index."""
    manifests = json.loads((folder / "index.json").read_text())["manifests"]
    return [(entry.get("annotations", {}).get(NAME), entry["digest"]) for entry in manifests]


def blobs_of(folder: Path) -> dict[str, bytes]:
    """A layout's blobs by digest; fails if one does not match, or for any other file below ``blobs``."""
    found = {}
    for path in (folder / "blobs").rglob("*"):
        if path.is_file():
            digest = f"{path.parent.name}:{path.name}"
            found[digest] = path.read_bytes()
            assert Digest.of(found[digest], path.parent.name) == digest
    return found
