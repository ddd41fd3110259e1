"""Leases: the tags and manifests that an owner needs, such as a backup.

/docker/registry/v2/udist
├── leases/<owner>/<name>
│   ├── _tags/<tag>                the digest that the tag pointed at then
│   └── _manifests/<algorithm>/<hex>
└── released/<owner>/…             the same, until the collector has seen it

The collector keeps what is under a lease: a tag wherever it points now, and the manifest that it pointed at
when the lease was made. What was under a lease, and is not any more, it removes, but no tag that points at
anything else. Each lease is a file of its own that only its owner writes, so no two who make or release
leases can harm each other, whatever the store is.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import chain

from udist_plugin.drivers.base import LETTERS
from udist_plugin.errors import (
    ConfigurationError,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    PathNotFound,
    RegistryError,
    UdistError,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.reference import Reference, check_name, check_tag
from udist_plugin.storage import paths
from udist_plugin.storage.collection.batches import looked_up
from udist_plugin.storage.collection.walk import failure, files_below, is_algorithm, is_hex, listed
from udist_plugin.storage.links import read_link, write_link
from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.registry import Registry

OWNER: Final = "1 to 128 of a-z, A-Z, 0-9, dot, underscore and hyphen, beginning with a letter or digit"
_OWNER: Final = r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}"
_TAGS: Final = "_tags"
_MANIFESTS: Final = "_manifests"


class Lease(NamedTuple):
    """``target`` is a tag or a digest of the repository ``name``."""

    owner: str
    name: str
    target: Digest | str

    @classmethod
    def parse(cls, owner: str, text: str) -> Self:
        """A lease on ``name:tag`` or ``name@digest``. Raises ``RegistryError``, naming ``text``."""
        try:
            reference = Reference.parse(text)
            if bool(reference.tag) is bool(reference.digest):
                raise NameInvalid
        except RegistryError as error:
            raise type(error)({"reference": text[:512]}, "expected either NAME:TAG or NAME@DIGEST") from error
        return cls(owner, reference.name, Digest.or_tag(reference.target))

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

        If the owner has a lease on a tag that was moved since, it moves along: what it was on is released.

        Raises ``ConfigurationError`` for a name that cannot be an owner's, and before any lease is made one
        ``RegistryError`` for all that is not there.
        """
        check_owner(owner)
        found = _resolved(registry, [Lease.parse(owner, text) for text in references])
        for lease, digest in found.items():
            path = lease.path()
            if (before := read_link(self._driver, path)) not in (None, digest):
                self._note(Lease(owner, lease.name, before), before)
            write_link(self._driver, path, digest)
            try:
                # A collector that did not see the lease has removed it by now, or looks for leases later.
                for target in {lease.target, digest}:
                    _resolve(registry, lease, target)
            except ManifestUnknown:
                self._drop(path)
                raise
        return [*found]

    def release(self, owner: str, references: Sequence[str] = ()) -> list[Lease]:
        """Ends all leases of an owner, or those on ``references`` that there are; what they were on goes with
        the next run of the collector, if nobody else has a lease on it."""
        wanted = {Lease.parse(check_owner(owner), text) for text in references}
        leases = sorted(self.list(owner), key=lambda lease: lease.reference)
        released = [lease for lease in leases if not wanted or lease in wanted]
        for lease in released:
            path = lease.path()
            if (digest := read_link(self._driver, path)) is not None:
                self._note(lease, digest)
            self._drop(path)
        return released

    def pinned(self, owner: str = "", name: str = "") -> Iterator[tuple[Lease, Digest]]:
        """Each lease, or those of an owner, or of an owner on a repository, and the manifest that it was made
        for. Raises ``StorageError`` for one that does not say."""
        folder = "/".join(filter(None, (paths.LEASES, owner, name)))
        leases = self._below(folder, paths.LEASES)
        for lease, digest in chain.from_iterable(looked_up(self._driver, self._look, leases)):
            if digest is not None:  # or it was released meanwhile
                yield lease, digest

    def owners(self, name: str, target: Digest | str) -> list[str]:
        """Those who need a tag or a manifest, in order."""
        return sorted(
            owner
            for owner in set(listed(self._driver, paths.LEASES))
            if any(
                lease.name == name and target in (lease.target, digest)
                for lease, digest in self.pinned(owner, name)
            )
        )

    def list(self, owner: str = "") -> Iterator[Lease]:
        """All leases, or those of one owner."""
        folder = f"{paths.LEASES}/{check_owner(owner)}" if owner else paths.LEASES
        return self._below(folder, paths.LEASES)

    def holds(self, name: str, target: Digest | str) -> bool:
        """Whether anybody has a lease on just this tag or digest."""
        try:
            owners = filter(LETTERS.issuperset, self._driver.list(paths.LEASES))
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

    def _look(self, lease: Lease) -> tuple[Lease, Digest | None]:
        """A lease with its manifest; none for a file of another program, which is named like no tag here."""
        path, target = lease.path(), lease.target
        digest = read_link(self._driver, path)
        needed = path if isinstance(target, Digest) else paths.tag_current(lease.name, target)
        if digest is None and self._driver.stands(path) and self._driver.stands(needed):
            raise failure(self._driver, "holds no digest; create the lease again, or release it", path)
        return lease, digest

    def _note(self, lease: Lease, digest: Digest) -> None:
        """Notes a release, beside one of the same tag at another time."""
        path = lease.path(paths.RELEASED)
        if (before := read_link(self._driver, path)) not in (None, digest):
            write_link(self._driver, Lease(lease.owner, lease.name, before).path(paths.RELEASED), before)
        write_link(self._driver, path, digest)

    def _below(self, folder: str, above: str) -> Iterator[Lease]:
        for path in files_below(self._driver, folder):
            below = path.removeprefix(f"{above}/")
            if not _may_be_lease(below):
                continue
            try:
                yield _lease_at(below)
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
        problem = f"{owner[:128]!r} is not {OWNER}"
        raise ConfigurationError(problem, key="owner")
    return owner


