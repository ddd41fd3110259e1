"""Whether a policy allows an image."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from udist_plugin.errors import NotSigned, PolicyRejected, PolicyUnsupported, SignatureError
from udist_plugin.images.policy.requirements import AcceptAnything, Reject, SignedBy, SigstoreSigned
from udist_plugin.images.signatures.key_files import read_key_file
from udist_plugin.images.signatures.verifying import by_keys, verify_attached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from udist_plugin.images.policy.identities import SignedIdentity
    from udist_plugin.images.policy.policy import Policy, Rule
    from udist_plugin.images.policy.requirements import Keys
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.signatures.attached import Attached
    from udist_plugin.images.signatures.gpg import Keyring
    from udist_plugin.images.signatures.keys import PublicKey
    from udist_plugin.images.signatures.verifying import NamesIn
    from udist_plugin.oci.manifest import Manifest


def check_image(
    policy: Policy, image: PolicyImage, manifest: bytes, attached: Callable[[], Iterable[Attached]]
) -> Rule:
    """The rule that ``policy`` has for ``image``, whose requirements are all met.

    ``manifest`` is the image's manifest, or that of one of an index's images. ``attached`` finds its
    signatures; it is called once, and only if a requirement is about them. Raises ``PolicyRejected``, and
    ``KeyInvalid`` for a key that the policy names.
    """
    rule = policy.rule_for(image)
    found = cache(lambda: list(attached()))
    for requirement in rule.requirements:
        match requirement:
            case AcceptAnything():
                pass
            case Reject():
                raise PolicyRejected(f"rejected by the policy's {rule.place}", str(image))
            case SigstoreSigned(beyond=()):
                signatures = [each for each in found() if not each.is_gpg]
                names_in = by_keys(_read_keys(requirement.keys, rule))
                _check_signed(signatures, names_in, requirement.identity, rule, image, manifest)
            case SigstoreSigned():
                asked = ", ".join(requirement.beyond)
                raise _unsupported(f"sigstoreSigned with {asked}", rule, image)
            case SignedBy(key_type="GPGKeys"):
                signatures = [each for each in found() if each.is_gpg or each.problem]
                with _keyring(requirement.keys, rule) as keyring:
                    _check_signed(signatures, keyring.names_in, requirement.identity, rule, image, manifest)
            case SignedBy():
                raise _unsupported(f"signedBy with keyType {requirement.key_type}", rule, image)
            case _:
                raise _unsupported(requirement.kind, rule, image)
    return rule


def check_images(
    policy: Policy,
    image: PolicyImage,
    manifests: Sequence[Manifest],
    attached: Callable[[Manifest], Iterable[Attached]],
) -> Rule:
    """The rule for ``image``, whose requirements are met by all of its ``manifests`` that are to be copied.

    As in containers/image, of an index each image is judged by the name of the whole, and not the index; an
    index that is copied without images is judged itself. ``attached`` finds a manifest's signatures. Raises
    as ``check_image``, with the digest at fault in a note.
    """
    rule = policy.rule_for(image)
    for manifest in [each for each in manifests if not each.is_index] or manifests:
        try:
            check_image(policy, image, manifest.content, partial(attached, manifest))
        except SignatureError as error:
            error.add_note(str(manifest.digest))
            raise
    return rule


def _check_signed(
    signatures: Sequence[Attached],
    names_in: NamesIn,
    identity: SignedIdentity,
    rule: Rule,
    image: PolicyImage,
    manifest: bytes,
) -> None:
    accepts = partial(identity.accepts, image.reference)
    try:
        verify_attached(signatures, manifest, names_in, accepts, str(image))
    except NotSigned as error:
        message = f"not signed as the policy's {rule.place} requires"
        why = error.reasons or ("there is no such signature",)
        raise PolicyRejected("\n  ".join([message, *why]), str(image), error.reasons) from None


def _read_keys(keys: Keys, rule: Rule) -> list[PublicKey]:
    from udist_plugin.images.signatures.keys import PublicKey

    return [PublicKey.parse(content, source) for source, content in _files(keys, rule)]


def _keyring(keys: Keys, rule: Rule) -> Keyring:
    from udist_plugin.images.signatures.gpg import Keyring

    return Keyring(_files(keys, rule))


def _files(keys: Keys, rule: Rule) -> list[tuple[str, bytes]]:
    """The files of keys: what to call each, and what it holds."""
    given = [(f"{rule.place} of the policy", content) for content in keys.data]
    return [*((path, read_key_file(path)) for path in keys.paths), *given]


def _unsupported(what: str, rule: Rule, image: PolicyImage) -> PolicyUnsupported:
    return PolicyUnsupported(
        f"the policy's {rule.place} asks for {what}, which udist does not support", str(image)
    )
