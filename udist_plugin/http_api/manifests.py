"""``/v2/<name>/manifests/<reference>`` (distribution-spec, "Pulling manifests", "Pushing Manifests",
"Deleting Manifests", "Deleting tags")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.errors import ManifestTooLarge, ManifestUnknown, TagInvalid
from udist_plugin.http_api.conditionals import not_modified
from udist_plugin.http_api.errors import TooManyTags
from udist_plugin.http_api.negotiation import accepts, check_accepted
from udist_plugin.http_api.resource import Resource
from udist_plugin.http_api.response import Response, digest_fields
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.manifest import MANIFEST_MAX, Manifest
from udist_plugin.oci.media_types import DOCKER_MANIFEST_LIST
from udist_plugin.oci.reference import check_tag, parse_target
from udist_plugin.oci.stored import read_stored

if TYPE_CHECKING:
    from udist_plugin.http_api.request import Request
    from udist_plugin.registry import ManifestContent

TAGS_MAX = 100
"""The most tags one push may set; the specification asks for ten at least."""

DEFAULT_PLATFORM = ("linux", "amd64")
"""What a client that knows no manifest lists is given of one, as distribution does."""


class ManifestResource(Resource):
    """One manifest of a repository, by tag or digest."""

    def get(self, request: Request) -> Response:
        target = parse_target(request.reference)
        found = self.registry.get_manifest(request.name, target)
        if (
            found.media_type == DOCKER_MANIFEST_LIST
            and not isinstance(target, Digest)
            and not accepts(request, DOCKER_MANIFEST_LIST)
        ):
            found = self._default_platform(request.name, found)
        return _answer(request, found.digest, found.media_type, found.content, len(found.content))

    def _default_platform(self, name: str, found: ManifestContent) -> ManifestContent:
        for descriptor in read_stored(found.content, found.digest).manifests:
            platform = descriptor.other.get("platform")
            if (
                isinstance(platform, dict)
                and (platform.get("os"), platform.get("architecture")) == DEFAULT_PLATFORM
            ):
                return self.registry.get_manifest(name, descriptor.digest)
        raise ManifestUnknown({"digest": found.digest, "platform": "/".join(DEFAULT_PLATFORM)})

    def head(self, request: Request) -> Response:
        target = parse_target(request.reference)
        found = self.registry.resolve_manifest(request.name, target)
        if found.media_type == DOCKER_MANIFEST_LIST and not accepts(request, DOCKER_MANIFEST_LIST):
            return self.get(request)
        return _answer(request, found.digest, found.media_type, b"", found.size)

    def put(self, request: Request) -> Response:
        by_digest = ":" in request.reference
        target = Digest(request.reference) if by_digest else check_tag(request.reference)
        tags = _tags(request, target)
        content = _read_manifest(request)
        manifest = Manifest.parse(content, request.media_type, target if isinstance(target, Digest) else None)
        self.registry.push_manifest(request.name, manifest, tags)
        digest = manifest.digest
        fields = [("Location", request.url("manifests", digest)), ("Docker-Content-Digest", digest)]
        if manifest.subject is not None:
            fields.append(("OCI-Subject", manifest.subject.digest))
        if by_digest:
            fields += [("OCI-Tag", tag) for tag in tags]
        return Response(201, fields)

    def delete(self, request: Request) -> Response:
        target = parse_target(request.reference)
        if isinstance(target, Digest):
            self.registry.delete_manifest(request.name, target)
        else:
            self.registry.delete_tag(request.name, target)
        return Response(202)


def _answer(request: Request, digest: Digest, media_type: str, content: bytes, size: int) -> Response:
    if not_modified(request, digest):
        return Response(304, digest_fields(digest))
    check_accepted(request, media_type)
    return Response(200, [("Content-Type", media_type), *digest_fields(digest)], content, size)


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


def _read_manifest(request: Request) -> bytes:
    length = request.content_length
    if length is not None and length > MANIFEST_MAX:
        raise ManifestTooLarge({"size": length, "most": MANIFEST_MAX})
    source = request.content
    parts: list[bytes] = []
    left = MANIFEST_MAX + 1
    while left and (part := source.read(left)):
        parts.append(part)
        left -= len(part)
    if not left:
        raise ManifestTooLarge({"most": MANIFEST_MAX})
    return b"".join(parts)
