"""Actors that take turns on one store, one call of its driver at a time, in an order that a seed decides."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from pytest import MonkeyPatch

from tests.drivers import memory_store
from tests.drivers.memory_store import MemoryObjects, MemoryStore
from udist_plugin.drivers import inmemory
from udist_plugin.drivers.inmemory import InMemoryDriver
from udist_plugin.errors import PathNotFound, UdistError
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.drivers.base import FileInfo, StorageDriver
    from udist_plugin.drivers.inmemory import File
    from udist_plugin.drivers.objects.store import ObjectWriter, StoredObject

HOUR = 3600.0
TURNS = (1, 1, 2, 5, 20, 60, 300)
"""How often an actor goes before it is another's turn, which may be long after: what matters happens when
one is held up in the middle of something."""
LATE = HOUR
"""Seconds after which the network delivers no repeated request any more."""


class Killed(BaseException):
    """The actor is no more; nothing that it would still do reaches the store."""


class Role(NamedTuple):
    """What somebody does; one that is mortal may be killed, and then does all of it anew."""

    name: str
    work: Callable[[], object]
    is_mortal: bool = False


class Actor:
    """``work`` runs in a thread of its own, but only while it has its turn."""

    def __init__(self, turns: Turns, role: Role) -> None:
        self.role = role
        self.killed = False
        self.ended = False
        self.error: BaseException | None = None
        self.go = threading.Semaphore(0)
        self._turns = turns
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        self.go.acquire()
        try:
            if not self.killed:
                self.role.work()
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        self.ended = True
        self._turns.back.release()


class Turns:
    """Decides who goes next, what the time is, and who is killed."""

    def __init__(self, seed: int, *, jumps: bool) -> None:
        self.random = Random(seed)
        self.trace: list[str] = []
        """What was written and what happened, in order."""
        self.deceives = Random(~seed).random() < 0.5
        """Whether every folder is said to be as it was, which costs no more than another grace."""
        self.real = 1e9
        self.skew = 0.0
        self.back = threading.Semaphore(0)
        self.busy_since: float | None = None
        """Since when a stock server takes a push: one that lasts as long as a grace is promised nothing."""
        self.late: list[tuple[float, Callable[[], object]]] = []
        """What the network may deliver once more, and until when."""
        self.moving: set[Actor | None] = set()
        """Who has copied data to quarantine, and not deleted the original: that is never held up for long."""
        self.noting: set[Actor | None] = set()
        """Who has noted a deletion (see collection/notes.py): nor is that."""
        self.jumps = jumps
        self._current: Actor | None = None
        self._ticks = 0

    def time(self) -> float:
        """The store's time; to actors no two moments are the same."""
        self._ticks += self._current is not None
        return self.real + self.skew + self._ticks * 1e-6

    def tell(self, what: str) -> None:
        """Notes what the one whose turn it is has done."""
        who = f"{self._current.role.name}: " if self._current else ""
        self.trace.append(f"{self.time():.6f} {who}{what}")

    @contextmanager
    def told(self) -> Iterator[None]:
        """Whatever fails here has a note of what everybody did."""
        try:
            yield
        except (AssertionError, UdistError) as error:
            error.add_note("\n".join(self.trace))
            raise

    def step(self) -> None:
        """Called by an actor before each thing it does: lets others go first."""
        actor = self._current
        if actor is None:
            return
        if not actor.killed:
            self.back.release()
            actor.go.acquire()
        if actor.killed:
            raise Killed

    def pause(self, seconds: float) -> None:
        for _ in range(self.random.randrange(20)):
            self.step()
        self.pass_time(seconds)
        self.step()

    def pass_time(self, seconds: float) -> None:
        self.real += seconds
        self.late = [(until, act) for until, act in self.late if self.real < until]

    def run(self, roles: Sequence[Role]) -> None:
        """Until all have ended; one that is killed and mortal begins anew, three times in all."""
        actors = [Actor(self, role) for role in roles]
        lives = 3
        while alive := [actor for actor in actors if not actor.ended]:
            actor = self.random.choice(alive)
            place = actors.index(actor)
            if lives and actor.role.is_mortal and self.random.random() < 0.02:
                lives -= 1
                actor.killed = True
                self.trace.append(f"{actor.role.name} is killed")
                actors[place] = Actor(self, actor.role)
            for _ in range(self.random.choice(TURNS)):
                if not actor.ended:
                    self._turn(actor)
            if actor.error is not None:
                for other in actors:
                    other.killed = True
                    if not other.ended:
                        self._turn(other)
                raise actor.error
            if self.random.random() < 0.2:
                self.happen()

    def moves(self, *, now: bool) -> None:
        """Whether the actor whose turn it is has begun or ended to move data to quarantine."""
        (self.moving.add if now else self.moving.discard)(self._current)

    def writes(self, verb: str, path: str) -> None:
        """The actor whose turn it is has changed something."""
        self.tell(f"{verb} /{path.removeprefix(paths.ROOT).removeprefix(paths.ROOT[1:]).lstrip('/')}")
        if path.endswith(paths.NOTE):
            (self.noting.add if verb == "put" else self.noting.discard)(self._current)

    def _turn(self, actor: Actor) -> None:
        self._current = actor
        actor.go.release()
        self.back.acquire()
        self._current = None

    def happen(self) -> None:
        if self.late and self.random.random() < 0.5:
            self.late.pop(self.random.randrange(len(self.late)))[1]()
            return
        if any(actor and not actor.ended for actor in self.moving | self.noting):
            self.pass_time(1.0)
            return
        if self.jumps and self.random.random() < 0.3:
            self.late.clear()
            self.skew += self.random.choice([-30, 30]) * HOUR
            self.trace.append(f"the clock is wrong by {self.skew / HOUR:.0f} h")
            return
        seconds = self.random.choice([1.0, 4.0, HOUR, 13 * HOUR, 25 * HOUR])
        if self.busy_since is None or self.real + seconds - self.busy_since < 23 * HOUR:
            self.pass_time(seconds)


