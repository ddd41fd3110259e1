"""An artifact's files and folders out of a registry."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import ArtifactError, NoFiles
from udist_plugin.images.artifact import CONTENT_DIGEST, TITLE, Layer
from udist_plugin.images.parallel import CONCURRENCY, Stop, in_parallel
from udist_plugin.images.placing import copy, make_parents, noted, parts_of, place_file
from udist_plugin.images.progress import SILENT, Counted
from udist_plugin.images.unpacking import place_folder
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import DOCKER_CONFIG, OCI_CONFIG

if TYPE_CHECKING:
    from typing import BinaryIO

    from udist_plugin.content import Readable
    from udist_plugin.images.progress import Progress
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import ManifestContent, Registry


class PulledFile(NamedTuple):
    """A file or folder that was written, and the layer it came from."""

    path: str
    descriptor: Descriptor


class Pulled(NamedTuple):
    """What a pull found: the manifest, the files it wrote, and the layers that have no name."""

    manifest: ManifestContent
    files: list[PulledFile]
    unnamed: list[Descriptor]


def pull_artifact(
    registry: Registry,
    name: str,
    target: Digest | str,
    folder: str,
    *,
    overwrite: bool = True,
    progress: Progress = SILENT,
    concurrency: int = CONCURRENCY,
) -> Pulled:
    """Writes the named layers of the artifact ``target`` (a digest or a tag) into ``folder``.

    Pulls up to ``concurrency`` files at once; the first that fails stops the others. Each file and folder
    appears when it is complete and verified. As oras does, existing files are replaced unless ``overwrite``
    is false, and existing folders are filled. Raises ``ArtifactError`` for what cannot be placed safely,
    ``NoFiles`` if nothing has a name, ``DigestInvalid`` for wrong content, and the registry's errors, with a
    note that names the file.
    """
    manifest = registry.get_manifest(name, target)
    parsed = Manifest.parse(manifest.content, manifest.media_type, manifest.digest, hashed=True)
    layers = _files_of(parsed)
    places = _checked_places(layers)
    os.makedirs(folder, exist_ok=True)
    progress.expect(len(layers), sum(layer.descriptor.size for layer in layers))

    def pull(layer: Layer) -> PulledFile:
        with noted("pulling", layer.title):
            return _pull_layer(registry, name, layer, folder, overwrite, progress)

    files = in_parallel(pull, layers, 1 if _nested(places) else concurrency, Stop(registry))
    return Pulled(manifest, files, [item for item in parsed.layers if Layer.of(item) is None])


def pull_content(registry: Registry, name: str, target: Digest | str, out: BinaryIO) -> ManifestContent:
    """Writes the only file of the artifact ``target`` to ``out``, and returns the artifact's manifest.

    ``out`` may have received all bytes when ``DigestInvalid`` is raised: the digest is verified at the end.
    Raises ``ArtifactError`` for a folder or several files, ``NoFiles``, and the registry's errors.
    """
    manifest = registry.get_manifest(name, target)
    layers = _files_of(Manifest.parse(manifest.content, manifest.media_type, manifest.digest, hashed=True))
    if len(layers) > 1:
        raise ArtifactError(f"holds {len(layers)} files, and only one can be written to a stream", path=name)
    if layers[0].unpack:
        raise ArtifactError("a folder cannot be written to a stream", path=layers[0].title)
    with registry.open_blob(name, layers[0].descriptor.digest) as content:
        copy(content, out)
    return manifest


def _files_of(manifest: Manifest) -> list[Layer]:
    """The layers that are files or folders: at least one."""
    if manifest.is_index:
        listed = ", ".join(str(item.digest) for item in manifest.manifests[:8])
        raise ArtifactError(f"an index, not an artifact; pull one of its manifests by digest: {listed}")
    if layers := [layer for item in manifest.layers if (layer := Layer.of(item))]:
        return layers
    if manifest.config and manifest.config.media_type in (OCI_CONFIG, DOCKER_CONFIG):
        raise NoFiles("a container image, not an artifact of files", path=manifest.digest)
    raise NoFiles(f"no layer has a file name (the annotation {TITLE})", path=manifest.digest)


def _checked_places(layers: list[Layer]) -> set[tuple[str, ...]]:
    """The names as paths. Before anything is written: every one is safe, and none comes twice."""
    seen: set[tuple[str, ...]] = set()
    for layer in layers:
        parts = tuple(parts_of(layer.title))
        if parts in seen:
            raise ArtifactError("two layers have this name", path=layer.title)
        if not parts and not layer.unpack:
            raise ArtifactError("the layer has an empty file name", path=layer.title)
        seen.add(parts)
    return seen


def _nested(places: set[tuple[str, ...]]) -> bool:
    """Whether one layer is placed inside another: then their order decides what is there in the end."""
    return any(parts[:depth] in places for parts in places for depth in range(len(parts)))


def _pull_layer(
    registry: Registry, name: str, layer: Layer, folder: str, overwrite: bool, progress: Progress
) -> PulledFile:
    descriptor = layer.descriptor
    target = make_parents(folder, parts_of(layer.title))
    with registry.open_blob(name, descriptor.digest) as content:
        if descriptor.size not in (0, content.size):
            raise ArtifactError(
                f"the manifest says {descriptor.size} bytes, the registry has {content.size}",
                path=layer.title,
            )
        counted = Counted(content)
        with progress.begin("pulling", layer.title, content.size, counted.done) as task:
            _place(counted, layer, target, overwrite=overwrite)
            task.end("pulled")
    return PulledFile(target, descriptor)


def _place(content: Readable, layer: Layer, target: str, *, overwrite: bool) -> None:
    if layer.unpack:
        stated = layer.descriptor.annotations.get(CONTENT_DIGEST)
        content_digest = Digest(stated) if stated else None
        place_folder(content, layer.title, target, content_digest=content_digest, overwrite=overwrite)
    else:
        place_file(content, target, overwrite=overwrite)
