"""``index.json``: which image a name means, and what it says once an image has been written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import DigestInvalid, ImageAmbiguous, ImageUnknown, LayoutInvalid, ManifestInvalid
from udist_plugin.images.referrers import ATTACHMENTS
from udist_plugin.oci.descriptor import Descriptor
from udist_plugin.oci.manifest import load_document
from udist_plugin.oci.media_types import INDEXES, OCI_INDEX
from udist_plugin.oci.stored import read_stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from udist_plugin.images.layout.location import Location
    from udist_plugin.oci.digest import Digest
    from udist_plugin.oci.manifest import Manifest

REF_NAME: Final = "org.opencontainers.image.ref.name"
CONTAINERD_NAME: Final = "io.containerd.image.name"
"""The whole name, where containerd's ``REF_NAME`` is only a tag."""

INDEX_MAX: Final = 64 << 20
"""The largest ``index.json`` accepted, in bytes."""

EMPTY: Final = b'{"schemaVersion":2,"mediaType":"%s","manifests":[]}' % OCI_INDEX.encode()


class LayoutIndex:
    """The entries of an ``index.json``. What others wrote into it is kept, also what is malformed."""

    def __init__(self, content: bytes = EMPTY) -> None:
        """Raises ``LayoutInvalid``."""
        try:
            self._document = load_document(content)
        except ManifestInvalid as error:
            raise LayoutInvalid(f"index.json: {error.detail}") from None
        entries = self._document.get("manifests", [])
        if not isinstance(entries, list):
            raise LayoutInvalid("index.json: expected a list of manifests")
        self._entries: list[object] = entries

    @property
    def entries(self) -> list[Descriptor]:
        """The entries that are descriptors, in their order."""
        return [found for entry in self._entries if (found := _descriptor(entry)) is not None]

    def find(self, location: Location, read: Callable[[Digest], bytes]) -> Descriptor:
        """The entry that ``location`` means; ``read`` gets a manifest's bytes.

        Raises ``ImageUnknown`` and ``ImageAmbiguous``, which list what there is.
        """
        fitting = self._fitting(location, read)
        if len({entry.digest for entry in fitting}) > 1:
            what = (
                f"two images are called {location.name!r}"
                if location.name
                else "there is more than one image"
            )
            raise ImageAmbiguous(f"{what}; choose one of {_listed(fitting, by_digest=True)}", str(location))
        if not fitting:
            raise ImageUnknown(f"there is no such image; it has {_listed(self.entries)}", str(location))
        return fitting[0]

    def _fitting(self, location: Location, read: Callable[[Digest], bytes]) -> list[Descriptor]:
        if location.position is not None:
            at = self._entries[location.position : location.position + 1]
            return [found for entry in at if (found := _descriptor(entry)) is not None]
        if location.digest:
            listed = (part for entry in self.entries for part in (entry, *_parts(entry, read)))
            return [part for part in listed if part.digest == location.digest][:1]
        return self._named(location.name) if location.name else self._roots(read)

    def _named(self, name: str) -> list[Descriptor]:
        """By the name itself, or else by the whole one that containerd notes."""
        for key in (REF_NAME, CONTAINERD_NAME):
            if found := [entry for entry in self.entries if entry.annotations.get(key) == name]:
                return found
        return []

    def _roots(self, read: Callable[[Digest], bytes]) -> list[Descriptor]:
        """The images, without what is only there as part of an index, as oras lists it, or refers to another
        entry."""
        entries = self.entries
        if len(entries) < 2:
            return entries
        parts = {part.digest for entry in entries for part in _parts(entry, read)}
        listed = {entry.digest for entry in entries} | parts
        return [entry for entry in entries if not _belongs(entry, parts, listed, read)]

    def append(self, manifest: Manifest, annotations: Mapping[str, str]) -> None:
        """Adds an entry for ``manifest``, whatever else is there."""
        descriptor = Descriptor(
            manifest.media_type,
            manifest.digest,
            len(manifest.content),
            manifest.artifact_type,
            annotations,
        )
        self._entries.append(descriptor.to_json())

    def put(self, manifest: Manifest, name: str | None, annotations: Mapping[str, str] = {}) -> None:
        """Names ``manifest``: it takes the place of whatever had the name, and nothing else changes.

        Without a name it is added, unless it is there. ``annotations`` are its entry's.
        """
        same = [entry for entry in self._entries if _digest_of(entry) == manifest.digest]
        if name is None and same:
            return
        unnamed = next((entry for entry in same if not name_of(_descriptor(entry))), None)
        replaced = [
            entry
            for entry in self._entries
            if entry is unnamed or (name is not None and name_of(_descriptor(entry)) == name)
        ]
        place = self._entries.index(replaced[0]) if replaced else len(self._entries)
        names = {} if name is None else {REF_NAME: name}
        self._entries.insert(place, _entry(manifest, unnamed, {**annotations, **names}))
        self._entries[:] = [entry for entry in self._entries if not any(entry is old for old in replaced)]

    def remove(self, name: str | None, digest: Digest | None) -> bool:
        """Removes the entries that have ``name``, or else ``digest``. ``False`` if there are none."""

        def is_meant(entry: object) -> bool:
            found = _descriptor(entry)
            return found is not None and (name_of(found) == name if name else found.digest == digest)

        left = [entry for entry in self._entries if not is_meant(entry)]
        removed = len(left) < len(self._entries)
        self._entries[:] = left
        return removed

    def listed(self) -> str:
        """The images' names, for an error."""
        return _listed(self.entries)

    def to_bytes(self) -> bytes:
        self._document["manifests"] = self._entries
        return json.dumps(self._document, ensure_ascii=False, separators=(",", ":")).encode()