class TurnedFiles(InMemoryDriver):
    """A tree in memory whose every verb is a step."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def put_file(self, path: str, file: File) -> None:
        self._turns.step()
        super().put_file(path, file)
        self._turns.writes("put", path)

    def reader(self, path: str, start: int = 0, end: int | None = None) -> Content:
        self._turns.step()
        return super().reader(path, start, end)

    def stat(self, path: str) -> FileInfo:
        self._turns.step()
        return super().stat(path)

    def list(self, path: str) -> list[str]:
        self._turns.step()
        return super().list(path)

    def folder_states(self) -> Callable[[str], str]:
        def state_of(path: str) -> str:
            try:
                return "as it was" if self._turns.deceives else f"holds {sorted(self.list(path))}"
            except PathNotFound:
                return "absent"

        return state_of

    def move(self, source: str, destination: str) -> None:
        self._turns.step()
        super().move(source, destination)
        self._turns.writes("move", f"{source} {destination}")

    def delete(self, path: str, *, durable: bool = True) -> None:
        self._turns.step()
        super().delete(path, durable=durable)
        self._turns.writes("delete", path)

    def delete_if(self, path: str, holding: str, content: bytes) -> bool:
        self._turns.step()
        deleted = super().delete_if(path, holding, content)
        self._turns.writes("delete" if deleted else "leave", path)
        return deleted


class TurnedStore(MemoryStore):
    """Objects in memory; every request is a step, and a deletion of data may arrive a second time, unless
    the clock jumps: that it comes within the grace is all that is known of it."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def head(self, key: str) -> StoredObject:
        self._turns.step()
        return super().head(key)

    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        self._turns.step()
        return super().get(key, start, end)

    def put(self, key: str, content: bytes) -> None:
        self._turns.step()
        super().put(key, content)
        self._turns.writes("put", key)

    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        self._turns.step()
        return super().writer(key, mark=mark)

    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        self._turns.step()
        super().join(sources, key)
        self._turns.writes("copy", key)
        if key.startswith(paths.QUARANTINE[1:]):
            self._turns.moves(now=True)

    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        self._turns.step()
        return super().objects(prefix, after=after)

    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        self._turns.step()
        return super().names(prefix, after=after, folders=folders)

    def delete(self, keys: Sequence[str]) -> None:
        self._turns.step()
        super().delete(keys)
        for key in keys:
            self._turns.writes("delete", key)
        self._turns.moves(now=False)
        data = [key for key in keys if key.startswith(paths.BLOBS[1:])]
        if data and not self._turns.jumps and self._turns.random.random() < 0.5:
            again = super().delete
            self._turns.late.append((self._turns.real + LATE, lambda: again(data)))

    def delete_version(self, found: StoredObject) -> bool:
        self._turns.step()
        deleted = super().delete_version(found)
        self._turns.writes("delete" if deleted else "leave", found.key)
        return deleted


@contextmanager
def store(turns: Turns, *, objects: bool) -> Iterator[StorageDriver]:
    """A driver whose clock is that of ``turns``."""
    with MonkeyPatch.context() as patch:
        for module in (inmemory, memory_store):
            patch.setattr(module, "time", _Clock(turns))
        if objects:
            patch.setattr(MemoryObjects, "lookups", 1)  # no threads beside those of the actors
            yield MemoryObjects(TurnedStore(turns))
        else:
            yield TurnedFiles(turns)


class _Clock:
    """What the drivers use of ``time``."""

    def __init__(self, turns: Turns) -> None:
        self.time = turns.time
        self._count = 0

    def monotonic_ns(self) -> int:
        self._count += 1
        return self._count
