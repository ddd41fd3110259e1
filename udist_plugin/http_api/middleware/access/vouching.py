"""The keys that may sign tokens: those of a bundle of certificates, and those that it vouches for."""

from __future__ import annotations

import base64
from binascii import Error, a2b_base64

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from udist_plugin.typed import Final

CHAIN: Final = 8
"""Certificates of a token at most."""

_CURVES: Final = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
_LEAF: Final = ExtensionPolicy.permit_all()
_ISSUER: Final = _LEAF.require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None)


class Roots:
    """The certificates of ``bundle``, in PEM. Raises ``ValueError`` if there is none.

    ``keys`` are theirs by the names that tokens may have for them: distribution's thumbprint (RFC 7638) and,
    as in its version 2, libtrust's fingerprint.
    """

    def __init__(self, bundle: bytes) -> None:
        certificates = x509.load_pem_x509_certificates(bundle)
        self._store = Store(certificates)
        self.keys: dict[str, object] = {}
        for certificate in certificates:
            key = certificate.public_key()
            for name in (thumbprint(key), fingerprint(key)):
                if name:
                    self.keys[name] = key

    def key_of(self, chain: object) -> object | None:
        """The key of the first of ``chain``, certificates in base64, if the bundle vouches for it.

        Each is signed by the next (RFC 7515, section 4.1.6), so the first of a name counts. Otherwise the
        verifier tries all of a name at every level, and a stranger's few cost it millions of signatures.
        """
        if not isinstance(chain, list) or not 0 < len(chain) <= CHAIN:
            return None
        try:
            leaf, *others = [x509.load_der_x509_certificate(a2b_base64(each)) for each in chain]
            issuers = {each.subject: each for each in reversed(others)}
            policy = PolicyBuilder().store(self._store).max_chain_depth(CHAIN)
            verifier = policy.extension_policies(ca_policy=_ISSUER, ee_policy=_LEAF).build_client_verifier()
            return verifier.verify(leaf, [*issuers.values()]).chain[0].public_key()
        except (Error, ValueError, TypeError, VerificationError):
            return None


def thumbprint(key: object) -> str:
    """A key's thumbprint as distribution 3 makes it, which drops zeros at the start of an elliptic curve's
    coordinates; empty for a kind of key that it does not know."""
    if isinstance(key, RSAPublicKey):
        number = key.public_numbers()
        members = {"e": _number(number.e), "kty": "RSA", "n": _number(number.n)}
    elif isinstance(key, EllipticCurvePublicKey):
        point = key.public_numbers()
        curve = _CURVES.get(key.curve.name, key.curve.name)
        members = {"crv": curve, "kty": "EC", "x": _number(point.x), "y": _number(point.y)}
    elif isinstance(key, Ed25519PublicKey):
        members = {"crv": "Ed25519", "kty": "OKP", "x": _base64(key.public_bytes_raw())}
    else:
        return ""
    text = ",".join(f'"{name}":"{value}"' for name, value in members.items())
    return _base64(_sha256(f"{{{text}}}".encode()))


def fingerprint(key: object) -> str:
    """A key's id as libtrust makes it: 240 bits of a hash, in groups of four characters."""
    if not isinstance(key, RSAPublicKey | EllipticCurvePublicKey):
        return ""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    text = base64.b32encode(_sha256(encoded)[:30]).decode()
    return ":".join(text[start : start + 4] for start in range(0, len(text), 4))


def _sha256(data: bytes) -> bytes:
    from hashlib import sha256

    return sha256(data).digest()


def _number(value: int) -> str:
    return _base64(value.to_bytes((value.bit_length() + 7) // 8))


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
