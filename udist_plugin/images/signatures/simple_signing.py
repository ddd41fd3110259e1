"""What is signed with a GPG key, or by cosign for the tag ``sha256-<hex>.sig``: a claim that a digest is an
image of some name (containers-signature(5), "JSON data format")."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.errors import DigestInvalid
from udist_plugin.images.strict_json import parse
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from udist_plugin.images.strict_json import Node

MEDIA_TYPE: Final = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE: Final = "dev.cosignproject.cosign/signature"
"""The annotation of a layer that has its signature, in base64."""

COSIGN: Final = "cosign container image signature"
GPG: Final = "atomic container signature"
"""The types of claims."""

TIME_MAX: Final = 1 << 63
"""Seconds. No time has more, as containers/image keeps it in 64 bits."""


class Claim(NamedTuple):
    """The image with ``digest`` is called ``reference``."""

    digest: Digest
    reference: str

    @classmethod
    def parse(cls, payload: bytes, kind: str = COSIGN) -> Claim:
        """Reads what was signed. Raises ``Unexpected``."""
        fields = parse(payload).fields(("critical", "optional"))
        if kind == GPG or fields["optional"].value is not None:
            _check_optional(fields["optional"].members())
        critical = fields["critical"].fields(("type", "image", "identity"))
        critical["type"].one_of(kind)
        digest = critical["image"].fields(("docker-manifest-digest",))["docker-manifest-digest"]
        reference = critical["identity"].fields(("docker-reference",))["docker-reference"]
        try:
            return cls(Digest(digest.text()), reference.text())
        except DigestInvalid:
            digest.fail("expected a digest")

    def payload(self) -> bytes:
        """The bytes to sign, as cosign writes them. The same claim always has the same."""
        document = {
            "critical": {
                "identity": {"docker-reference": self.reference},
                "image": {"docker-manifest-digest": self.digest},
                "type": COSIGN,
            },
            "optional": None,
        }
        return json.dumps(document, separators=(",", ":")).encode()


def _check_optional(members: dict[str, Node]) -> None:
    """Who signed it, and when in seconds; others may add what they like."""
    if "creator" in members:
        members["creator"].text()
    if "timestamp" in members:
        _check_time(members["timestamp"])


def _check_time(node: Node) -> None:
    time = node.value
    if isinstance(time, bool) or not isinstance(time, int | float):
        node.fail("expected an integer")
    if not -TIME_MAX <= time < TIME_MAX or time != int(time):
        node.fail("expected an integer")
