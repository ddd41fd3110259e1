"""Images copied between any two places, signed and judged by policies; files and folders as artifacts.

    from udist_plugin.images import Policy, copy_image

    copy_image(
        "docker://quay.io/podman/hello", "oci:folder:v1", policy=Policy.accepting_anything(), referrers=True
    )

A place is a text such as ``docker://HOST/NAME:TAG``, or the ``ImageReference`` that ``parse_image_name``
makes of it.

- Images: ``copy_image``, ``sync_images`` for whole repositories, ``backup_images`` and ``restore_images``.
- Places: ``parse_image_name``, ``open_repositories``, ``open_registry`` for a registry by its host, and
  ``new_transport`` for a store of one's own. ``SystemContext`` says which logins and settings count.
- Artifacts: ``push_artifact`` and ``pull_artifact``, for files and folders in any registry.
- Trust: ``load_policy`` and ``check_image``; ``sign_image`` and ``verify_image`` by keys.

Errors are in ``udist_plugin.errors``.
"""

from __future__ import annotations

from udist_plugin import offer
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from udist_plugin.images.backup.backup import backup_images
    from udist_plugin.images.backup.restore import restore_images
    from udist_plugin.images.compression import Compression
    from udist_plugin.images.copying.copy import CopyResult, copy_image
    from udist_plugin.images.docker.connecting import open_registry
    from udist_plugin.images.platforms import Platform
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
    from udist_plugin.images.syncing.result import Failure, Synced, SyncResult
    from udist_plugin.images.syncing.sync import sync_images
    from udist_plugin.images.system import SystemContext
    from udist_plugin.images.transports import Transports, open_repositories, parse_image_name
    from udist_plugin.images.transports.base import (
        ImageDestination,
        ImageReference,
        ImageSource,
        ImageTransport,
        Repositories,
    )
    from udist_plugin.images.transports.udistribution import new_transport

__all__ = [
    "Compression",
    "CopyResult",
    "Failure",
    "ImageDestination",
    "ImageReference",
    "ImageSource",
    "ImageTransport",
    "Platform",
    "Policy",
    "PolicyImage",
    "PrivateKey",
    "PublicKey",
    "Pulled",
    "Pushed",
    "Repositories",
    "Source",
    "SyncResult",
    "Synced",
    "SystemContext",
    "Transports",
    "backup_images",
    "check_image",
    "check_images",
    "copy_image",
    "find_attached",
    "find_lookaside",
    "load_policy",
    "new_transport",
    "open_registry",
    "open_repositories",
    "parse_image_name",
    "policy_image",
    "pull_artifact",
    "push_artifact",
    "restore_images",
    "sign_image",
    "sync_images",
    "verify_image",
]

__getattr__, __dir__ = offer(
    __name__,
    {
        "Compression": "images.compression",
        "CopyResult": "images.copying.copy",
        "Failure": "images.syncing.result",
        "ImageDestination": "images.transports.base",
        "ImageReference": "images.transports.base",
        "ImageSource": "images.transports.base",
        "ImageTransport": "images.transports.base",
        "Platform": "images.platforms",
        "Policy": "images.policy.policy",
        "PolicyImage": "images.policy.subject",
        "PrivateKey": "images.signatures.keys",
        "PublicKey": "images.signatures.keys",
        "Pulled": "images.pull",
        "Pushed": "images.push",
        "Repositories": "images.transports.base",
        "Source": "images.push",
        "SyncResult": "images.syncing.result",
        "Synced": "images.syncing.result",
        "SystemContext": "images.system",
        "Transports": "images.transports",
        "backup_images": "images.backup.backup",
        "check_image": "images.policy.evaluating",
        "check_images": "images.policy.evaluating",
        "copy_image": "images.copying.copy",
        "find_attached": "images.signatures.attached",
        "find_lookaside": "images.signatures.lookaside",
        "load_policy": "images.policy.files",
        "new_transport": "images.transports.udistribution",
        "open_registry": "images.docker.connecting",
        "open_repositories": "images.transports",
        "parse_image_name": "images.transports",
        "policy_image": "images.policy.names",
        "pull_artifact": "images.pull",
        "push_artifact": "images.push",
        "restore_images": "images.backup.restore",
        "sign_image": "images.signatures.signing",
        "sync_images": "images.syncing.sync",
        "verify_image": "images.signatures.verifying",
    },
)
