"""Which names a policy accepts in signatures, from JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ReferenceInvalid
from udist_plugin.images.policy.identities import (
    ExactReference,
    ExactRepository,
    MatchExact,
    MatchRepoDigestOrExact,
    MatchRepository,
    RemapIdentity,
    SignedIdentity,
    is_name_only,
    is_prefix,
)
from udist_plugin.images.references import Named

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.images.strict_json import Node


def read_identity(node: Node | None) -> SignedIdentity:
    """The identity at ``node``; the default if there is none. Raises ``Unexpected``."""
    return MatchRepoDigestOrExact() if node is None else node.as_its_type(_IDENTITIES)


def _plain(identity: SignedIdentity) -> Callable[[Node], SignedIdentity]:
    """Reads an identity that has no other member than its type."""

    def read(node: Node) -> SignedIdentity:
        node.fields(("type",))
        return identity

    return read


def _exact_reference(node: Node) -> ExactReference:
    field = node.fields(("type", "dockerReference"))["dockerReference"]
    reference = _reference(field)
    if is_name_only(reference):
        field.fail("expected a tag or a digest")
    return ExactReference(reference)


def _exact_repository(node: Node) -> ExactRepository:
    return ExactRepository(_reference(node.fields(("type", "dockerRepository"))["dockerRepository"]))


def _remap_identity(node: Node) -> RemapIdentity:
    fields = node.fields(("type", "prefix", "signedPrefix"))
    return RemapIdentity(_prefix(fields["prefix"]), _prefix(fields["signedPrefix"]))


def _prefix(field: Node) -> str:
    return field.text() if is_prefix(field.text()) else field.fail("expected HOST[:PORT][/NAME]")


def _reference(field: Node) -> Named:
    try:
        return Named.parse(field.text())
    except ReferenceInvalid as error:
        field.fail(str(error))


_IDENTITIES: Final[Mapping[str, Callable[[Node], SignedIdentity]]] = {
    "matchExact": _plain(MatchExact()),
    "matchRepoDigestOrExact": _plain(MatchRepoDigestOrExact()),
    "matchRepository": _plain(MatchRepository()),
    "exactReference": _exact_reference,
    "exactRepository": _exact_repository,
    "remapIdentity": _remap_identity,
}
