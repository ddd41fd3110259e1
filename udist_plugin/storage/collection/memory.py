"""What manifests refer to, remembered from one run of the collector to the next.

/docker/registry/v2/udist/marks
├── <shard>        the repositories whose paths' hashes begin alike
└── blobs          the folders of blobs, if these shards are what they were (see candidates.py)

A manifest's references follow from its bytes, so they are true of its digest for ever. Which manifests a
repository has is looked up in every run, by its links. A folder of links is not read again only where the
file system proves that nothing was added to it or removed (``StorageDriver.folder_states``). ``collect.py``
says which runs trust this.
"""

from __future__ import annotations

import struct
import time
from contextlib import suppress

from udist_plugin.errors import FileTooLarge, InvalidPath, PathNotFound, StorageError
from udist_plugin.storage import paths
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from udist_plugin.drivers.base import StorageDriver

MAGIC: Final = b"udist marks 1\n"
"""Names the format, and what counts as a reference: a new number when either changes."""
SHARDS: Final = 64
SHARD_MAX: Final = 64 << 20
"""A larger shard is neither written nor read, in bytes: some ten million manifests in all."""
TRUSTED: Final = 7 * 24 * 3600.0
"""Seconds after which a folder is read again, whatever its state: a link that was deleted, but not the folder
around it, changes nothing in the folder above."""
SIZE: Final = 32
"""Bytes of a digest. Manifests that have to do with any but sha256 are not remembered."""
_INDEX: Final = struct.Struct(">I")
_START: Final = len(MAGIC) + 32
"""The length of what is before the index: what a shard is, and its checksum."""
_BLOBS: Final = "blobs"
NAMES_MAX: Final = 100_000
"""Blobs that are not marked of which is remembered that they stand."""


