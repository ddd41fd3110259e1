"""Image names as people write them, for the question which rule of a policy they meet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from udist_plugin.errors import DigestInvalid, NameInvalid, ReferenceInvalid, TagInvalid
from udist_plugin.images.policy.identities import is_name_only
from udist_plugin.images.policy.scopes import TRANSPORTS
from udist_plugin.images.policy.subject import PolicyImage
from udist_plugin.images.references import Named
from udist_plugin.images.strict_json import nearest
from udist_plugin.oci.reference import Reference

if TYPE_CHECKING:
    from udist_plugin.images.transports.base import ImageReference

SPAWNED = "udistribution-"
"""What the names of transports begin with that a program has made for its own plugins."""


def policy_image(text: str) -> PolicyImage:
    """The image ``transport:reference``. Nothing is looked up, but links in paths are followed.

    Raises ``ReferenceInvalid``.
    """
    transport, _, rest = text.partition(":")
    match transport:
        case "docker" if not rest.startswith("//"):
            raise ReferenceInvalid("expected docker://HOST[:PORT]/NAME[:TAG|@DIGEST]", text)
        case "docker-daemon":
            return _of_daemon(rest)
        case "docker" | "atomic":
            return _of_registry(transport, rest.removeprefix("//"))
        case "udist":
            return _of_store(rest)
        case "dir" | "sif":
            return PolicyImage.of_path(transport, rest)
        case "oci" | "oci-archive":
            return PolicyImage.of_path(transport, rest.partition(":")[0])
        case "docker-archive":
            name = rest.partition(":")[2]
            named = name and not name.startswith("@")
            return PolicyImage(transport, reference=Named.parse_image(name) if named else None)
        case "tarball":
            return PolicyImage(transport)
    if transport.startswith(SPAWNED):
        return _of_registry(transport, rest.removeprefix("//"))
    raise ReferenceInvalid(_unknown(transport, rest, text), text)


def image_at(transport: str, text: str) -> PolicyImage:
    """The image ``transport:text``; one of a transport that only this program knows is all its own scope.

    Raises ``ReferenceInvalid`` as ``policy_image`` does.
    """
    if transport in TRANSPORTS or transport.startswith(SPAWNED):
        return policy_image(f"{transport}:{text}")
    return PolicyImage(transport, text)


def called(reference: ImageReference) -> str:
    """What a signature calls the image at ``reference``, unless it is told otherwise."""
    return str(image_at(reference.transport.name, reference.string_within_transport).reference or reference)


def _of_registry(transport: str, text: str) -> PolicyImage:
    return PolicyImage.of_docker(transport, Named.parse_image(text))


def _of_daemon(text: str) -> PolicyImage:
    """By a name, or by an ID, which is in the scope "" alone."""
    if re.fullmatch("sha256:[0-9a-f]{64}", text):
        return PolicyImage("docker-daemon")
    if text.partition(":")[0] == "sha256":
        raise ReferenceInvalid("expected sha256:<64 hex>, an image's ID", text)
    named = Named.parse(text)
    if is_name_only(named):
        raise ReferenceInvalid("give a tag or a digest; docker-daemon has no default", text)
    return PolicyImage.of_docker("docker-daemon", named)


def _of_store(text: str) -> PolicyImage:
    try:
        reference = Reference.parse(text)
    except (NameInvalid, TagInvalid, DigestInvalid) as error:
        raise ReferenceInvalid(f"{error}; expected NAME[:TAG|@DIGEST]", text) from None
    return PolicyImage.of_store("udist", reference.name, reference.target)


def _unknown(transport: str, rest: str, text: str) -> str:
    if transport in TRANSPORTS:
        return f"udist does not read names of images in {transport}"
    is_port = rest.partition("/")[0].isdecimal()
    near = nearest(transport, TRANSPORTS) if rest and not is_port else ""
    return f"begins with no known transport{near or f'; of a registry, write docker://{text}'}"
