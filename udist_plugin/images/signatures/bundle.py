"""What cosign 3 attaches among the referrers: a Sigstore bundle with a signed statement about a digest.

The statement is in-toto's, in a DSSE envelope. cosign's gives the image's digest and not its name; ours gives
the name as well, as attestations do.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.images.strict_json import parse

if TYPE_CHECKING:
    from udist_plugin.images.strict_json import Node
    from udist_plugin.oci.digest import Digest

MEDIA_TYPES: Final = "application/vnd.dev.sigstore.bundle"
"""What the media types of all versions begin with."""
MEDIA_TYPE: Final = f"{MEDIA_TYPES}.v0.3+json"
PREDICATE_TYPE: Final = "https://sigstore.dev/cosign/sign/v1"
"""The type of a statement that signs an image, and attests nothing else."""
ANNOTATIONS: Final = {
    "dev.sigstore.bundle.content": "dsse-envelope",
    "dev.sigstore.bundle.predicateType": PREDICATE_TYPE,
}

SUBJECTS_MAX: Final = 1024
_READABLE: Final = (MEDIA_TYPE, *(f"{MEDIA_TYPES}+json;version=0.{minor}" for minor in (1, 2, 3)))
_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_STATEMENTS: Final = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")


class Envelope(NamedTuple):
    """A statement and its signature (DSSE)."""

    payload: bytes
    signature: bytes = b""

    @classmethod
    def parse(cls, content: bytes) -> Envelope:
        """Reads a bundle. Raises ``Unexpected``."""
        document = parse(content)
        document.member("mediaType").one_of(*_READABLE)
        envelope = document.member("dsseEnvelope")
        envelope.member("payloadType").one_of(_PAYLOAD_TYPE)
        signatures = envelope.member("signatures")
        if len(signatures.entries()) != 1:
            signatures.fail("expected one signature")
        signature = signatures.entries()[0].member("sig")
        return cls(envelope.member("payload").data(), signature.data())

    @property
    def message(self) -> bytes:
        """The bytes that are signed (DSSE's pre-authentication encoding)."""
        kind = _PAYLOAD_TYPE.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)

    def bundle(self, fingerprint: bytes) -> bytes:
        """The bundle of this envelope, signed by the key that has ``fingerprint``."""
        document = {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _encoded(fingerprint)}},
            "dsseEnvelope": {
                "payload": _encoded(self.payload),
                "payloadType": _PAYLOAD_TYPE,
                "signatures": [{"sig": _encoded(self.signature)}],
            },
        }
        return json.dumps(document, separators=(",", ":")).encode()


class Subject(NamedTuple):
    """What a statement is about: content by its digests, and what that is called, if it is said."""

    name: str | None
    digests: frozenset[str]


class Statement(NamedTuple):
    """``predicate_type`` tells what is said of the subjects."""

    predicate_type: str
    subjects: tuple[Subject, ...]

    @classmethod
    def parse(cls, payload: bytes) -> Statement:
        """Reads what was signed. Raises ``Unexpected``."""
        document = parse(payload)
        document.member("_type").one_of(*_STATEMENTS)
        subjects = document.member("subject")
        entries = subjects.entries()
        if len(entries) > SUBJECTS_MAX:
            subjects.fail(f"more than {SUBJECTS_MAX} subjects")
        return cls(document.member("predicateType").text(), tuple(map(_subject, entries)))


def statement_about(digest: Digest, name: str) -> bytes:
    """The bytes of the statement that signs the image with ``digest`` as ``name``, the same each time."""
    document = {
        "_type": _STATEMENTS[0],
        "subject": [{"name": name, "digest": {digest.algorithm: digest.hex}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": {},
    }
    return json.dumps(document, separators=(",", ":")).encode()


def _subject(node: Node) -> Subject:
    digests = node.member("digest").members().items()
    name = node.members().get("name")
    return Subject(
        name.text() or None if name else None,
        frozenset(f"{algorithm}:{encoded.text()}" for algorithm, encoded in digests),
    )


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()
