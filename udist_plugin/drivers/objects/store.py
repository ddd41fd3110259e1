"""What the drivers for object stores need of one: flat keys, whole objects, atomic replacement.

``ObjectDriver`` makes a tree of files of it, so a new service is one more ``ObjectStore``. Keys are never
empty; what is listed comes in the order of the keys' UTF-8 bytes. Every verb may be called from any thread,
ends within the bounds its service's library was given, and may raise ``StorageError``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from udist_plugin.errors import PathNotFound, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from udist_plugin.content import Content


MARK: Final = "udistwriter"
"""The metadata that holds an object's mark: a name that Azure takes, too."""

UNCERTAIN: Final = (
    "the service reported success for a repeated request, but does not have the object; try again"
)
UNDELETED: Final = "could not be deleted, as the service is busy; try again"


class StoredObject(NamedTuple):
    """An object: ``size`` in bytes, ``modified`` in seconds since 1970.

    ``version`` names these bytes under this key (S3's and Azure's ETag, GCS's generation). ``mark`` is the
    one its writer gave a new object, known only of what ``head`` finds. ``md5``, of what is listed,
    tells only this: the object holds the bytes of which it is the MD5 in hexadecimal, if there are any.
    """

    key: str
    size: int
    modified: float
    version: str
    mark: str = ""
    md5: str = ""


class ObjectWriter(ABC):
    """An object on its way, sent in parts while it is written. Nothing is visible before ``commit``."""

    size: int
    """Bytes accepted so far."""

    @abstractmethod
    def write(self, data: bytes | memoryview) -> None:
        """Takes all of ``data``, which may change once this returns; waits when too much is on its way."""

    @abstractmethod
    def commit(self) -> None:
        """Makes the object durable and visible. Raises ``PathBusy`` when it had to be new and is not."""

    @abstractmethod
    def cancel(self) -> None:
        """Drops what was sent, as well as the service lets it; twice is once, after ``commit`` nothing."""


class ObjectStore(ABC):
    """One bucket, or container, of a service."""

    name: ClassVar[str]
    """The driver's name in the configuration, for errors."""

    lists_late: ClassVar[bool] = False
    """Whether a listing may not show yet what stands: ``head`` always does."""

    @abstractmethod
    def head(self, key: str) -> StoredObject:
        """Raises ``PathNotFound``."""

    @abstractmethod
    def get(self, key: str, start: int = 0, end: int | None = None) -> Content:
        """The bytes from ``start`` up to, not including, ``end``.

        A content that is cut short is asked for again where it broke off, of the same version, a bounded
        number of times. Raises ``PathNotFound``, and ``InvalidOffset`` when ``start`` lies behind the end.
        """

    @abstractmethod
    def put(self, key: str, content: bytes) -> None:
        """Makes or replaces an object in one request."""

    @abstractmethod
    def writer(self, key: str, *, mark: str = "") -> ObjectWriter:
        """A writer of an object of any size.

        ``mark``, if given, asks that none stands there when it is committed, and is kept with the object:
        services' libraries repeat a commit whose answer was lost, and then report the writer's own object.
        """

    @abstractmethod
    def join(self, sources: Sequence[StoredObject], key: str) -> None:
        """Makes or replaces an object from others' bytes in their order, without bringing them here.

        Raises ``PathNotFound`` when a source is gone or is no longer of the version it was.
        """

    @abstractmethod
    def objects(self, prefix: str, *, after: str = "") -> Iterator[StoredObject]:
        """Every object whose key starts with ``prefix`` and comes after ``after``, fetched as asked for."""

    @abstractmethod
    def names(self, prefix: str, *, after: str = "", folders: bool = False) -> Iterator[str]:
        """The distinct first parts, up to a ``/``, of what follows ``prefix`` in the keys that start with it:
        in order, those after ``after``, and for ``folders`` only those that a ``/`` follows.

        Nothing below such a part is walked: the service groups them itself (S3's delimiter).
        """

    @abstractmethod
    def delete(self, keys: Sequence[str]) -> None:
        """Deletes objects, in bulk where the service can; those that are not there do not matter."""

    @abstractmethod
    def delete_version(self, found: StoredObject) -> bool:
        """Deletes an object if it has that version; false if it has another. One that is gone may be either.

        Where a service ignores the condition, whatever stands there is deleted: its store says so.
        """

    def url_for(self, key: str) -> str | None:  # noqa: ARG002
        """A signed URL that serves the object to whoever has it for a while, or ``None``."""
        return None

    def purge(self, prefix: str, age: float) -> None:
        """Drops parts, sent more than ``age`` seconds ago, of objects below ``prefix`` never committed."""

    @abstractmethod
    def probe(self) -> None:
        """Looks whether the store answers, within some seconds.

        Raises ``ConfigurationError`` with the bucket, what is wrong with it, and the key or permission that
        mends it, and ``StorageUnavailable`` when it may answer a while later.
        """


def confirm(head: Callable[[str], StoredObject], key: str, version: str, driver: str) -> None:
    """Looks for the object that a repeated request reported as made. Raises ``StorageUnavailable`` unless it
    has that version, which is empty when the service named none."""
    try:
        found = head(key).version
    except PathNotFound:
        found = ""
    if not found or found != version:
        raise StorageUnavailable(UNCERTAIN, driver=driver, path=key)
