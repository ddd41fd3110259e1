"""What the HTTP extension offers of a store: garbage collection and leases, as documents."""

from __future__ import annotations

from udist_plugin.errors import LeaseUnknown, Unsupported
from udist_plugin.storage.collection.collect import GRACE, collect, undo
from udist_plugin.storage.collection.retention import Policy, Retention
from udist_plugin.storage.collection.retention_file import read_retention
from udist_plugin.storage.leases import Leases
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from udist_plugin.drivers.base import StorageDriver
    from udist_plugin.oci.digest import Digest
    from udist_plugin.registry import Registry
    from udist_plugin.storage.leases import Lease

    Documents = list[dict[str, str]]


class StoreExtension:
    """The verbs of the extension. ``registry`` is that of the store; a ``read_only`` one is not changed.
    ``forget`` is told of each blob that is gone.

    Every verb may raise ``StorageError``, ``ConfigurationError`` for a wrong argument, and ``Unsupported``
    for what a store that is read-only does not allow.
    """

    def __init__(
        self,
        driver: StorageDriver,
        registry: Registry,
        *,
        read_only: bool,
        forget: Callable[[Digest], object],
    ) -> None:
        self._driver = driver
        self._registry = registry
        self._leases = Leases(driver)
        self._read_only = read_only
        self._forget = forget

    def collect(
        self, *, apply: bool, untagged: bool, restore: bool, retention: object | None
    ) -> tuple[bool, Iterator[dict[str, object]]]:
        """Whether a run of the collector, or with ``restore`` an undo, changes the store; and its steps as
        they are done."""
        if apply or restore:
            self._check_writable()
        if restore:
            return True, (step._asdict() for step in undo(self._driver))
        policies = Retention((Policy(untagged=True),) if untagged else ())
        if retention is not None:
            policies = read_retention(retention)
        steps = collect(self._driver, apply=apply, grace=GRACE, retention=policies, forget=self._forget)
        return apply and not policies.dry_run, (step._asdict() for step in steps)

    def create_leases(self, owner: str, references: Sequence[str]) -> Documents:
        """Raises ``RegistryError`` as ``Leases.create``."""
        self._check_writable()
        return _documents(self._leases.create(self._registry, owner, references))

    def release_leases(self, owner: str, references: Sequence[str]) -> Documents:
        """Raises ``LeaseUnknown`` if there is none to release."""
        self._check_writable()
        released = self._leases.release(owner, references)
        if not released:
            raise LeaseUnknown({"owner": owner, "references": references} if references else {"owner": owner})
        return _documents(released)

    def list_leases(self, owner: str) -> Documents:
        """Those of all owners, if ``owner`` is empty."""
        return _documents(self._leases.list(owner))

    def _check_writable(self) -> None:
        if self._read_only:
            raise Unsupported("the store is read-only: storage.maintenance.readonly.enabled")


def _documents(leases: Iterable[Lease]) -> Documents:
    found = sorted((lease.owner, lease.reference) for lease in leases)
    return [{"owner": owner, "reference": reference} for owner, reference in found]