class Record(NamedTuple):
    """A repository as it was when its links were read, in seconds since 1970.

    ``digests`` are, of each manifest, its own and those that it refers to, ``counts`` how many these are.
    ``state`` is that of the folder of links if each entry in it was a link to what its path says, or empty.
    """

    state: str
    time: float
    counts: list[int]
    digests: bytes

    @classmethod
    def of(cls, state: str, manifests: Mapping[bytes, bytes]) -> Record:
        """Of what each manifest refers to, with its own digest first."""
        found = sorted(manifests.values())
        return cls(
            state, time.time() if state else 0.0, [len(each) // SIZE for each in found], b"".join(found)
        )

    def manifests(self) -> dict[bytes, bytes]:
        """By digest, as ``of`` takes them."""
        found: dict[bytes, bytes] = {}
        start = 0
        for count in self.counts:
            digests = self.digests[start : (start := start + count * SIZE)]
            found[digests[:SIZE]] = digests
        return found

    def is_current(self, state: str) -> bool:
        """Whether the folder has the same entries still, if this is its ``state``."""
        return bool(state) and self.state == state and 0 <= time.time() - self.time < TRUSTED


NOTHING: Final = Record("", 0.0, [], b"")

Records = dict[str, Record]

Folders = dict[str, tuple[str, list[str]]]
"""The state of a folder of blobs, and the names in it that were not marked."""


class Memory:
    """The memory of a store.

    Without ``save`` nothing is written. Without ``trust`` everything is read. With it, a manifest that is
    remembered is not read, nor a folder whose state is as it was. ``note`` is told of what is damaged, which
    is made anew.
    """

    def __init__(
        self,
        driver: StorageDriver,
        *,
        save: bool = False,
        trust: bool = False,
        note: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.trust = trust
        self.lost: set[bytes] = set()
        """The digests of manifests that are not there any more, and those that they referred to."""
        self._driver = driver
        self._read_sums: dict[str, bytes] = {}
        self._left_sums: dict[str, bytes] = {}
        self._save = save
        self._note = note

    def shards(self, repositories: Iterable[str]) -> Iterator[tuple[list[str], Records, Records]]:
        """The paths of repositories, in parts, with what is remembered of them; what the caller puts into the
        last of each is remembered instead."""
        parts: dict[str, list[str]] = {}
        for path in repositories:
            parts.setdefault(_shard(path), []).append(path)
        stored = self._stored()
        for shard in sorted(parts.keys() | stored):
            content = self._read(shard) if shard in stored else b""
            records = self._decoded(shard, content)
            found: Records = {}
            yield parts.get(shard, []), records, found
            for path, record in records.items():
                if (now := found.get(path, NOTHING)) is not record:
                    self._lose(record.manifests(), now.manifests())
            self._write(shard, content, found)

    def _lose(self, before: dict[bytes, bytes], now: dict[bytes, bytes]) -> None:
        for digests in (before[each] for each in before.keys() - now.keys()):
            self.lost.update(apart(digests))

    def folders(self) -> Folders:
        """Those of blobs, as they were when this run's ``lost`` was not lost yet; none if that is not known,
        or not to be trusted."""
        import json

        content = self._read(_BLOBS) if self.trust and self._driver.has_folders else b""
        try:
            of, then, folders = json.loads(content)
            if of == _sum_of(self._read_sums) and 0 <= time.time() - then < TRUSTED:
                return {path: (state, names) for path, (state, names) in folders.items()}
        except (ValueError, TypeError, AttributeError):
            pass
        return {}

    def save_folders(self, folders: Folders) -> None:
        """Remembers the folders of blobs, when all repositories were."""
        import json

        known = {path: each for path, each in folders.items() if each[0]}
        if not self._save or not known or sum(len(names) for _, names in known.values()) > NAMES_MAX:
            return
        content = json.dumps([_sum_of(self._left_sums), time.time(), known]).encode()
        with suppress(StorageError):
            self._driver.put_content(_path(_BLOBS), content, durable=False)

    def _stored(self) -> set[str]:
        try:
            return set(self._driver.list(paths.MARKS)) - {_BLOBS}
        except (PathNotFound, InvalidPath):
            return set()

    def _read(self, shard: str) -> bytes:
        try:
            return self._driver.get_content(_path(shard), SHARD_MAX)
        except (PathNotFound, InvalidPath, FileTooLarge):
            return b""

    def _decoded(self, shard: str, content: bytes) -> Records:
        if not content:
            return {}
        try:
            records = decoded(content)
            self._read_sums[shard] = content[:_START]
            return records
        except (ValueError, TypeError, struct.error):
            self._note(f"{_path(shard)} is damaged or of another version: all that it is about is read again")
            return {}

    def _write(self, shard: str, before: bytes, found: Records) -> None:
        if not self._save:
            return
        content = encoded(found) if found else b""
        if len(content) > SHARD_MAX:
            return
        with suppress(StorageError):  # the next run reads more
            if content and content != before:
                self._driver.put_content(_path(shard), content, durable=False)
            elif before and not content:
                self._driver.delete(_path(shard), durable=False)
            if content:
                self._left_sums[shard] = content[:_START]


def encoded(records: Records) -> bytes:
    """A shard: what it is, a checksum, an index, and the digests."""
    import json

    index = json.dumps([[path, *record[:3]] for path, record in sorted(records.items())]).encode()
    digests = b"".join(record.digests for _, record in sorted(records.items()))
    body = _INDEX.pack(len(index)) + index + digests
    return MAGIC + _sha256(body) + body


def decoded(content: bytes) -> Records:
    """Raises ``ValueError``, ``TypeError`` or ``struct.error`` for what is no shard."""
    import json

    body = content[_START:]
    if content[:_START] != MAGIC + _sha256(body):
        raise ValueError("no shard, or damaged")
    (size,) = _INDEX.unpack_from(body)
    at = _INDEX.size + size
    records: Records = {}
    for path, state, when, counts in json.loads(body[_INDEX.size : at]):
        records[path] = Record(state, when, counts, body[at : (at := at + sum(counts) * SIZE)])
    if at != len(body):
        raise ValueError("digests are missing")
    return records


def _shard(path: str) -> str:
    return f"{_sha256(path.encode())[0] % SHARDS:02}"


def _sha256(content: bytes) -> bytes:
    import hashlib

    return hashlib.sha256(content, usedforsecurity=False).digest()


def _sum_of(sums: dict[str, bytes]) -> str:
    return _sha256(b"".join(shard.encode() + each for shard, each in sorted(sums.items()))).hex()


def apart(digests: bytes) -> tuple[bytes, ...]:
    """Digests that stand one behind the other."""
    return struct.unpack(f"{SIZE}s" * (len(digests) // SIZE), digests)


def _path(shard: str) -> str:
    return f"{paths.MARKS}/{shard}"
