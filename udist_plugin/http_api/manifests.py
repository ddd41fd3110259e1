"""``/v2/<name>/manifests/<reference>`` (distribution-spec, "Pulling manifests", "Pushing Manifests",
"Deleting Manifests", "Deleting tags")."""

from __future__ import annotations

from contextlib import contextmanager

from udist_plugin.content import Content
from udist_plugin.errors import ManifestTooLarge, ManifestUnknown, TagInvalid
from udist_plugin.http_api.conditionals import not_modified
from udist_plugin.http_api.errors import TooManyTags
from udist_plugin.http_api.negotiation import accepts, check_accepted
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response, digest_fields
from udist_plugin.http_api.room import Room
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest
from udist_plugin.oci.media_types import DOCKER_MANIFEST_LIST
from udist_plugin.oci.reference import check_tag, parse_target
from udist_plugin.oci.stored import read_stored
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.content import Readable
    from udist_plugin.http_api.options import Options
    from udist_plugin.http_api.request import Request
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.registry import Registry

TAGS_MAX = 100
"""The most tags one push may set; the specification asks for ten at least."""

SMALL = 128 << 10
"""Bytes of a manifest that need no room: few are larger."""

ROOM = 16 << 20
"""Bytes of larger ones that are taken in at once, all together; parsed they take several times as much."""

PATIENCE = 30.0
"""Seconds to wait for room: those who have it may send slowly."""

DEFAULT_PLATFORM = ("linux", "amd64")
"""What a client that knows no manifest lists is given of one, as distribution does."""


class ManifestResource(Resource):
    """One manifest of a repository, by tag or digest."""

    def __init__(self, registry: Registry, options: Options) -> None:
        super().__init__(registry, options)
        self._room = Room(ROOM, PATIENCE)

    def get(self, request: Request) -> Response:
        target = parse_target(request.reference)
        found, content = self.registry.open_manifest(request.name, target)
        if (
            found.media_type == DOCKER_MANIFEST_LIST
            and not isinstance(target, Digest)
            and not accepts(request, DOCKER_MANIFEST_LIST)
        ):
            found, content = self._default_platform(request.name, found.digest, _whole(content))
        return _answer(request, found, content)

    def _default_platform(
        self, name: str, digest: Digest, content: bytes
    ) -> tuple[Descriptor, bytes | Content]:
        for descriptor in read_stored(content, digest).manifests:
            platform = descriptor.other.get("platform")
            if (
                isinstance(platform, dict)
                and (platform.get("os"), platform.get("architecture")) == DEFAULT_PLATFORM
            ):
                return self.registry.open_manifest(name, descriptor.digest)
        raise ManifestUnknown({"digest": digest, "platform": "/".join(DEFAULT_PLATFORM)})

    def head(self, request: Request) -> Response:
        target = parse_target(request.reference)
        found = self.registry.resolve_manifest(request.name, target)
        if found.media_type == DOCKER_MANIFEST_LIST and not accepts(request, DOCKER_MANIFEST_LIST):
            return self.get(request)
        return _answer(request, found, b"")

    def put(self, request: Request) -> Response:
        by_digest = ":" in request.reference
        target = Digest(request.reference) if by_digest else check_tag(request.reference)
        tags = _tags(request, target)
        with self._content(request) as content:
            manifest = Manifest.parse(
                content, request.media_type, target if isinstance(target, Digest) else None
            )
            self.registry.push_manifest(request.name, manifest, tags)
        digest = manifest.digest
        fields = [("Location", request.url("manifests", digest)), ("Docker-Content-Digest", digest)]
        if manifest.subject is not None:
            fields.append(("OCI-Subject", manifest.subject.digest))
        if by_digest:
            fields += [("OCI-Tag", tag) for tag in tags]
        return Response(201, fields)

    @contextmanager
    def _content(self, request: Request) -> Iterator[bytes]:
        """The manifest that is pushed, whole; of a large one room is taken for the rest."""
        length = request.content_length
        if length is not None and length > MANIFEST_MAX:
            raise ManifestTooLarge({"size": length, "most": MANIFEST_MAX})
        source = request.content
        start = _read(source, SMALL)
        if len(start) < SMALL:
            yield start
            return
        with self._room.taken(MANIFEST_MAX if length is None else length):
            content = start + _read(source, MANIFEST_MAX + 1 - SMALL)
            if len(content) > MANIFEST_MAX:
                raise ManifestTooLarge({"most": MANIFEST_MAX})
            yield content

    def delete(self, request: Request) -> Response:
        target = parse_target(request.reference)
        if isinstance(target, Digest):
            self.registry.delete_manifest(request.name, target)
        else:
            self.registry.delete_tag(request.name, target)
        return Response(202)


def _answer(request: Request, found: Descriptor, content: bytes | Content) -> Response:
    """The answer with ``content``, which is closed if it is not to be sent."""
    answer = Response(304, digest_fields(found.digest))
    try:
        if not not_modified(request, found.digest):
            check_accepted(request, found.media_type)
            fields = [("Content-Type", found.media_type), *digest_fields(found.digest)]
            answer = Response(200, fields, content, found.size)
    finally:
        if answer.content is not content:
            _close(content)
    return answer


def _whole(content: bytes | Content) -> bytes:
    if isinstance(content, bytes):
        return content
    with content:
        return content.read()


def _close(content: bytes | Content) -> None:
    if isinstance(content, Content):
        content.close()


def _tags(request: Request, target: Digest | str) -> list[str]:
    """The tags a push sets: the one in its path, or the ``tag`` parameters of a push by digest."""
    parameters = request.parameters("tag")
    if not isinstance(target, Digest):
        if parameters:
            raise TagInvalid(
                {"tag": parameters[0][:256]}, "tag parameters are only allowed when pushing by digest"
            )
        return [target]
    if len(parameters) > TAGS_MAX:
        raise TooManyTags({"most": TAGS_MAX})
    return list(dict.fromkeys(check_tag(tag) for tag in parameters))


def _read(source: Readable, size: int) -> bytes:
    """``size`` bytes, fewer only at the end."""
    parts: list[bytes] = []
    while size and (part := source.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
