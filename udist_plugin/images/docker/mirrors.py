"""An image that may be in several places."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypeVar

from udist_plugin.errors import Cancelled, RegistryError, SignatureError, TransportError
from udist_plugin.images.signatures.attached import Attached
from udist_plugin.images.transports.base import ImageSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from udist_plugin.content import Content
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest
    from udist_plugin.registry import ManifestContent

Result = TypeVar("Result")


class MirroredSource(ImageSource):
    """Asks ``places``, each a name and what opens it, one after the other, for each manifest and each blob;
    the last one is the image's own. ``tell`` is told which one was passed over, and why."""

    def __init__(
        self, places: Sequence[tuple[str, Callable[[], ImageSource]]], tell: Callable[[str], None]
    ) -> None:
        self._places = list(places)
        self._tell = tell
        self._lock = threading.Lock()
        self._open: dict[str, ImageSource] = {}
        self._cancelled = False

    def get_manifest(self, digest: Digest | None = None) -> ManifestContent:
        return self._first(lambda source: source.get_manifest(digest))

    def resolve(self) -> Descriptor:
        return self._first(lambda source: source.resolve())

    def open_blob(self, descriptor: Descriptor) -> Content:
        return self._first(lambda source: source.open_blob(descriptor))

    def list_referrers(self, digest: Digest) -> list[Descriptor]:
        """Of the image's own place: mirrors need not have them."""
        return self._own().list_referrers(digest)

    def get_tagged(self, tag: str) -> ManifestContent | None:
        """From the image's own place, too."""
        return self._own().get_tagged(tag)

    def get_lookaside(self, digest: Digest) -> list[bytes]:
        return self._own().get_lookaside(digest)

    def get_signatures(self, manifest: Manifest) -> Iterator[Attached]:
        """Of all places; why one has none is in the place of them."""
        for name, opened in self._places:
            try:
                yield from self._opened(name, opened).get_signatures(manifest)
            except Cancelled:
                raise
            except (RegistryError, TransportError, SignatureError) as error:
                yield Attached(name, problem=str(error))

    def _own(self) -> ImageSource:
        return self._opened(*self._places[-1])

    def _first(self, ask: Callable[[ImageSource], Result]) -> Result:
        """The first answer. If all fail, the error of the last place counts, with a note for each of the
        others."""
        failures: list[str] = []
        for number, (name, opened) in enumerate(self._places, 1):
            try:
                answer = ask(self._opened(name, opened))
            except Cancelled:
                raise
            except (RegistryError, TransportError) as error:
                if number == len(self._places):
                    for failure in failures:
                        error.add_note(failure)
                    raise
                failures.append(f"{name}: {error}")
                self._tell(f"passing over {name}: {error}")
            else:
                return answer
        raise AssertionError("there is one place at least")

    def _opened(self, name: str, opened: Callable[[], ImageSource]) -> ImageSource:
        with self._lock:
            if self._cancelled:
                raise Cancelled("another blob failed, or the whole was interrupted")
            if name not in self._open:
                self._open[name] = opened()
            return self._open[name]

    def cancel(self) -> None:
        self._cancelled = True
        for source in list(self._open.values()):
            source.cancel()

    def close(self) -> None:
        for source in self._open.values():
            source.close()
