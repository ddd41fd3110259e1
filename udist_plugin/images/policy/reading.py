"""A policy's requirements, from JSON. What is read may raise ``Unexpected``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.images.policy.reading_identities import read_identity
from udist_plugin.images.policy.requirements import (
    AcceptAnything,
    Keys,
    Reject,
    Requirement,
    SignedBaseLayer,
    SignedBy,
    SigstoreSigned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from udist_plugin.images.strict_json import Node

_KEY_TYPES: Final = ("GPGKeys", "signedByGPGKeys", "X509Certificates", "signedByX509CAs")
_GPG_KEYS: Final = ("keyPath", "keyPaths", "keyData")
_KEYS: Final = (*_GPG_KEYS, "keyDatas")
_REKOR: Final = ("rekorPublicKeyPath", "rekorPublicKeyPaths", "rekorPublicKeyData", "rekorPublicKeyDatas")


def read_requirements(node: Node) -> tuple[Requirement, ...]:
    """A list of requirements, all of which an image has to meet."""
    return tuple(entry.as_its_type(_REQUIREMENTS) for entry in _filled_list(node))


def _plain(requirement: Requirement) -> Callable[[Node], Requirement]:
    """Reads a requirement that has no other member than its type."""

    def read(node: Node) -> Requirement:
        node.fields(("type",))
        return requirement

    return read


def _signed_by(node: Node) -> SignedBy:
    fields = node.fields(("type", "keyType"), (*_GPG_KEYS, "signedIdentity"))
    source = _one_of(node, fields, _GPG_KEYS)
    key_type = fields["keyType"].one_of(*_KEY_TYPES)
    return SignedBy(key_type, _keys(source, fields[source]), read_identity(fields.get("signedIdentity")))


def _signed_base_layer(node: Node) -> SignedBaseLayer:
    return SignedBaseLayer(read_identity(node.fields(("type", "baseLayerIdentity"))["baseLayerIdentity"]))


def _sigstore_signed(node: Node) -> SigstoreSigned:
    authorities: dict[str, Callable[[Node], None]] = {"fulcio": _check_fulcio, "pki": _check_pki}
    fields = node.fields(("type",), (*_KEYS, *authorities, *_REKOR, "signedIdentity"))
    source = _one_of(node, fields, (*_KEYS, *authorities))
    rekor = _at_most_one(node, fields, _REKOR)
    identity = read_identity(fields.get("signedIdentity"))
    if rekor:
        _keys(rekor, fields[rekor])
        if source == "pki":
            node.fail(f"pki and {rekor} exclude each other")
    if source in authorities:
        authorities[source](fields[source])
        if source == "fulcio" and not rekor:
            node.fail(f"fulcio needs one of {', '.join(_REKOR)}")
        return SigstoreSigned(Keys(), identity, (source, rekor) if rekor else (source,))
    return SigstoreSigned(_keys(source, fields[source]), identity, (rekor,) if rekor else ())


def _check_fulcio(node: Node) -> None:
    roots = ("caPath", "caData")
    fields = node.fields(("oidcIssuer", "subjectEmail"), roots)
    _one_of(node, fields, roots)
    _check(fields)


def _check_pki(node: Node) -> None:
    roots, intermediates = ("caRootsPath", "caRootsData"), ("caIntermediatesPath", "caIntermediatesData")
    subjects = ("subjectEmail", "subjectHostname")
    fields = node.fields((), (*roots, *intermediates, *subjects))
    _one_of(node, fields, roots)
    _at_most_one(node, fields, intermediates)
    if not fields.keys() & {*subjects}:
        node.fail(f"one of {', '.join(subjects)} is missing")
    _check(fields)


def _check(fields: Mapping[str, Node]) -> None:
    for key, field in fields.items():
        if key.endswith("Data"):
            field.data()
        else:
            _path(field)


def _keys(source: str, field: Node) -> Keys:
    """The keys that the member ``source`` gives: one or a list, as paths or as data."""
    entries = _filled_list(field) if source.endswith("s") else [field]
    if "Path" in source:
        return Keys(paths=tuple(map(_path, entries)))
    return Keys(data=tuple(entry.data() for entry in entries))


def _path(field: Node) -> str:
    return field.text() or field.fail("must not be empty")


def _filled_list(node: Node) -> list[Node]:
    return node.entries() or node.fail("the list must not be empty")


def _one_of(node: Node, fields: Collection[str], keys: Collection[str]) -> str:
    return _at_most_one(node, fields, keys) or node.fail(f"one of {', '.join(keys)} is missing")


def _at_most_one(node: Node, fields: Collection[str], keys: Collection[str]) -> str:
    """The one of ``keys`` that is there, or nothing."""
    found = [key for key in keys if key in fields]
    if len(found) > 1:
        node.fail(f"{' and '.join(found)} exclude each other")
    return found[0] if found else ""


_REQUIREMENTS: Final[Mapping[str, Callable[[Node], Requirement]]] = {
    "insecureAcceptAnything": _plain(AcceptAnything()),
    "reject": _plain(Reject()),
    "signedBy": _signed_by,
    "sigstoreSigned": _sigstore_signed,
    "signedBaseLayer": _signed_base_layer,
}
