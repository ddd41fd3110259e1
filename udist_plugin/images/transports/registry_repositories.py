"""The repositories of a registry."""

from __future__ import annotations

import threading
from functools import partial

from udist_plugin.errors import DigestInvalid, ManifestUnknown, NameUnknown, Unsupported
from udist_plugin.images.referrers import referrers_of, tag_referrers
from udist_plugin.images.system import THIS_SYSTEM, SystemContext
from udist_plugin.images.transports.base import ImageReference, ImageTransport, Repositories
from udist_plugin.images.transports.registries import RegistryDestination, RegistryReference, RegistrySource
from udist_plugin.oci.digest import Digest
from udist_plugin.registry import Page, RegistryWrapper
from udist_plugin.remote.transport import can_cancel
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.images.signatures.storage import SignatureStorage
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry


class RegistryRepositories(Repositories):
    """Those of ``registry``, or the ``chosen`` one.

    References begin with ``start``, within their transport. ``release`` ends the use of ``registry``;
    ``place`` is what that has in common with others of its kind, if not itself. ``storage`` says of a
    reference's text where else the image has signatures.
    """

    def __init__(
        self,
        transport: ImageTransport,
        registry: Registry,
        chosen: str,
        release: Callable[[], None],
        *,
        start: str = "",
        place: object = None,
        storage: Callable[[str], SignatureStorage] | None = None,
    ) -> None:
        self.chosen = chosen
        self.transport = transport
        self.start = start
        self.place = place or registry
        self.storage = storage
        self.shared = RegistryWrapper(registry)  # which cannot be cancelled
        self._registry = registry
        self._lock = threading.Lock()
        self._release = release

    def list_repositories(self) -> list[str]:
        return [self.chosen] if self.chosen else self._registry.list_repositories().items

    def list_tags(self, name: str) -> list[str]:
        return self._registry.list_tags(name).items

    def page_repositories(self, limit: int, last: str = "") -> Page[str]:
        return Page([self.chosen]) if self.chosen else self._registry.list_repositories(limit, last)

    def page_tags(self, name: str, limit: int, last: str = "") -> Page[str]:
        return self._registry.list_tags(name, limit, last)

    def resolve(self, name: str, target: str) -> Digest | None:
        try:
            return self._registry.resolve_manifest(name, Digest.or_tag(target)).digest
        except (NameUnknown, ManifestUnknown):
            return None

    def reference(self, name: str, target: str) -> ImageReference:
        return _SharedReference(self, name, target)

    def list_referrers(self, name: str, digest: Digest) -> list[Descriptor]:
        return list(referrers_of(self._registry, name, digest))

    def tag_referrers(self, name: str, subject: Digest, referrers: Sequence[Descriptor]) -> None:
        """In the index at the tag, where the registry has no API."""
        with self._lock:
            tag_referrers(self._registry, name, subject, referrers)

    def delete_tag(self, name: str, tag: str) -> None:
        """Raises ``Unsupported`` where the registry only deletes manifests with all their tags."""
        try:
            self._registry.delete_tag(name, tag)
        except (DigestInvalid, Unsupported):  # the former from distribution before v3
            raise Unsupported(
                {"name": name, "tag": tag}, "the registry deletes manifests with all their tags only"
            ) from None

    def cancel(self) -> None:
        if can_cancel(self._registry):
            self._registry.cancel()

    def close(self) -> None:
        self._release()


class _SharedReference(RegistryReference):
    """An image in the registry of ``within``, over the connections that all of them share."""

    def __init__(self, within: RegistryRepositories, name: str, target: str) -> None:
        self.transport = within.transport
        self._within = within
        self._name = name
        self._target = target

    @property
    def string_within_transport(self) -> str:
        mark = "@" if ":" in self._target else ":"
        return f"{self._within.start}{self._name}{mark}{self._target}"

    @property
    def _storage(self) -> Callable[[], SignatureStorage] | None:
        find = self._within.storage
        return partial(find, self.string_within_transport) if find else None

    def new_image_source(self, system: SystemContext = THIS_SYSTEM) -> RegistrySource:  # noqa: ARG002
        within = self._within
        return RegistrySource(
            within.shared, self._name, self._target, _keep, place=within.place, storage=self._storage
        )

    def new_image_destination(self, system: SystemContext = THIS_SYSTEM) -> RegistryDestination:  # noqa: ARG002
        within = self._within
        return RegistryDestination(
            within.shared, self._name, self._target, _keep, place=within.place, storage=self._storage
        )


def _keep() -> None:
    """The registry is closed when all of them are done."""