def name_of(entry: Descriptor | None) -> str | None:
    """An entry's name, if it has one."""
    return entry.annotations.get(REF_NAME) if entry else None


def _entry(manifest: Manifest, unnamed: object, annotations: dict[str, str]) -> dict[str, Any]:
    """A new entry, or the ``unnamed`` one that was there, with ``annotations``."""
    new: dict[str, Any] = dict(unnamed) if isinstance(unnamed, dict) else manifest.descriptor.to_json()
    if annotations:
        new["annotations"] = {**(new.get("annotations") or {}), **annotations}
    return new


def _digest_of(entry: object) -> Digest | None:
    found = _descriptor(entry)
    return found.digest if found else None


def _descriptor(value: object) -> Descriptor | None:
    try:
        return Descriptor.from_json(value)
    except (ManifestInvalid, DigestInvalid):
        return None


def _parts(entry: Descriptor, read: Callable[[Digest], bytes]) -> tuple[Descriptor, ...]:
    """What an entry's index lists; nothing for an image."""
    if entry.media_type not in INDEXES:
        return ()
    return read_stored(read(entry.digest), entry.digest).manifests


def _belongs(
    entry: Descriptor, parts: set[Digest], listed: set[Digest], read: Callable[[Digest], bytes]
) -> bool:
    """Whether an entry is about another one: part of an index, attached by cosign, or a referrer."""
    name = name_of(entry)
    if name:
        digest, dot, ending = name.rpartition(".")
        return f"{dot}{ending}" in ATTACHMENTS and digest in {each.replace(":", "-") for each in listed}
    if entry.digest in parts:
        return True
    subject = read_stored(read(entry.digest), entry.digest).subject
    return subject is not None and subject.digest in listed


def _listed(entries: Iterable[Descriptor], *, by_digest: bool = False) -> str:
    words = [
        f"@{entry.digest}" + (f" ({name_of(entry)})" if name_of(entry) else "")
        if by_digest
        else name_of(entry) or f"@{entry.digest}"
        for entry in entries
    ]
    shown = ", ".join(words[:16])
    return (f"{shown} and {len(words) - 16} more" if len(words) > 16 else shown) or "none"
