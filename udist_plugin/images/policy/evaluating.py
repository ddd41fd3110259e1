"""Whether a policy allows an image."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from udist_plugin.errors import NotSigned, PolicyRejected, PolicyUnsupported
from udist_plugin.images.policy.requirements import AcceptAnything, Reject, SigstoreSigned
from udist_plugin.images.signatures.verifying import verify_attached

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from udist_plugin.images.policy.policy import Policy, Rule
    from udist_plugin.images.policy.requirements import Keys
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.signatures.attached import Attached
    from udist_plugin.images.signatures.keys import PublicKey


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
                _check_signed(requirement, rule, image, manifest, found)
            case SigstoreSigned():
                asked = ", ".join(requirement.beyond)
                raise _unsupported(f"sigstoreSigned with {asked}", rule, image)
            case _:
                raise _unsupported(requirement.kind, rule, image)
    return rule


def _check_signed(
    requirement: SigstoreSigned,
    rule: Rule,
    image: PolicyImage,
    manifest: bytes,
    found: Callable[[], Sequence[Attached]],
) -> None:
    keys = _read_keys(requirement.keys, f"{rule.place} of the policy")
    accepts = partial(requirement.identity.accepts, image.reference)
    try:
        verify_attached(found(), manifest, keys, accepts, str(image))
    except NotSigned as error:
        message = f"not signed as the policy's {rule.place} requires"
        raise PolicyRejected(": ".join([message, *error.reasons[:1]]), str(image), error.reasons) from None


def _read_keys(keys: Keys, place: str) -> list[PublicKey]:
    from udist_plugin.images.signatures.keys import PublicKey

    return [
        *(PublicKey.read(path) for path in keys.paths),
        *(PublicKey.parse(content, place) for content in keys.data),
    ]


def _unsupported(what: str, rule: Rule, image: PolicyImage) -> PolicyUnsupported:
    return PolicyUnsupported(
        f"the policy's {rule.place} asks for {what}, which udist does not support", str(image)
    )