def _resolved(registry: Registry, leases: Iterable[Lease]) -> dict[Lease, Digest]:
    """What each is on. Raises one error for all that are not there."""
    found: dict[Lease, Digest] = {}
    unknown: list[RegistryError] = []
    for lease in leases:
        try:
            found[lease] = _resolve(registry, lease, lease.target)
        except (ManifestUnknown, NameUnknown) as error:
            unknown.append(error)
    if unknown:
        unknown[0].also = tuple(unknown[1:])
        raise unknown[0]
    return found


def _resolve(registry: Registry, lease: Lease, target: Digest | str) -> Digest:
    try:
        return registry.resolve_manifest(lease.name, target).digest
    except (ManifestUnknown, NameUnknown) as error:
        raise type(error)({"reference": lease.reference}) from error


def _may_be_lease(path: str) -> bool:
    """Not what another program left there: no name of ours begins with a dot, for instance."""
    names = path.split("/")
    _, found, digest = path.rpartition(f"/{_MANIFESTS}/")
    algorithm, _, encoded = digest.partition("/")
    return (
        any(name.startswith("_") for name in names)
        and not any(name.startswith(".") for name in names)
        and (not found or (is_algorithm(algorithm) and is_hex(encoded)))
    )


def _lease_at(path: str) -> Lease:
    """Raises ``UdistError`` or ``ValueError``."""
    owner, _, rest = path.partition("/")
    name, found, target = rest.rpartition(f"/{_TAGS}/")
    if found:
        return Lease(check_owner(owner), check_name(name), check_tag(target))
    name, _, target = rest.rpartition(f"/{_MANIFESTS}/")
    return Lease(check_owner(owner), check_name(name), Digest(target.replace("/", ":", 1)))
