"""Files and folders into a registry."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.content import CHUNK_SIZE
from udist_plugin.errors import ArtifactError, BlobUnknown
from udist_plugin.images.artifact import (
    CONTENT_DIGEST,
    EMPTY,
    EMPTY_CONTENT,
    TITLE,
    UNPACK,
    manifest_of,
)
from udist_plugin.images.changes import unchanged
from udist_plugin.images.packing import pack
from udist_plugin.images.placing import named
from udist_plugin.images.progress import SILENT, watched
from udist_plugin.images.selection import ALL
from udist_plugin.images.survey import check_sources
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest, new_hash
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_LAYER_TAR, OCI_LAYER_TAR_GZIP, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from udist_plugin.content import Readable
    from udist_plugin.images.progress import Progress
    from udist_plugin.images.selection import Selection
    from udist_plugin.registry import Registry


class Source(NamedTuple):
    """A file or folder to push: where it is, its name in the artifact, its layer's media type, and what of a
    folder is packed."""

    path: str
    title: str
    media_type: str | None = None
    selection: Selection = ALL

    @classmethod
    def of(cls, path: str, media_type: str | None = None, selection: Selection = ALL) -> Source:
        """A path goes by its own words as long as it stays inside the working folder, else by its last name.

        Raises ``ArtifactError`` for a name that is not Unicode: annotations are JSON.
        """
        title = os.path.normpath(path)
        if os.path.isabs(title) or title == "." or title.split(os.sep)[0] == "..":
            title = os.path.basename(os.path.abspath(path))
        title = title.replace(os.sep, "/")
        try:
            title.encode()
        except UnicodeEncodeError:
            raise ArtifactError("the name is not valid Unicode; rename it", path=ascii(path)) from None
        if not title:
            raise ArtifactError("has no name to go by", path=path)
        return cls(path, title, media_type, selection)


class Pushed(NamedTuple):
    """What a push made: the manifest's descriptor and its bytes."""

    descriptor: Descriptor
    manifest: bytes


def push_artifact(
    registry: Registry,
    name: str,
    sources: Sequence[Source],
    *,
    tags: Sequence[str] = (),
    artifact_type: str | None = None,
    annotations: Mapping[str, str] | None = None,
    subject: Descriptor | None = None,
    progress: Progress = SILENT,
) -> Pushed:
    """Pushes ``sources`` as one artifact to the repository ``name`` and points ``tags`` at it.

    Blobs that the repository has are not sent again. Raises ``SourceInvalid`` for all that cannot be pushed,
    before anything is, and for a file that changes meanwhile; also ``ArtifactError``, ``OSError`` of the
    files, and the registry's errors.
    """
    titles = [source.title for source in sources]
    for title in titles:
        if titles.count(title) > 1:
            raise ArtifactError("two files would have this name in the artifact", path=title)
    check_sources((source.path, source.selection) for source in sources)
    layers = [_push_source(registry, name, source, progress) for source in sources]
    _push_empty(registry, name)
    manifest = manifest_of(layers, artifact_type, annotations, subject)
    pushed = registry.push_manifest(name, Manifest.parse(manifest, OCI_MANIFEST), tags)
    return Pushed(pushed._replace(artifact_type=artifact_type), manifest)


def _push_source(registry: Registry, name: str, source: Source, progress: Progress) -> Descriptor:
    with _layer(source, progress) as (layer, file):
        task = progress.begin("pushing", source.title, layer.size)
        if _has(registry, name, layer):
            task.end("exists")
        else:
            registry.push_blob(name, layer.digest, watched(file, task, layer.size))
            task.end("pushed")
    return layer


@contextmanager
def _layer(source: Source, progress: Progress) -> Iterator[tuple[Descriptor, BinaryIO]]:
    """The source's descriptor and its blob, open at its start."""
    import tempfile

    status = os.stat(source.path)
    if stat.S_ISDIR(status.st_mode):
        with named(tempfile.gettempdir()), tempfile.TemporaryFile() as file:
            task = progress.begin("packing", source.title, None)
            packed = pack(source.path, source.title, file, source.selection)
            file.flush()
            task.end("packed")
            notes = {CONTENT_DIGEST: str(packed.content_digest), UNPACK: "true", TITLE: source.title}
            media_type = source.media_type or OCI_LAYER_TAR_GZIP
            with open(file.fileno(), "rb", buffering=0, closefd=False) as raw:  # which the kernel can send
                raw.seek(0)
                yield Descriptor(media_type, packed.digest, packed.size, annotations=notes), raw
    elif stat.S_ISREG(status.st_mode):
        with open(source.path, "rb", buffering=0) as plain, unchanged(plain, source.path):
            task = progress.begin("hashing", source.title, status.st_size)
            digest, size = _digest_of(watched(plain, task, status.st_size))
            task.end("hashed")
            plain.seek(0)
            media_type = source.media_type or OCI_LAYER_TAR
            yield Descriptor(media_type, digest, size, annotations={TITLE: source.title}), plain
    else:
        raise ArtifactError("neither a file nor a folder", path=source.path)


def _digest_of(file: Readable) -> tuple[Digest, int]:
    running, size = new_hash("sha256"), 0
    while data := file.read(CHUNK_SIZE):
        running.update(data)
        size += len(data)
    return Digest.from_hash(running), size


def _push_empty(registry: Registry, name: str) -> None:
    import io

    if not _has(registry, name, EMPTY):
        registry.push_blob(name, EMPTY.digest, io.BytesIO(EMPTY_CONTENT))


def _has(registry: Registry, name: str, blob: Descriptor) -> bool:
    """Whether the registry has all of a blob. One that a crash or a full disk cut short is pushed again."""
    try:
        return registry.resolve_blob(name, blob.digest).size == blob.size
    except BlobUnknown:
        return False
