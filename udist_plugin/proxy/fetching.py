"""Blobs fetched from upstream into the store: one fetch, whoever and how many want them."""

from __future__ import annotations

import threading
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Final

from udist_plugin.content import chunks
from udist_plugin.errors import StorageError, Unavailable
from udist_plugin.proxy.arriving import Arriving
from udist_plugin.remote.reading import RemoteContent

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from typing import BinaryIO

    from udist_plugin.content import Chunk, Content
    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import Registry

    Open = Callable[[], AbstractContextManager[Content]]

FETCHES: Final = 128
"""Blobs that are fetched at once at most: each has a thread and a connection."""

OVERLOADED: Final = 5
"""Seconds after which one more may be."""


class Fetches:
    """Fetches blobs into ``store``. A blob that is wanted again while it arrives is not fetched again; nor
    does a fetch end because those who wanted it have left. ``tell`` takes what the store failed with: who
    wanted the blob may have it by then."""

    def __init__(self, store: Registry, tell: Callable[[str], object]) -> None:
        self._store = store
        self._tell = tell
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._running: dict[tuple[str, Digest], Arriving] = {}

    def running(self, name: str, digest: Digest) -> Arriving | None:
        """A blob that is being fetched, taken: see ``Arriving.take``."""
        with self._lock:
            arriving = self._running.get((name, digest))
            if arriving is not None:
                arriving.take()
            return arriving

    def begin(self, name: str, digest: Digest, open_remote: Open) -> Arriving:
        """Fetches a blob that is not being fetched, in a thread that calls ``open_remote``; taken, too.

        Raises ``Unavailable`` when too many are. It is ``running`` until the store has it.
        """
        arriving = Arriving()
        with self._lock:
            if len(self._running) >= FETCHES:
                overloaded = Unavailable("too many blobs are being fetched")
                overloaded.retry_after = OVERLOADED
                raise overloaded
            self._running[name, digest] = arriving
            arriving.take()
        work = threading.Thread(
            target=self._fetch, args=(name, digest, arriving, open_remote), name="udist-fetch", daemon=True
        )
        try:
            work.start()
        except BaseException:  # the system has no thread
            self._end(name, digest)
            arriving.fail(Unavailable("no thread to fetch a blob with"))
            raise
        return arriving

    def close(self, patience: float) -> None:
        """Waits, for some seconds, for the store to keep what has arrived."""
        with self._lock:
            self._ended.wait_for(lambda: not any(each.whole for each in self._running.values()), patience)

    def size(self, name: str, digest: Digest) -> int | None:
        """The size of a blob that is being fetched, if it is known by now."""
        with self._lock:
            arriving = self._running.get((name, digest))
        return arriving.size if arriving and arriving.begun else None

    def _end(self, name: str, digest: Digest) -> None:
        with self._lock:
            del self._running[name, digest]
            self._ended.notify_all()

    def _fetch(self, name: str, digest: Digest, arriving: Arriving, open_remote: Open) -> None:
        try:
            with open_remote() as content:
                if isinstance(content, RemoteContent):
                    content.pass_on()  # the store verifies it, in another thread
                arriving.begin(content.size)
                self._store.push_blob(name, digest, Source(content, arriving))
            arriving.complete()
        except BaseException as error:  # raised by those who follow
            arriving.fail(error)
            if isinstance(error, StorageError):
                self._tell(f"{name}@{digest} was not kept: {error}")
        finally:
            self._end(name, digest)
            arriving.let_go()


class Source:
    """``content`` on its way to the store: a ``Watching`` source. Where the store has no file to read along
    from, there is one of ours."""

    def __init__(self, content: Content, arriving: Arriving) -> None:
        self._pieces = chunks(content)
        self._arriving = arriving
        self._given = 0
        self._begun = False
        self._own: BinaryIO | None = None

    def written_to(self, file: BinaryIO) -> None:
        self._begun = True
        self._arriving.stand_in(file)

    def next_chunk(self) -> Chunk | None:
        """What was given before is in the file by now."""
        if not self._begun:
            self._own = TemporaryFile(buffering=0)  # noqa: SIM115 - closed by Arriving
            self.written_to(self._own)
        self._arriving.grow(self._given)
        self._given = 0
        piece = next(self._pieces, None)
        if piece is not None:
            self._given = len(piece.view)
            if self._own is not None:
                write_all(self._own, piece.view)
        return piece

    def read(self, size: int = -1) -> bytes:
        raise NotImplementedError  # whoever knows ``Watching`` takes what is lent

    def arrived(self) -> None:
        self._arriving.complete()


def write_all(file: BinaryIO, data: memoryview) -> None:
    while data:
        data = data[file.write(data) :]
