"""What refers to an image, to what refers to it, and so on."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import ManifestInvalid
from udist_plugin.images.referrers import attachment_tags
from udist_plugin.oci.media_types import DOCKER_CONFIG, OCI_CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sized

    from udist_plugin.images.copying.plan import Plan
    from udist_plugin.images.transports.base import ImageSource
    from udist_plugin.oci.descriptor import Descriptor
    from udist_plugin.oci.digest import Digest

REFERRERS_MAX: Final = 100_000
"""How many referrers are copied to one repository at once."""

_FILE_SYSTEMS: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
"""What the media types of layers that make up a file system begin with."""


class Link(NamedTuple):
    """What refers to ``subject``: ``referrers``, and by its tag what cosign attached. ``new`` are those of
    them that were not met before, with all below them."""

    subject: Digest
    referrers: list[Descriptor]
    attached: dict[str, Digest]
    new: list[Plan]


def walk(source: ImageSource, image: Plan, read: Callable[[Digest], Plan | None]) -> Iterator[Link]:
    """What refers to the manifests of ``image``, then what refers to that, and so on.

    ``read`` returns the manifest with a digest and all below it, or ``None`` to pass it over: it was met
    before, or cannot be read.
    """
    waiting = deque([image])
    while waiting:
        for manifest in waiting.popleft().manifests:
            referrers = source.list_referrers(manifest.digest)
            tags = attachment_tags(manifest.digest)
            attached = {tag: found.digest for tag in tags if (found := source.get_tagged(tag))}
            digests = [*(referrer.digest for referrer in referrers), *attached.values()]
            new = [plan for digest in digests if (plan := read(digest))]
            if digests:
                yield Link(manifest.digest, referrers, attached, new)
            waiting += new


def check_count(known: Sized) -> None:
    """Raises ``ManifestInvalid`` for more referrers than one copy may have."""
    if len(known) > REFERRERS_MAX:
        raise ManifestInvalid(f"there are more than {REFERRERS_MAX} referrers")


def is_container_image(plan: Plan) -> bool:
    """Whether there is an image to run, and not only something about one, such as a signature."""
    return any(
        manifest.config is not None
        and manifest.config.media_type in (OCI_CONFIG, DOCKER_CONFIG)
        and any(layer.media_type.startswith(_FILE_SYSTEMS) for layer in manifest.layers)
        for manifest in plan.manifests
    )
