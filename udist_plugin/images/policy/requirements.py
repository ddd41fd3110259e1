"""What a policy asks of an image (containers-policy.json(5), "Policy Requirements")."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from udist_plugin.images.policy.identities import SignedIdentity


class AcceptAnything(NamedTuple):
    """``insecureAcceptAnything``: every image is allowed."""

    kind: str = "insecureAcceptAnything"


class Reject(NamedTuple):
    """``reject``: no image is."""

    kind: str = "reject"


class Keys(NamedTuple):
    """Public keys: files that hold one each, or what such files would hold."""

    paths: tuple[str, ...] = ()
    data: tuple[bytes, ...] = ()


class SignedBy(NamedTuple):
    """``signedBy``: a simple signature by a GPG key."""

    key_type: str
    keys: Keys
    identity: SignedIdentity
    kind: str = "signedBy"


class SignedBaseLayer(NamedTuple):
    """``signedBaseLayer``: nobody has ever implemented it."""

    identity: SignedIdentity
    kind: str = "signedBaseLayer"


class SigstoreSigned(NamedTuple):
    """``sigstoreSigned``: a cosign signature by one of ``keys``.

    ``beyond`` names what the requirement asks for besides that: Fulcio, another PKI, or a Rekor log.
    """

    keys: Keys
    identity: SignedIdentity
    beyond: tuple[str, ...] = ()
    kind: str = "sigstoreSigned"


Requirement = AcceptAnything | Reject | SignedBy | SignedBaseLayer | SigstoreSigned
