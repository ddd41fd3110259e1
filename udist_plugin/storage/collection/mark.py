"""What a store's manifests refer to: the blobs that are not garbage.

Every revision of every repository counts, tagged or not, so indexes, referrers and their subjects stay
whole. Layer links do not count, as with distribution's collector. All else fails closed: a link or manifest
that cannot be read raises ``StorageError`` with its path, for who knows what it referred to.
"""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.storage.collection.batches import looked_up
from udist_plugin.storage.collection.memory import NOTHING, SIZE, Memory, Record, apart
from udist_plugin.storage.collection.quarantine import Quarantine
from udist_plugin.storage.collection.reading import Reader
from udist_plugin.storage.collection.walk import REVISIONS, check_repositories, revisions
from udist_plugin.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.storage.collection.walk import Revision

    Progress = Callable[[int], object]
    """Takes how many manifests have been read."""

_KEPT_MAX: Final = 32 << 20
"""Bytes of digests of the manifests that are not read again for another repository in the same run."""
_FOLDERS: Final = ("", "/sha256", "/sha384", "/sha512")
"""Those of a repository's revisions in which a registry makes links, as paths from there."""


class Marked:
    """A set of digests, in half the memory."""

    def __init__(self) -> None:
        self._raw: set[bytes] = set()

    def __len__(self) -> int:
        return len(self._raw)

    def __contains__(self, digest: Digest) -> bool:
        return digest.raw in self._raw

    def add(self, digest: Digest) -> None:
        self._raw.add(digest.raw)

    def update(self, digests: bytes) -> None:
        """Adds digests of sha256 that stand one behind the other."""
        self._raw.update(apart(digests))

    def missing(self, names: Sequence[str]) -> Iterable[str]:
        """Of the hexadecimal parts of digests of sha256 those that are not in the set; other names stay."""
        if set(map(len, names)) == {2 * SIZE}:
            with suppress(ValueError):
                raw = bytes.fromhex("".join(names))
                if len(raw) == SIZE * len(names):
                    return [each.hex() for each in set(apart(raw)) - self._raw]
        return names


def mark(
    driver: StorageDriver,
    progress: Progress = lambda _: None,
    without: Collection[str] = (),
    memory: Memory | None = None,
) -> Marked:
    """The blobs that are referred to by any manifest whose link stood before this was called, in its place
    or in quarantine. The links in ``without`` do not count.

    Raises ``StorageError`` for what cannot be listed or read.
    """
    check_repositories(driver)
    marking = _Marking(driver, progress)
    # Those in quarantine come first and once more at the end, for a link may move meanwhile, there and back:
    # one that goes there stays for a grace, also when it is restored.
    marking.quarantined(without)
    marking.repositories(memory or Memory(driver))
    marking.quarantined(without)
    return marking.marked


class _Marking:
    def __init__(self, driver: StorageDriver, progress: Progress) -> None:
        self.marked = Marked()
        self._driver = driver
        self._reader = Reader(driver)
        self._progress = progress
        self._count = 0
        self._kept: dict[bytes, bytes] = {}
        self._room = _KEPT_MAX

    def quarantined(self, without: Collection[str]) -> None:
        """Marks what the manifests of links in quarantine refer to."""
        found = _Repository("", {})
        links = (each for each in Quarantine(self._driver).revision_links() if each.link not in without)
        self._read((found, each) for each in links)

    def repositories(self, memory: Memory) -> None:
        """Marks what the manifests of all repositories refer to."""
        state_of = self._driver.folder_states()
        links_of = revisions(self._driver)
        for part, records, found in memory.shards(links_of):
            left: dict[str, _Repository] = {}
            for path in part:
                before, state = records.get(path, NOTHING), _state(state_of, path)
                if memory.trust and before.is_current(state):
                    self.marked.update(before.digests)
                    self._counted(len(before.counts))
                    found[path] = before
                else:
                    left[path] = _Repository(state, before.manifests() if memory.trust else {})
            self._read((each, link) for path, each in left.items() for link in links_of[path]())
            found.update((path, each.record(_state(state_of, path))) for path, each in left.items())

    def _read(self, links: Iterable[tuple[_Repository, Revision]]) -> None:
        for batch in looked_up(self._driver, self._look, links):
            self._counted(sum(1 for _ in batch))

    def _counted(self, count: int) -> None:
        self._count += count
        self._progress(self._count)

    def _look(self, found: tuple[_Repository, Revision]) -> None:
        """Marks the manifest that a revision's link leads to, and all that it names."""
        repository, revision = found
        target = revision.holds or self._reader.link(revision.link)
        digests = None if target is None else self._digests(repository, revision, target)
        repository.add(revision, target, digests)

    def _digests(self, repository: _Repository, revision: Revision, target: Digest) -> bytes | None:
        """A manifest's digest, and those that it names, if it is worth remembering; they are marked."""
        raw = target.raw
        if (digests := repository.known.get(raw) or self._kept.get(raw)) is None:
            if (content := self._reader.manifest(target, revision.link)) is None:
                return None
            blobs, asked = self._reader.blobs(revision.repository, content, target)
            others = {digest.raw for digest in blobs} - {raw}
            if asked or len(raw) != SIZE:
                for each in (target, *blobs):
                    self.marked.add(each)
                return None
            digests = raw + b"".join(sorted(others))
            if self._room >= len(digests):
                self._room -= len(digests)
                self._kept[raw] = digests
        self.marked.update(digests)
        return digests


class _Repository:
    """What is found of a repository whose folder of links was in a state; ``known`` are its manifests as they
    are remembered."""

    def __init__(self, state: str, known: dict[bytes, bytes]) -> None:
        self.known = known
        self.manifests: dict[bytes, bytes] = {}
        self._state = state

    def add(self, revision: Revision, target: Digest | None, digests: bytes | None) -> None:
        """A link with what it leads to. One that holds anything but the digest in its path, or none, may get
        another without any change of the folder."""
        if digests is not None:
            self.manifests[digests[:SIZE]] = digests
        if digests is None or target is None or revision.link != _link(revision.repository, target):
            self._state = ""

    def record(self, state: str) -> Record:
        """What to remember, if the folder is in this state now."""
        return Record.of(self._state if state == self._state else "", self.manifests)


def _state(state_of: Callable[[str], str], repository: str) -> str:
    """That of all folders in which a new link may appear."""
    states = [state_of(f"{repository}{REVISIONS}{folder}") for folder in _FOLDERS]
    return "; ".join(states) if all(states) else ""


def _link(repository: str, digest: Digest) -> str:
    return f"{repository}{REVISIONS}/{digest.replace(':', '/')}/link"
