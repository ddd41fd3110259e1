"""Files and folders as OCI artifacts, in the form that oras uses; signatures of images, and policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin import offer

if TYPE_CHECKING:
    from udist_plugin.images.policy.evaluating import check_image, check_images
    from udist_plugin.images.policy.files import load_policy
    from udist_plugin.images.policy.names import policy_image
    from udist_plugin.images.policy.policy import Policy
    from udist_plugin.images.policy.subject import PolicyImage
    from udist_plugin.images.pull import Pulled, pull_artifact
    from udist_plugin.images.push import Pushed, Source, push_artifact
    from udist_plugin.images.signatures.attached import find_attached
    from udist_plugin.images.signatures.keys import PrivateKey, PublicKey
    from udist_plugin.images.signatures.lookaside import find_lookaside
    from udist_plugin.images.signatures.signing import sign_image
    from udist_plugin.images.signatures.verifying import verify_image

__all__ = [
    "Policy",
    "PolicyImage",
    "PrivateKey",
    "PublicKey",
    "Pulled",
    "Pushed",
    "Source",
    "check_image",
    "check_images",
    "find_attached",
    "find_lookaside",
    "load_policy",
    "policy_image",
    "pull_artifact",
    "push_artifact",
    "sign_image",
    "verify_image",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Policy": "images.policy.policy",
        "PolicyImage": "images.policy.subject",
        "PrivateKey": "images.signatures.keys",
        "PublicKey": "images.signatures.keys",
        "Pulled": "images.pull",
        "Pushed": "images.push",
        "Source": "images.push",
        "check_image": "images.policy.evaluating",
        "check_images": "images.policy.evaluating",
        "find_attached": "images.signatures.attached",
        "find_lookaside": "images.signatures.lookaside",
        "load_policy": "images.policy.files",
        "policy_image": "images.policy.names",
        "pull_artifact": "images.pull",
        "push_artifact": "images.push",
        "sign_image": "images.signatures.signing",
        "verify_image": "images.signatures.verifying",
    },
)
