"""What hangs together in a repository: links, manifests, tags, uploads and the index of referrers."""

from __future__ import annotations

import time
from contextlib import suppress

from udist_plugin.errors import InvalidPath, ManifestInvalid, PathNotFound, StorageError
from udist_plugin.oci.manifest import load_document
from udist_plugin.oci.reference import tag_matcher
from udist_plugin.oci.stored import read_stored
from udist_plugin.storage import paths
from udist_plugin.storage.cache import Cache
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.collection.repository import tag_of
from udist_plugin.storage.collection.walk import files_below, links_in, listed, remove_empty
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.links import read_link
from udist_plugin.storage.referrers import read_index
from udist_plugin.storage.scrubbing.damage import Case, Damage
from udist_plugin.storage.scrubbing.links import DROP, Links, digest_in, digest_or_none
from udist_plugin.storage.uploads import STARTED
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
from udist_plugin.storage.referrers import Subjects

YOUNG: Final = 3600.0
"""Seconds for which an incomplete tag or upload may be one that is being made."""
SHOWN: Final = 3
"""What a manifest lacks is shown, up to so many."""
KNOWN: Final = 8192
"""Blobs of a repository that were found, and are not looked for again."""


class Checking:
    """One repository. ``damaged`` are blobs; with ``sparse`` an index need not have all its manifests."""

    def __init__(
        self, driver: StorageDriver, name: str, damaged: Container[str], *, sparse: bool = False
    ) -> None:
        self._driver = driver
        self._name = name
        self._folder = f"{paths.REPOSITORIES}/{name}"
        self._damaged = damaged
        self._sparse = sparse
        self._data = BlobData(driver, restore=False)
        self._links = Links(driver)
        self._known: Cache[Digest, bool] = Cache(KNOWN)
        self._lost: set[Digest] = set()

    def cases(self) -> Iterator[Case]:
        """Raises ``StorageError`` for what cannot be listed or read."""
        for path in links_in(self._driver, f"{self._folder}/{paths.LAYERS}"):
            yield from self._links.check("layer", path)
        yield from self._manifests()
        for tag in filter(tag_matcher(), sorted(listed(self._driver, f"{self._folder}/_manifests/tags"))):
            yield from self._tag(tag)
        for each in listed(self._driver, f"{self._folder}/{paths.UPLOADS}"):
            if paths.is_upload_id(each):
                yield from self._upload(f"{self._folder}/{paths.UPLOADS}/{each}")

    def _manifests(self) -> Iterator[Case]:
        index = read_index(self._driver, self._name)
        wrong = ""
        for path in links_in(self._driver, f"{self._folder}/{paths.MANIFESTS}/revisions"):
            found = list(self._links.check("manifest", path))
            yield from found
            if any(case.damage.lost for case in found) and (digest := digest_in(path)):
                self._lost.add(digest)
            target = None if found else read_link(self._driver, path)
            if target is None:
                continue
            if target in self._damaged:
                yield Case(Damage("manifest", path, f"leads to {target}, which is damaged"))
                continue
            try:
                content = self._data.content(target)
                load_document(content)
            except PathNotFound:  # deleted meanwhile
                continue
            except (StorageError, ManifestInvalid) as error:
                yield Case(Damage("manifest", path, f"leads to something that is not a manifest: {error}"))
                continue
            manifest = read_stored(content, target)
            yield from self._contents(path, manifest)
            wrong = wrong or _contradicts(index, path, manifest)
        if wrong:
            path = paths.subjects(self._name)
            yield Case(
                Damage("index", path, f"is wrong about {wrong}", "build it again when it is needed"),
                lambda: self._drop(path),
            )

    def _contents(self, path: str, manifest: Manifest) -> Iterator[Case]:
        """What a manifest needs."""
        blobs = (manifest.config, *manifest.layers)
        lacking = [
            f"{each.digest} is {problem}"
            for each in blobs
            if each and not each.other.get("urls") and (problem := self._lacks(each.digest))
        ]
        if not self._sparse:
            for each in manifest.manifests:
                if each.digest in self._damaged:
                    lacking.append(f"{each.digest} is damaged")
                elif not self._has_manifest(each.digest):
                    lacking.append(f"{each.digest} is missing")
        if lacking:
            more = len(lacking) - SHOWN
            shown = "; ".join(lacking[:SHOWN]) + (f"; and {more} more" if more > 0 else "")
            yield Case(Damage("manifest", path, shown))

    def _lacks(self, digest: Digest) -> str:
        if self._known.get(digest):
            return ""
        target = read_link(self._driver, paths.link(paths.layer(self._name, digest)))
        if target is None and self._links.stands(digest):
            return "not linked in this repository"
        if target is None or not self._links.stands(target):
            return "missing"
        if target in self._damaged:
            return "damaged"
        self._known.put(digest, True)
        return ""

    def _has_manifest(self, digest: Digest) -> bool:
        return self._links.stands(self._data.revision(self._name, digest))

    def _tag(self, tag: str) -> Iterator[Case]:
        folder = tag_of(self._name, tag)
        current = f"{folder}/{paths.CURRENT}"
        try:
            content = self._driver.get_content(current)
        except (PathNotFound, InvalidPath):
            if self._is_incomplete(folder) and self._is_old(folder):
                problem = f"{paths.CURRENT} is missing"
                yield Case(Damage("tag", folder, problem, DROP), lambda: self._drop_incomplete(folder))
            return
        digest = digest_or_none(content)
        if digest is None:
            problem = "holds no digest"
        elif self._has_manifest(digest):
            return
        else:
            problem = f"leads to {digest}, which is missing"
        damage = Damage("tag", current, problem, DROP, lost=digest in self._lost)
        yield Case(damage, lambda: self._drop_tag(folder, content, digest))

    def _drop_tag(self, folder: str, content: bytes, digest: Digest | None) -> bool:
        def is_wanted() -> bool:
            return digest is not None and self._has_manifest(digest)

        def delete() -> bool:
            return not is_wanted() and self._driver.delete_if(folder, paths.CURRENT, content)

        with suppress(PathNotFound):  # deleted by another
            return Notes(self._driver).delete(f"{folder}/{paths.CURRENT}", content, delete, is_wanted)
        return False

    def _drop_incomplete(self, folder: str) -> bool:
        """Deletes what stands there now, and no more: a push may make a whole tag of it."""
        for path in list(files_below(self._driver, f"{folder}/index")):
            with suppress(PathNotFound):
                self._driver.delete(path, durable=False)
        remove_empty(self._driver, folder)
        return not self._is_incomplete(folder)

    def _is_incomplete(self, folder: str) -> bool:
        """Of one without ``CURRENT``: whether a server made it, and not another program."""
        below = files_below(self._driver, f"{folder}/index")
        return any(path.endswith("/link") for path in below) or _is_empty(self._driver, folder)

    def _upload(self, folder: str) -> Iterator[Case]:
        if not self._driver.stands(f"{folder}/{STARTED}") and self._is_old(folder):
            problem = f"{STARTED} is missing, so nobody can go on with it"
            yield Case(Damage("upload", folder, problem, DROP, harmless=True), lambda: self._drop(folder))

    def _drop(self, path: str) -> bool:
        with suppress(PathNotFound):
            self._driver.delete(path)
            return True
        return False

    def _is_old(self, folder: str) -> bool:
        try:
            times = [self._driver.stat(path).modified for path in files_below(self._driver, folder)]
            return max(times, default=self._driver.stat(folder).modified) < time.time() - YOUNG
        except PathNotFound:
            return False


def _contradicts(index: Subjects, path: str, manifest: Manifest) -> str:
    """The manifest, if the index has another subject for it."""
    digest = digest_in(path)
    subject = manifest.subject.digest if manifest.subject else None
    return str(digest) if digest in index and index[digest] != subject else ""


def _is_empty(driver: StorageDriver, folder: str) -> bool:
    """Whether there are only folders in a folder."""
    try:
        names = driver.list(folder)
        return driver.has_folders and all(_is_empty(driver, f"{folder}/{name}") for name in names)
    except (PathNotFound, InvalidPath):
        return False
