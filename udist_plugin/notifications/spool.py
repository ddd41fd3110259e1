"""Events on disk until they are delivered, so that they outlive the process.

```
<spool>/<endpoint>/<process>/<event>.json
```

A process holds a lock (flock) on its own folder while it runs. A folder without one is left behind: whoever
takes its lock delivers its events. Nothing is synced: events outlive a killed process, not a power failure.
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, Self
from urllib.parse import quote

from udist_plugin.notifications.events import Envelope, Moment

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUFFIX: Final = ".json"
_NEW: Final = "."
"""What the name of a folder begins with that has no lock yet."""


class Stored(NamedTuple):
    """The envelope of an event that was read."""

    id: str
    body: bytes

    @property
    def size(self) -> int:
        return len(self.body)


class Folder:
    """The events of one process, which holds ``descriptor``."""

    def __init__(self, path: str, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @classmethod
    def make(cls, above: str) -> Self:
        """A new one in ``above``. Raises ``OSError``."""
        os.makedirs(above, 0o700, exist_ok=True)
        name = Moment.now().id
        hidden = os.path.join(above, _NEW + name)
        os.mkdir(hidden, 0o700)
        folder = cls.take(hidden)
        assert folder is not None, "nobody else looks at hidden folders"
        folder.path = os.path.join(above, name)
        os.rename(hidden, folder.path)
        return folder

    @classmethod
    def take(cls, path: str) -> Self | None:
        """The folder at ``path``, or ``None`` if it is another process's, or gone."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return cls(path, descriptor)

    def keep(self, event: Envelope) -> None:
        """Raises ``OSError``."""
        name = event.id + _SUFFIX
        file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=self._descriptor)
        try:
            body = event.body
            if os.write(file, body) < len(body):
                raise OSError("no space left on the device")
        except OSError:
            self.remove(event.id)
            raise
        finally:
            os.close(file)

    def sizes(self) -> dict[str, int]:
        """The size of each event's envelope, by the event's id."""
        with os.scandir(self._descriptor) as entries:
            return {
                each.name.removesuffix(_SUFFIX): each.stat().st_size
                for each in entries
                if each.name.endswith(_SUFFIX)
            }

    def read(self, event_id: str) -> Stored | None:
        """``None`` if the process died while it wrote the event. Raises ``OSError``."""
        file = os.open(event_id + _SUFFIX, os.O_RDONLY, dir_fd=self._descriptor)
        with open(file, "rb") as stored:
            body = stored.read()
        try:
            json.loads(body)
        except ValueError:
            self.remove(event_id)
            return None
        return Stored(event_id, body)

    def remove(self, event_id: str) -> None:
        with suppress(OSError):  # it is sent twice, then
            os.unlink(event_id + _SUFFIX, dir_fd=self._descriptor)

    def close(self) -> None:
        """Leaves the folder to the next process, if there is anything in it."""
        with suppress(OSError):
            os.rmdir(self.path)
        os.close(self._descriptor)


class Spool:
    """Keeps the events of the endpoint ``name`` below the folder ``root``. Safe for any number of threads."""

    def __init__(self, root: str, name: str) -> None:
        self.place = os.path.join(root, f"{quote(name, safe='')}.events")
        self._lock = threading.Lock()
        self._own: Folder | None = None
        self._left: list[Folder] = []
        self._adopted: dict[str, Folder] = {}

    def keep(self, event: Envelope) -> None:
        """Raises ``OSError``."""
        with self._lock:  # which closing waits for: the folder's descriptor may be another file's after it
            if self._own is None:
                self._own = Folder.make(self.place)
            self._own.keep(event)

    def remove(self, event: Envelope) -> None:
        folder = self._adopted.pop(event.id, self._own)
        if folder is not None:
            folder.remove(event.id)

    def adopt(self, limit: int) -> tuple[Sequence[Stored], int]:
        """The events that other processes left behind, in the order of time, and how many older ones were
        given up: envelopes of more than ``limit`` bytes in all. Raises ``OSError``."""
        self._left = self._take_left()
        found = [(event_id, size, each) for each in self._left for event_id, size in each.sizes().items()]
        events: list[Stored] = []
        given_up = 0
        for event_id, size, folder in sorted(found, key=lambda each: each[0], reverse=True):
            limit -= size
            if limit < 0:
                folder.remove(event_id)
                given_up += 1
            elif event := folder.read(event_id):
                events.append(event)
                self._adopted[event_id] = folder
        return events[::-1], given_up

    def close(self) -> None:
        """What has not been removed is for the next process."""
        with self._lock:
            folders, self._left = [*self._left, *([self._own] if self._own else [])], []
            self._own = None
        for folder in folders:
            folder.close()

    def _take_left(self) -> list[Folder]:
        try:
            names = os.listdir(self.place)
        except FileNotFoundError:
            return []
        paths = [os.path.join(self.place, name) for name in names if not name.startswith(_NEW)]
        return [folder for path in paths if (folder := Folder.take(path))]
