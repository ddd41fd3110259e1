"""A registry that is a cache of others: distribution's ``proxy``."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from udist_plugin.content import Content
from udist_plugin.errors import (
    BlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameUnknown,
    RegistryError,
    Unsupported,
)
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import Manifest
from udist_plugin.oci.media_types import OCTET_STREAM
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.oci.stored import read_stored
from udist_plugin.proxy.expiry import BLOB, MANIFEST, Cached
from udist_plugin.proxy.fetching import Fetches
from udist_plugin.registry import ManifestContent, Page, RegistryWrapper

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from udist_plugin.content import Readable
    from udist_plugin.patterns.pattern import Pattern
    from udist_plugin.proxy.upstream import Upstream
    from udist_plugin.registry import Registry, Upload

    Plan = Callable[[Cached, float], object]

UNKNOWN = (BlobUnknown, ManifestUnknown, NameUnknown)


class ProxyRegistry(RegistryWrapper):
    """Repositories of ``upstreams`` are kept in ``store`` when they are read, and refuse what changes them;
    all others are those of ``inner``, which stands on the same store.

    ``plan`` hears what is going to be stored, and for how long. ``stands`` is whether the store has the data
    of a blob, of whatever repository. ``tell`` takes what could not be stored. Tags that match one of
    ``immutable`` are not revalidated.

    A tag is looked up at the upstream each time. If that fails, what the store has is served; only what it
    lacks is an error: ``UpstreamFailed``, ``UpstreamTimeout``, or what the upstream says.
    """

    def __init__(
        self,
        inner: Registry,
        store: Registry,
        upstreams: Sequence[Upstream],
        plan: Plan,
        stands: Callable[[Digest], bool],
        tell: Callable[[str], object],
        immutable: Sequence[Pattern] = (),
    ) -> None:
        super().__init__(inner)
        self._store = store
        self._upstreams = upstreams
        self._plan = plan
        self._stands = stands
        self._immutable = immutable
        self._fetches = Fetches(store, tell)
        self._turns = Turns()

    def close(self, patience: float) -> None:
        """See ``Fetches``."""
        self._fetches.close(patience)

    def resolve_blob(self, name: str, digest: Digest) -> Descriptor:
        if (upstream := self._upstream(name)) is None:
            return super().resolve_blob(name, digest)
        try:
            return self._store.resolve_blob(name, digest)
        except UNKNOWN:
            if (size := self._fetches.size(name, digest)) is not None:
                return Descriptor(OCTET_STREAM, digest, size)
            with upstream.asked() as remote:
                return remote.resolve_blob(upstream.name(name), digest)

    def has_blob(self, name: str, digest: Digest) -> bool:
        try:
            self.resolve_blob(name, digest)
        except UNKNOWN:
            return False
        return True

    def open_blob(self, name: str, digest: Digest, start: int = 0, end: int | None = None) -> Content:
        """A range of what the store has not is passed on, and not stored."""
        if (upstream := self._upstream(name)) is None:
            return super().open_blob(name, digest, start, end)
        try:
            return self._store.open_blob(name, digest, start, end)
        except UNKNOWN:
            if not start and end is None:
                return self._fetch(upstream, name, digest)
        running = self._fetches.running(name, digest)
        if running and (arriving := running.follow_range(start, end)):
            return arriving
        with upstream.asked() as remote:
            return remote.open_blob(upstream.name(name), digest, start, end)

    def locate_blob(self, name: str, digest: Digest) -> str | None:
        if self._upstream(name) is None:
            return super().locate_blob(name, digest)
        try:
            return self._store.locate_blob(name, digest)
        except UNKNOWN:
            return None

    def resolve_manifest(self, name: str, target: Digest | str) -> Descriptor:
        """What the upstream says is not fetched for that: registries count pulls."""
        if (upstream := self._upstream(name)) is None:
            return super().resolve_manifest(name, target)
        return self._current(upstream, name, target)

    def get_manifest(self, name: str, target: Digest | str) -> ManifestContent:
        found, content = self.open_manifest(name, target)
        if isinstance(content, Content):
            with content:
                content = content.read()
        return ManifestContent(content, found.media_type, found.digest)

    def open_manifest(self, name: str, target: Digest | str) -> tuple[Descriptor, bytes | Content]:
        if (upstream := self._upstream(name)) is None:
            return super().open_manifest(name, target)
        tag = None if isinstance(target, Digest) else target
        digest = target if isinstance(target, Digest) else self._current(upstream, name, target).digest
        try:
            found = self._store.open_manifest(name, digest)
        except UNKNOWN:
            return self._pull(upstream, name, digest, tag)
        if tag is not None and not self._points_at(name, tag, digest):
            try:
                return self._pull(upstream, name, digest, tag)
            finally:
                _close(found[1])
        return found

    def list_tags(self, name: str, limit: int | None = None, last: str = "") -> Page[str]:
        if (upstream := self._upstream(name)) is None:
            return super().list_tags(name, limit, last)
        with upstream.asked() as remote:
            return remote.list_tags(upstream.name(name), limit, last)

    def list_referrers(
        self, name: str, digest: Digest, artifact_type: str | None = None, last: str = ""
    ) -> Page[Descriptor]:
        if (upstream := self._upstream(name)) is None:
            return super().list_referrers(name, digest, artifact_type, last)
        with upstream.asked() as remote:
            try:
                return remote.list_referrers(upstream.name(name), digest, artifact_type, last)
            except (*UNKNOWN, Unsupported):
                pass  # an upstream without that list; its clients keep one at a tag
        try:
            index = self.get_manifest(name, referrers_tag(digest))
        except UNKNOWN:
            return Page([])
        listed = read_stored(index.content, index.digest).manifests
        return Page([each for each in listed if artifact_type in (None, each.artifact_type)])

    def mount_blob(self, name: str, digest: Digest, source: str | None) -> Descriptor:
        self._check_change(name)
        return super().mount_blob(name, digest, source)

    def push_blob(self, name: str, digest: Digest, content: Readable) -> Descriptor:
        self._check_change(name)
        return super().push_blob(name, digest, content)

    def delete_blob(self, name: str, digest: Digest) -> None:
        self._check_change(name)
        super().delete_blob(name, digest)

    def start_upload(self, name: str, algorithm: str = "sha256") -> Upload:
        self._check_change(name)
        return super().start_upload(name, algorithm)

    def resume_upload(self, name: str, upload_id: str) -> Upload:
        self._check_change(name)
        return super().resume_upload(name, upload_id)

    def push_manifest(self, name: str, manifest: Manifest, tags: Sequence[str] = ()) -> Descriptor:
        self._check_change(name)
        return super().push_manifest(name, manifest, tags)

    def delete_manifest(self, name: str, digest: Digest) -> Sequence[str]:
        self._check_change(name)
        return super().delete_manifest(name, digest)

    def delete_tag(self, name: str, tag: str) -> None:
        self._check_change(name)
        super().delete_tag(name, tag)

    def _upstream(self, name: str) -> Upstream | None:
        return next((each for each in self._upstreams if each.has(name)), None)

    def _check_change(self, name: str) -> None:
        if self._upstream(name) is not None:
            raise Unsupported

    def _current(self, upstream: Upstream, name: str, target: Digest | str) -> Descriptor:
        """What ``target`` is now: a digest stays what it is, a tag is the upstream's while it answers."""
        if isinstance(target, Digest) or any(each.fullmatch(target) for each in self._immutable):
            try:
                return self._store.resolve_manifest(name, target)
            except UNKNOWN:
                pass
        try:
            with upstream.asked() as remote:
                return remote.resolve_manifest(upstream.name(name), target)
        except RegistryError as error:
            if isinstance(target, Digest):
                raise
            try:
                return self._store.resolve_manifest(name, target)
            except UNKNOWN:
                raise error from None

    def _points_at(self, name: str, tag: str, digest: Digest) -> bool:
        try:
            return self._store.resolve_manifest(name, tag).digest == digest
        except UNKNOWN:
            return False

    def _pull(
        self, upstream: Upstream, name: str, digest: Digest, tag: str | None
    ) -> tuple[Descriptor, bytes]:
        """Stores a manifest, and what ``tag`` points at. Who wants the same at the same time waits."""
        with self._turns.of(name, digest):
            try:
                found = self._store.get_manifest(name, digest)
            except UNKNOWN:
                with upstream.asked() as remote:
                    found = remote.get_manifest(upstream.name(name), digest)
                self._plan(Cached(MANIFEST, name, digest), upstream.ttl)
            try:
                manifest = Manifest.parse(found.content, found.media_type, digest)
                self._store.push_manifest(name, manifest, [tag] if tag else ())
            except ManifestInvalid:  # of a kind that the store does not take: it is only passed on
                pass
        return Descriptor(found.media_type, digest, len(found.content)), found.content

    def _fetch(self, upstream: Upstream, name: str, digest: Digest) -> Content:
        """A blob that was not in the store a moment ago. One of many who want it begins to fetch it."""
        with self._turns.of(name, digest):
            arriving = self._fetches.running(name, digest)
            if arriving is None:
                try:
                    return self._store.open_blob(name, digest)
                except UNKNOWN:
                    if mounted := self._mount(upstream, name, digest):
                        return mounted
                arriving = self._fetches.begin(name, digest, self._opener(upstream, name, digest))
        return arriving.follow()

    def _mount(self, upstream: Upstream, name: str, digest: Digest) -> Content | None:
        """The blob of another repository, if the upstream says that it is this one's, too."""
        if not self._stands(digest):
            return None
        with upstream.asked() as remote:
            remote.resolve_blob(upstream.name(name), digest)
        self._plan(Cached(BLOB, name, digest), upstream.ttl)
        try:
            self._store.mount_blob(name, digest, None)
            return self._store.open_blob(name, digest)
        except UNKNOWN:  # dropped meanwhile
            return None

    def _opener(
        self, upstream: Upstream, name: str, digest: Digest
    ) -> Callable[[], AbstractContextManager[Content]]:
        @contextmanager
        def open_remote() -> Iterator[Content]:
            with upstream.asked() as remote, remote.open_blob(upstream.name(name), digest) as content:
                self._plan(Cached(BLOB, name, digest), upstream.ttl)
                yield content

        return open_remote


class Turns:
    """A lock for each thing that somebody is at."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[Any, tuple[threading.Lock, int]] = {}

    @contextmanager
    def of(self, *thing: str) -> Iterator[None]:
        with self._lock:
            lock, users = self._held.get(thing, (threading.Lock(), 0))
            self._held[thing] = lock, users + 1
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._held.pop(thing)
                if users > 1:
                    self._held[thing] = lock, users - 1


def _close(content: bytes | Content) -> None:
    if isinstance(content, Content):
        content.close()
