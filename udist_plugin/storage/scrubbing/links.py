"""Links that hold no digest, or lead to nothing.

A link is made after what it leads to. So one that leads to nothing was left behind, and takes nothing along
when it goes. If it is pushed again at this moment, it is put back (see collection/notes.py).
"""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import DigestInvalid, InvalidPath, PathNotFound
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.collection.notes import Notes
from udist_plugin.storage.data import BlobData
from udist_plugin.storage.links import link_content, write_link
from udist_plugin.storage.scrubbing.damage import Case, Damage
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.drivers.base import StorageDriver

DROP = "delete it"


class Links:
    """Checks the links of a store."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver
        self._data = BlobData(driver, restore=False)
        self._notes = Notes(driver)

    def stands(self, digest: Digest | None) -> bool:
        """Whether there is a blob, in its place or in quarantine."""
        with suppress(PathNotFound):
            return digest is not None and self._data.stat(digest).size >= 0
        return False

    def check(self, kind: str, path: str) -> Iterator[Case]:
        """A link whose path says which digest it is asked by."""
        content = self._read(path)
        if content is None:
            return
        asked, target = digest_in(path), digest_or_none(content)
        if asked and (target is None or (target != asked and target.algorithm == asked.algorithm)):
            problem = f"leads to {target}" if target else "holds no digest"
            if self.stands(asked):
                damage = Damage(kind, path, problem, "write it again")
                yield Case(damage, lambda: self._rewrite(path, asked))
                return
            target = asked
        elif target is None:
            problem = "holds no digest"
        elif self.stands(target):
            return
        else:
            problem = f"leads to nothing: {paths.blob_data(target)} is missing"
        yield Case(
            Damage(kind, path, problem, DROP, harmless=kind == "layer", lost=kind == "manifest"),
            lambda: self._drop(path, content, target),
        )

    def _drop(self, path: str, content: bytes, target: Digest | None) -> bool:
        """Deletes a link with this content, unless what it should lead to is there."""

        def delete() -> bool:
            if self._read(path) != content or self.stands(target):
                return False
            self._driver.delete(path)
            return True

        should = link_content(target) if target else content
        with suppress(PathNotFound):  # deleted by another
            if self._notes.delete(path, should, delete, lambda: self.stands(target)):
                self._driver.remove_if_empty(path.rpartition("/")[0])
                return True
        return False

    def _rewrite(self, path: str, digest: Digest) -> bool:
        write_link(self._driver, path, digest)
        return True

    def _read(self, path: str) -> bytes | None:
        try:
            return self._driver.get_content(path)
        except (PathNotFound, InvalidPath):
            return None


def digest_in(path: str) -> Digest | None:
    """The digest in the path of a link that is asked by one."""
    *_, algorithm, encoded, _ = path.split("/")
    return digest_or_none(f"{algorithm}:{encoded}")


def digest_or_none(text: str | bytes) -> Digest | None:
    """The digest that a text is, if it is one."""
    try:
        return Digest(text if isinstance(text, str) else text.decode("ascii", "replace"))
    except DigestInvalid:
        return None
