"""Whether an image is signed by a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from udist_plugin.errors import NotSigned, ReferenceInvalid
from udist_plugin.images.references import Named
from udist_plugin.images.signatures.attached import Attached, find_attached
from udist_plugin.images.signatures.bundle import PREDICATE_TYPE, Envelope, Statement
from udist_plugin.images.signatures.simple_signing import Claim
from udist_plugin.images.strict_json import Unexpected, decode
from udist_plugin.oci.digest import HEX_LENGTHS, Digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from udist_plugin.images.signatures.keys import PublicKey
    from udist_plugin.registry import Registry


NamesIn = Callable[[Attached, bytes], list[str]]
"""Verifies a signature of a manifest; the names that it gives the image. Raises ``Refused``."""


class Refused(Exception):
    """Why one signature does not count."""


class Verified(NamedTuple):
    """A good signature: ``place`` is its tag or the digest of its referrer. ``reference`` is what it says the
    image is called; a bundle does not say it."""

    place: str
    reference: str | None = None


def verify_image(
    registry: Registry,
    name: str,
    target: str,
    keys: Sequence[PublicKey],
    identity: Named | None = None,
) -> list[Verified]:
    """The signatures of an image of the repository ``name``, by tag or digest, that one of ``keys`` made.

    With ``identity``, only those count that say that the image is called so. Raises ``NotSigned`` if there is
    none; its reasons say why each signature does not count.
    """
    manifest = registry.get_manifest(name, Digest.or_tag(target))
    attached = find_attached(registry, name, manifest.digest, manifest.content)

    accepts = None if identity is None else (lambda reference: reference == identity)
    return verify_attached(attached, manifest.content, by_keys(keys), accepts, f"{name}@{manifest.digest}")


def verify_attached(
    attached: Iterable[Attached],
    manifest: bytes,
    names_in: NamesIn,
    accepts: Callable[[Named], bool] | None,
    subject: str,
) -> list[Verified]:
    """Those of ``attached`` that are good signatures of ``manifest``, for a name that ``accepts`` allows.

    Raises ``NotSigned``.
    """
    verified, reasons = [], []
    for each in attached:
        try:
            if each.problem:
                raise Refused(each.problem)
            verified.append(Verified(each.place, _name(names_in(each, manifest), accepts)))
        except (Refused, Unexpected) as reason:
            reasons.append(f"{each.place}: {reason}")
    if not verified:
        raise NotSigned(_summary(reasons), subject, reasons)
    return verified


def by_keys(keys: Sequence[PublicKey]) -> NamesIn:
    """Verifies that one of ``keys`` made a signature of cosign's."""

    def names_in(each: Attached, manifest: bytes) -> list[str]:
        if each.is_bundle:
            return _signed_statement(each, manifest, keys)
        if not each.is_claim:
            raise Refused("not of the media type of cosign's signatures")
        _check_signature(decode(each.signature, _refuse), each.content, keys)
        return [name_claimed(Claim.parse(each.content), manifest)]

    return names_in


def name_claimed(claim: Claim, manifest: bytes) -> str:
    """The name in a claim about ``manifest``. Raises ``Refused``."""
    if Digest.of(manifest, claim.digest.algorithm) != claim.digest:
        raise Refused(f"signed for the digest {claim.digest}")
    return claim.reference


def _name(names: list[str], accepts: Callable[[Named], bool] | None) -> str | None:
    """The name that is signed, if there is one, and ``accepts`` allows it."""
    if accepts is not None:
        if not names:
            raise Refused("signed by the key, but it does not say what the image is called")
        if not any(accepts(_reference(name)) for name in names):
            raise Refused(f"signed for another name, {', '.join(map(repr, names[:3]))}")
    return names[0] if names else None


def _signed_statement(each: Attached, manifest: bytes, keys: Sequence[PublicKey]) -> list[str]:
    """What the signer says the image is called, in a bundle; cosign says nothing."""
    envelope = Envelope.parse(each.content)
    _check_signature(envelope.signature, envelope.message, keys)
    statement = Statement.parse(envelope.payload)
    if statement.predicate_type != PREDICATE_TYPE:
        raise Refused(f"an attestation of type {statement.predicate_type!r}, not a signature")
    digests = {str(Digest.of(manifest, algorithm)) for algorithm in HEX_LENGTHS}
    subjects = [subject for subject in statement.subjects if subject.digests & digests]
    if not subjects:
        signed = sorted(digest for subject in statement.subjects for digest in subject.digests)
        raise Refused(f"signed for the digest {', '.join(signed[:3])}" if signed else "signed for no digest")
    return [subject.name for subject in subjects if subject.name]


def _check_signature(signature: bytes, message: bytes, keys: Sequence[PublicKey]) -> None:
    if not any(key.verifies(signature, message) for key in keys):
        raise Refused("not made by the key, or changed since")


def _reference(name: str) -> Named:
    try:
        return Named.parse(name)
    except ReferenceInvalid as error:
        raise Refused(f"signed for an invalid name: {error}") from None


def _summary(reasons: Sequence[str]) -> str:
    if not reasons:
        return "has no signatures"
    return "\n".join(["has no signature that counts", *(f"  {reason}" for reason in reasons)])


def _refuse(problem: str) -> NoReturn:
    raise Refused(f"its signature: {problem}")
