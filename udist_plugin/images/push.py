"""Files and folders into a registry."""

from __future__ import annotations

import os
import stat
import threading
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
from udist_plugin.images.parallel import CONCURRENCY, Stop, in_parallel
from udist_plugin.images.placing import named, noted
from udist_plugin.images.progress import SILENT
from udist_plugin.images.selection import ALL
from udist_plugin.images.survey import check_sources
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest, new_hash
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCI_LAYER_TAR, OCI_LAYER_TAR_GZIP, OCI_MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from io import FileIO
    from typing import BinaryIO

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
            raise ArtifactError("has no file name; give a path that ends in one", path=path)
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
    concurrency: int = CONCURRENCY,
) -> Pushed:
    """Pushes ``sources`` as one artifact to the repository ``name`` and points ``tags`` at it.

    Pushes up to ``concurrency`` files at once; the first that fails stops the others. Content that the
    repository has is not sent again, and what several files have in common is sent once. The layers are in
    the order of ``sources``. Raises ``SourceInvalid`` for all that cannot be pushed, before anything is, and
    for a file that changes meanwhile; also ``ArtifactError``, ``OSError`` of the files, and the registry's
    errors, with a note that names the file.
    """
    _check_titles(sources)
    check_sources((source.path, source.selection) for source in sources)
    progress.expect(len(sources), sum(_size_of(source.path) for source in sources))
    push = _Push(registry, name, progress)
    layers = in_parallel(push.layer, sources, concurrency, push.stop)
    push.empty()
    manifest = manifest_of(layers, artifact_type, annotations, subject)
    pushed = registry.push_manifest(name, Manifest.parse(manifest, OCI_MANIFEST), tags)
    return Pushed(pushed._replace(artifact_type=artifact_type), manifest)


def _check_titles(sources: Sequence[Source]) -> None:
    seen = set()
    for source in sources:
        if source.title in seen:
            raise ArtifactError("two files would have this name in the artifact", path=source.title)
        seen.add(source.title)


def _size_of(path: str) -> int:
    """How many bytes are to be pushed; 0 for a folder, whose size is known once it is packed."""
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


class _Push:
    """Layers on their way to the repository ``name``. Safe for any number of threads."""

    def __init__(self, registry: Registry, name: str, progress: Progress) -> None:
        self.stop = Stop(registry)
        self._registry = registry
        self._name = name
        self._progress = progress
        self._lock = threading.Lock()
        self._sent: set[Digest] = set()

    def layer(self, source: Source) -> Descriptor:
        with noted("pushing", source.title):
            status = os.stat(source.path)
            if stat.S_ISDIR(status.st_mode):
                return self._folder(source)
            if stat.S_ISREG(status.st_mode):
                return self._file(source, status.st_size)
            raise ArtifactError("neither a file nor a folder", path=source.path)

    def empty(self) -> None:
        """The empty configuration that the manifest refers to."""
        import io

        if not self._has(EMPTY):
            self._registry.push_blob(self._name, EMPTY.digest, io.BytesIO(EMPTY_CONTENT))

    def _file(self, source: Source, size: int) -> Descriptor:
        with open(source.path, "rb", buffering=0) as file, unchanged(file, source.path):
            with self._progress.begin("hashing", source.title, size, file.tell) as task:
                digest, size = self._hash(file)
                task.end("hashed")
            file.seek(0)
            media_type = source.media_type or OCI_LAYER_TAR
            layer = Descriptor(media_type, digest, size, annotations={TITLE: source.title})
            self._send(layer, source.title, file)
        return layer

    def _folder(self, source: Source) -> Descriptor:
        import tempfile

        with (
            named(tempfile.gettempdir()),
            tempfile.TemporaryFile() as file,
            open(file.fileno(), "rb", buffering=0, closefd=False) as raw,  # which the kernel can send
        ):
            with self._progress.begin("packing", source.title, None, raw.tell) as task:
                out = _Stoppable(file, self.stop)
                packed = pack(source.path, source.title, out, source.selection)  # type: ignore[arg-type]
                file.flush()
                task.end("packed")
            self._progress.expect(0, packed.size)
            notes = {CONTENT_DIGEST: str(packed.content_digest), UNPACK: "true", TITLE: source.title}
            media_type = source.media_type or OCI_LAYER_TAR_GZIP
            layer = Descriptor(media_type, packed.digest, packed.size, annotations=notes)
            raw.seek(0)
            self._send(layer, source.title, raw)
        return layer

    def _hash(self, file: FileIO) -> tuple[Digest, int]:
        running, size = new_hash("sha256"), 0
        while data := file.read(CHUNK_SIZE):
            self.stop.check()
            running.update(data)
            size += len(data)
        return Digest.from_hash(running), size

    def _send(self, layer: Descriptor, title: str, file: FileIO) -> None:
        self.stop.check()
        with self._progress.begin("pushing", title, layer.size, file.tell) as task:
            if not self._is_first(layer) or self._has(layer):
                task.end("exists")
            else:
                self._registry.push_blob(self._name, layer.digest, file)
                task.end("pushed")

    def _is_first(self, layer: Descriptor) -> bool:
        """Whether no other file of this push has the same content."""
        with self._lock:
            first = layer.digest not in self._sent
            self._sent.add(layer.digest)
        return first

    def _has(self, blob: Descriptor) -> bool:
        """Whether the registry has all of a blob. One that a crash or a full disk cut short is pushed
        again."""
        try:
            return self._registry.resolve_blob(self._name, blob.digest).size == blob.size
        except BlobUnknown:
            return False


class _Stoppable:
    """``file``, to which nothing more is written after a stop."""

    def __init__(self, file: BinaryIO, stop: Stop) -> None:
        self._file = file
        self._stop = stop

    def write(self, data: bytes) -> int:
        self._stop.check()
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()
