"""What a policy says without effect: transports and scopes that load, and that no image is ever in."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.errors import DigestInvalid, NameInvalid, TagInvalid
from udist_plugin.images.policy import docker_scopes
from udist_plugin.images.policy.scopes import TRANSPORTS
from udist_plugin.images.strict_json import nearest
from udist_plugin.oci.reference import Reference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.policy.subject import PolicyImage


class Finding(NamedTuple):
    """``place`` is the transport or scope in the policy. Where ``never``, no image is ever in it; elsewhere
    it may not do what was meant."""

    place: str
    problem: str
    never: bool = True


def find_unmatchable(policy: Policy) -> Iterator[Finding]:
    """The transports and scopes of ``policy`` that match nothing, or not what they seem to."""
    for transport, scopes in policy.transports.items():
        place = f"transports.{transport}"
        if transport not in TRANSPORTS:
            name = re.sub("[^a-z-].*", "", transport)
            yield Finding(place, f"unknown transport{nearest(name, TRANSPORTS)}")
        elif not scopes:
            yield Finding(place, "has no scopes, so the default applies")
        for scope in filter(None, scopes):
            yield from _of_scope(transport, scope)


def near_misses(policy: Policy, image: PolicyImage) -> Iterator[Finding]:
    """Scopes that ``image`` would be in with the port of its host, or in other letters."""
    host, colon, port = image.identity.partition("/")[0].partition(":")
    for scope in policy.transports.get(image.transport, {}):
        if scope in image.scopes:
            continue
        with_port = re.sub(f"^{re.escape(host)}(?=/|$)", f"{host}{colon}{port}", scope)
        place = _place(image.transport, scope)
        if with_port in image.scopes:
            yield Finding(place, f"does not match without the port; write {with_port!r}", never=False)
        elif scope.lower() in {each.lower() for each in image.scopes}:
            yield Finding(place, "does not match: capital and small letters differ", never=False)


def _of_scope(transport: str, scope: str) -> Iterator[Finding]:
    place = _place(transport, scope)
    match transport:
        case "docker" | "docker-daemon" | "atomic":
            if problem := docker_scopes.problem_of(scope):
                yield Finding(place, problem)
            elif hint := docker_scopes.hint_of(scope):
                yield Finding(place, hint, never=False)
        case "dir" | "oci" | "oci-archive" | "sif":
            if problem := _problem_of_path(scope):
                yield Finding(place, problem)
        case "udist":
            if not _is_of_store(scope):
                yield Finding(place, "expected NAME[:TAG|@DIGEST] without a host")


def _problem_of_path(scope: str) -> str | None:
    try:
        resolved = os.path.realpath(scope)
    except ValueError:
        return "no file can have this name"
    return None if resolved == scope else f"leads through a symbolic link; write {resolved!r}"


def _is_of_store(scope: str) -> bool:
    try:
        reference = Reference.parse(scope)
    except (NameInvalid, TagInvalid, DigestInvalid):
        return False
    return not (reference.tag and reference.digest)


def _place(transport: str, scope: str) -> str:
    return f"transports.{transport}[{scope!r}]"
