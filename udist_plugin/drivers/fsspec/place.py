"""How a file comes to stand in its place, and leaves it: the same steps for every writer.

Nothing is written in place: a file is made in the scratch folder, under a name of its own, and published from
there. So what a failed write leaves is never taken for content, though fsspec's file systems publish what an
exception interrupts.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.base import check_path
from udist_plugin.drivers.fsspec.connections import Connections, is_lost
from udist_plugin.drivers.fsspec.settings import NAME, SFTP
from udist_plugin.errors import (
    InvalidPath,
    PathNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
    UdistError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from udist_plugin.drivers.fsspec.settings import Settings

    Result = TypeVar("Result")

ATTEMPTS: Final = 16
"""How often a folder is made again that others delete, or make, meanwhile."""
HASTE: Final = 4
"""Attempts without a pause."""
PAUSE: Final = 0.01
"""Seconds from one attempt to the next after these."""

_EMPTIES: Final = SFTP | {"file", "local"}
"""Whose ``rmdir`` refuses a folder that holds something; that of others deletes what is in it."""


class Place:
    """The folder that a store stands in; ``scratch`` is a path in it."""

    def __init__(self, settings: Settings, scratch: str) -> None:
        self.connections = Connections(settings)
        self.renames = settings.renames
        self._removes = settings.protocol in _EMPTIES
        self._scratch = scratch
        self._settings = settings

    def run(self, path: str, action: Callable[[Any, str], Result], *, again: bool = True) -> Result:
        """What ``action`` makes of a file system and the full path there; once more if the connection was
        lost, where it may be done ``again``."""
        check_path(path, NAME)
        with named_errors(path):
            try:
                return self._once(path, action)
            except Exception as error:
                if not again or not is_lost(error):
                    raise
            return self._once(path, action)

    def _once(self, path: str, action: Callable[[Any, str], Result]) -> Result:
        with self.connections.one() as connection:
            return action(connection.system, connection.root + (path if path != "/" else ""))

    def check(self, path: str) -> str:
        """``path`` itself; raises ``InvalidPath``."""
        return check_path(path, NAME)

    def move(self, source: str, destination: str) -> None:
        """Moves a file, replacing what stands there. Raises ``PathNotFound``."""
        self.check(destination)

        def move(system: Any, full: str) -> None:
            root = self.root_of(full, source)
            system.info(full)  # else a missing folder could not be told from this
            if source != destination:
                self.publish(system, full, root + destination)

        self.run(source, move, again=False)

    def remove(self, path: str) -> None:
        """Deletes a file, or a folder with all in it. Raises ``PathNotFound``."""
        self.run(path, lambda system, full: self.delete(system, self.root_of(full, path), full))

    def root_of(self, full: str, path: str) -> str:
        """What stands before every path."""
        return full[: len(full) - len(path)] if path != "/" else full

    def temporary(self, root: str) -> str:
        """The full path of a file to be written."""
        return f"{root}{self._scratch}/{os.urandom(8).hex()}-fsspec"

    def write(self, system: Any, root: str, content: bytes) -> str:
        """Makes a temporary file; its full path."""
        full = self.temporary(root)
        in_folder(system, full, lambda: system.pipe_file(full, content))
        return full

    def publish(self, system: Any, temporary: str, full: str) -> None:
        """Moves a whole file to its place."""
        if self.renames:
            in_folder(system, full, lambda: system.mv(temporary, full))
        else:
            system.cp_file(temporary, full)
            system.rm_file(temporary)

    def put(self, system: Any, root: str, full: str, content: bytes) -> None:
        if not self.renames:
            system.pipe_file(full, content)
            return
        temporary = self.write(system, root, content)
        try:
            self.publish(system, temporary, full)
        except BaseException:
            discard(system, temporary)
            raise

    def delete(self, system: Any, root: str, full: str) -> None:
        """A file, or a folder with all in it: one rename away from its place, where there are renames."""
        if self.renames:
            gone = self.temporary(root)
            system.info(full)  # else a missing scratch folder could not be told from this
            in_folder(system, gone, lambda: system.mv(full, gone))
            with suppress(Exception):  # purging finds it
                system.rm(gone, recursive=True)
            return
        system.rm(full, recursive=True)

    def prune(self, system: Any, folder: str) -> bool:
        """Deletes a folder if it holds nothing, where the file system can be trusted with that."""
        if not self._removes:
            return False
        try:
            system.rmdir(folder)
        except OSError:
            return False
        return True


def info(system: Any, full: str) -> dict[str, Any]:
    """What stands there now, whatever was listed before. Raises ``FileNotFoundError``."""
    system.invalidate_cache()
    found: dict[str, Any] = system.info(full)
    return found


def entries(system: Any, full: str) -> dict[str, dict[str, Any]]:
    """What stands in a folder, by name. Raises ``FileNotFoundError`` and ``NotADirectoryError``."""
    system.invalidate_cache()
    found = {str(each["name"]).rstrip("/"): each for each in system.ls(full, detail=True)}
    own = found.pop(full, None) or found.pop(full.lstrip("/"), None)
    if own is not None and own["type"] != "directory":
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), full)
    return {name.rpartition("/")[2]: each for name, each in found.items()}


def in_folder(system: Any, full: str, action: Callable[[], object]) -> None:
    """Does what makes a file, and its folder if that is missing: others may make and delete it too."""
    folder, refused = full.rpartition("/")[0], None
    for attempt in range(ATTEMPTS):
        try:
            action()
            return
        except FileNotFoundError:
            if attempt == ATTEMPTS - 1 and refused is not None:
                problem = f"the folder cannot be made: {refused.strerror or refused}"
                raise StorageError(problem, driver=NAME, path=folder) from refused
            if attempt == ATTEMPTS - 1:
                raise
            if attempt >= HASTE:  # give way to whoever deletes it over and over
                time.sleep(PAUSE)
        try:
            system.makedirs(folder, exist_ok=True)
            refused = None
        except OSError as error:  # another made it, or deletes what is above it
            refused = error


def discard(system: Any, full: str) -> None:
    """Deletes a temporary file, if it can be."""
    with suppress(Exception):  # purging finds it
        system.rm_file(full)


@contextmanager
def named_errors(path: str) -> Iterator[None]:
    """fsspec has no errors of its own: each library below raises what it likes."""
    try:
        yield
    except UdistError:
        raise
    except FileNotFoundError as error:
        raise PathNotFound("not found", driver=NAME, path=path) from error
    except IsADirectoryError as error:
        raise InvalidPath("a folder, not a file", driver=NAME, path=path) from error
    except (NotADirectoryError, FileExistsError) as error:
        raise InvalidPath("a file is in the place of a folder", driver=NAME, path=path) from error
    except PermissionError as error:
        problem = "permission denied: check the owner and mode of the folder"
        raise StorageError(problem, driver=NAME, path=path) from error
    except Exception as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
        kind = StorageFull if full else StorageUnavailable
        raise kind(f"{type(error).__name__}: {error}", driver=NAME, path=path) from error
