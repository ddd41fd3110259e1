"""Leases: the tags and manifests that an owner needs, such as a backup.

/docker/registry/v2/udist
├── leases/<owner>/<name>
│   ├── _tags/<tag>                the digest that the tag points at
│   └── _manifests/<algorithm>/<hex>
└── released/<owner>/…             the same, until the collector has seen it

The collector keeps what is under a lease. What was, and is not any more, it removes. Each lease is a file of
its own that only its owner writes, with the same content, so no two who make or release leases can harm each
other, whatever the store is.
"""

from __future__ import annotations

from contextlib import suppress

from udist_plugin.errors import ConfigurationError, ManifestUnknown, NameInvalid, PathNotFound, UdistError
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import Reference, check_name, check_tag
from udist_plugin.storage import paths
from udist_plugin.storage.collection.walk import failure, files_below
from udist_plugin.storage.links import read_link, write_link
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

_OWNER: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_TAGS: Final = "_tags"
_MANIFESTS: Final = "_manifests"


class Lease(NamedTuple):
    """``target`` is a tag or a digest of the repository ``name``."""

    owner: str
    name: str
    target: Digest | str

    @property
    def reference(self) -> str:
        """As people write it."""
        return f"{self.name}{'@' if isinstance(self.target, Digest) else ':'}{self.target}"

    def path(self, above: str = paths.LEASES) -> str:
        """Where its file stands, or that of its release."""
        if isinstance(self.target, Digest):
            below = f"{_MANIFESTS}/{self.target.replace(':', '/')}"
        else:
            below = f"{_TAGS}/{self.target}"
        return f"{above}/{self.owner}/{self.name}/{below}"


class Release(NamedTuple):
    """A lease that was released at ``time``, in seconds since 1970; ``digest`` is what it pointed at."""

    lease: Lease
    digest: Digest
    time: float


class Leases:
    """The leases of a store. Every verb may raise ``StorageError``."""

    def __init__(self, driver: StorageDriver) -> None:
        self._driver = driver

    def create(self, registry: Registry, owner: str, references: Sequence[str]) -> list[Lease]:
        """Puts tags (``name:tag``) and manifests (``name@digest``) under leases of ``owner``; ``registry`` is
        that of the store.

        Raises ``ConfigurationError`` for a name that cannot be an owner's, and ``ManifestUnknown`` for what
        is not there; the leases before it in ``references`` stand.
        """
        check_owner(owner)
        leases = [_parsed(owner, text) for text in references]
        for lease in leases:
            path = lease.path()
            write_link(self._driver, path, registry.resolve_manifest(lease.name, lease.target).digest)
            try:
                # A collector that did not see the lease has removed it by now, or looks for leases later.
                registry.resolve_manifest(lease.name, lease.target)
            except ManifestUnknown:
                self._drop(path)
                raise
        return leases

    def release(self, owner: str, references: Sequence[str] = ()) -> list[Lease]:
        """Ends all leases of an owner, or those on ``references``; what they were on goes with the next run
        of the collector, if nobody else has a lease on it."""
        wanted = {_parsed(check_owner(owner), text) for text in references}
        leases = sorted(self.list(owner), key=lambda lease: lease.reference)
        released = [lease for lease in leases if not wanted or lease in wanted]
        for lease in released:
            path = lease.path()
            if (digest := read_link(self._driver, path)) is not None:
                write_link(self._driver, lease.path(paths.RELEASED), digest)
            self._drop(path)
        return released

    def list(self, owner: str = "") -> Iterator[Lease]:
        """All leases, or those of one owner."""
        folder = f"{paths.LEASES}/{check_owner(owner)}" if owner else paths.LEASES
        return self._below(folder, paths.LEASES)

    def holds(self, name: str, target: Digest | str) -> bool:
        """Whether anybody has a lease on a tag or a manifest."""
        try:
            owners = self._driver.list(paths.LEASES)
        except PathNotFound:
            return False
        return any(self._driver.stands(Lease(owner, name, target).path()) for owner in owners)

    def releases(self) -> Iterator[Release]:
        """What was released and is still to be removed."""
        for lease in self._below(paths.RELEASED, paths.RELEASED):
            path = lease.path(paths.RELEASED)
            if (digest := read_link(self._driver, path)) is not None:
                with suppress(PathNotFound):
                    yield Release(lease, digest, self._driver.stat(path).modified)

    def settle(self, release: Release) -> None:
        """Forgets a release, unless there is a later one."""
        path = release.lease.path(paths.RELEASED)
        with suppress(PathNotFound):
            if self._driver.stat(path).modified == release.time:
                self._drop(path)

    def _below(self, folder: str, above: str) -> Iterator[Lease]:
        for path in files_below(self._driver, folder):
            try:
                yield _lease_at(path.removeprefix(f"{above}/"))
            except (UdistError, ValueError) as error:
                problem = "is not a lease, but is where leases are kept; delete it"
                raise failure(self._driver, problem, path) from error

    def _drop(self, path: str) -> None:
        with suppress(PathNotFound):
            self._driver.delete(path)
        above = path.rpartition("/")[0]
        while above not in (paths.LEASES, paths.RELEASED) and self._driver.remove_if_empty(above):
            above = above.rpartition("/")[0]


def check_owner(owner: str) -> str:
    """``owner`` itself. Raises ``ConfigurationError`` unless it can be one."""
    import re

    if not re.fullmatch(_OWNER, owner):
        problem = f"{owner[:128]!r} is not 1 to 128 letters, digits, dots, underscores and hyphens"
        raise ConfigurationError(problem, key="owner")
    return owner


def _parsed(owner: str, text: str) -> Lease:
    reference = Reference.parse(text)
    if bool(reference.tag) is bool(reference.digest):
        raise NameInvalid({"name": text[:256]}, "expected either NAME:TAG or NAME@DIGEST")
    return Lease(owner, reference.name, reference.target if reference.tag else Digest(reference.target))


def _lease_at(path: str) -> Lease:
    """Raises ``UdistError`` or ``ValueError``."""
    owner, _, rest = path.partition("/")
    name, found, target = rest.rpartition(f"/{_TAGS}/")
    if found:
        return Lease(check_owner(owner), check_name(name), check_tag(target))
    name, _, target = rest.rpartition(f"/{_MANIFESTS}/")
    return Lease(check_owner(owner), check_name(name), Digest(target.replace("/", ":", 1)))
