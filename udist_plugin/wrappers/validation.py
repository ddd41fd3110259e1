"""Checks what a pushed manifest refers to, as configured in distribution's ``validation`` section."""

from __future__ import annotations

import time

from udist_plugin.errors import (
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameUnknown,
)
from udist_plugin.oci.media_types import (
    DOCKER_FOREIGN_LAYER,
    DOCKER_MANIFEST,
    OCI_LAYER_TAR,
    OCI_LAYER_TAR_GZIP,
    OCI_MANIFEST,
)
from udist_plugin.registry import LOOK_HOLDS, RegistryWrapper
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.patterns.pattern import Pattern
    from udist_plugin.registry import Registry

NONDISTRIBUTABLE_PREFIX = "application/vnd.oci.image.layer.nondistributable.v1."

URLS_JUDGED: Mapping[str, frozenset[str]] = {
    DOCKER_MANIFEST: frozenset({DOCKER_FOREIGN_LAYER}),
    OCI_MANIFEST: frozenset(
        {
            OCI_LAYER_TAR,
            OCI_LAYER_TAR_GZIP,
            f"{NONDISTRIBUTABLE_PREFIX}tar",
            f"{NONDISTRIBUTABLE_PREFIX}tar+gzip",
        }
    ),
}
"""The layers whose URLs distribution checks, by the media type of the manifest; of others it takes any."""


class Policy:
    """What to check.

    ``references`` (``udist.validation.references``) enables all checks for existence; if it is false, sparse
    images can be pushed. ``indexes`` is whether the manifests of an index must exist. ``platforms`` limits
    that check to these pairs of architecture and os; if empty, it covers all. URLs of the layers in
    ``URLS_JUDGED`` must use http or https. They must match a pattern of ``allow``, if there is one, and must
    not match any of ``deny``.

    Distribution's ``validation.disabled: true`` is ``Policy(indexes=False)``: blobs are checked there too.
    """

    def __init__(
        self,
        *,
        references: bool = True,
        indexes: bool = True,
        platforms: Sequence[tuple[str, str]] = (),
        allow: Sequence[Pattern] = (),
        deny: Sequence[Pattern] = (),
    ) -> None:
        self.references = references
        self.indexes = indexes
        self.platforms = platforms
        self.allow = allow
        self.deny = deny


class ValidatingRegistry(RegistryWrapper):
    """Refuses manifests that refer to missing content or to URLs that are not allowed.

    A subject need not exist (distribution-spec, "Pushing Manifests with Subject"). ``clocks`` gives the
    seconds of several clocks, of which one may stand still and another jump.
    """

    def __init__(
        self,
        inner: Registry,
        policy: Policy | None = None,
        clocks: Callable[[], Sequence[float]] | None = None,
    ) -> None:
        super().__init__(inner)
        self._policy = policy or Policy()
        self._clocks = clocks or (lambda: (time.monotonic(), time.time()))

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        """Raises ``ManifestBlobUnknown`` for the first missing reference; the others are in ``also``.

        After a push that took so long that garbage may have been collected meanwhile, this looks again.
        """
        begun = self._clocks()
        for layer in manifest.layers:
            urls = _urls(layer)
            if layer.media_type in URLS_JUDGED.get(manifest.media_type, ()):
                self._check_urls(layer.digest, urls)
        self._check_references(name, manifest)
        pushed = super().push_manifest(name, manifest, tags)
        if max(now - then for now, then in zip(self._clocks(), begun, strict=True)) > LOOK_HOLDS:
            super().push_manifest(name, manifest)  # its own bytes may be gone
            self._check_references(name, manifest)
        return pushed

    def _check_references(self, name: str, manifest: Manifest) -> None:
        if not self._policy.references:
            return
        missing = [ManifestBlobUnknown(str(each)) for each in self._missing(name, manifest)]
        if missing:
            missing[0].also = tuple(missing[1:])
            raise missing[0]

    def _missing(self, name: str, manifest: Manifest) -> Iterator[Digest]:
        """What must exist and does not. All else is looked at, too: a look keeps it from being collected."""
        for digest, needed in _needed(manifest.blobs, self._must_be_here).items():
            if not self.inner.has_blob(name, digest) and needed:
                yield digest
        for digest, needed in _needed(manifest.manifests, self._must_exist).items():
            # Build caches are indexes of blobs; distribution finds those too.
            if not (self._has_manifest(name, digest) or self.inner.has_blob(name, digest)) and needed:
                yield digest
        if manifest.subject:
            self._has_manifest(name, manifest.subject.digest)

    def _must_exist(self, child: Descriptor) -> bool:
        if not self._policy.indexes or not self._policy.platforms:
            return self._policy.indexes
        platform = child.other.get("platform")
        if not isinstance(platform, dict):
            return False
        return (platform.get("architecture"), platform.get("os")) in self._policy.platforms

    def _has_manifest(self, name: str, digest: Digest) -> bool:
        try:
            self.inner.resolve_manifest(name, digest)
        except (ManifestUnknown, NameUnknown):
            return False
        return True

    def _must_be_here(self, layer: Descriptor) -> bool:
        """Not if a layer is meant to be fetched from its URLs."""
        kind = layer.media_type
        foreign = kind == DOCKER_FOREIGN_LAYER or kind.startswith(NONDISTRIBUTABLE_PREFIX)
        urls = _urls(layer) if foreign else []
        return not (urls and all(map(self._allows, urls)))

    def _check_urls(self, digest: Digest, urls: Sequence[str]) -> None:
        for url in urls:
            if not self._allows(url):
                raise ManifestInvalid({"digest": digest, "url": url[:512]}, "invalid URL on layer")

    def _allows(self, url: str) -> bool:
        from urllib.parse import urlsplit

        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        allow, deny = self._policy.allow, self._policy.deny
        return (
            parts.scheme in ("http", "https")
            and not parts.fragment
            and url.isprintable()
            and (not allow or any(pattern.search(url) for pattern in allow))
            and not any(pattern.search(url) for pattern in deny)
        )


def _urls(layer: Descriptor) -> list[str]:
    urls = layer.other.get("urls") or []
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ManifestInvalid({"digest": layer.digest}, "invalid URL on layer")
    return urls


def _needed(items: Iterable[Descriptor], is_needed: Callable[[Descriptor], bool]) -> dict[Digest, bool]:
    """Each digest, and whether any item with it is needed."""
    found: dict[Digest, bool] = {}
    for each in items:
        found[each.digest] = is_needed(each) or found.get(each.digest, False)
    return found
