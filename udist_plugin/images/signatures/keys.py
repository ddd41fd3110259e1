"""Public and private keys as cosign makes and uses them: ECDSA P-256, RSA and Ed25519.

ECDSA and RSA (PKCS #1 v1.5) sign the SHA-256 of a message. For Ed25519, the message itself is signed, which
cosign and containers/image verify; what cosign signs (Ed25519ph) is verified, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.errors import KeyInvalid, SignatureError
from udist_plugin.images.signatures.key_files import is_encrypted, open_private_key, read_key_file

try:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_der_private_key,
        load_pem_public_key,
    )
except ImportError as error:
    hint = "signatures need cryptography and pynacl; pip install '.[signing]' in a checkout of udist"
    raise SignatureError(hint) from error

if TYPE_CHECKING:
    from collections.abc import Callable

RSA_BITS_MIN: Final = 2048
SUPPORTED: Final = f"ECDSA P-256, RSA of {RSA_BITS_MIN} bits or more, and Ed25519"

_Public = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey
_Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


class PublicKey:
    """A key that verifies signatures. ``source`` names it in errors."""

    def __init__(self, key: _Public, source: str) -> None:
        self._key = key
        self.source = source

    @classmethod
    def parse(cls, content: bytes, source: str = "") -> PublicKey:
        """Reads PEM, as ``cosign.pub`` holds it. Raises ``KeyInvalid``."""
        if is_encrypted(content):
            raise KeyInvalid("holds a private key; give the public key, such as cosign.pub", source)
        try:
            key = load_pem_public_key(content)
        except (ValueError, UnsupportedAlgorithm):
            raise KeyInvalid("holds no public key in PEM", source) from None
        return cls(_supported(key, source), source)

    @classmethod
    def read(cls, path: str) -> PublicKey:
        """Reads the file at ``path``. Raises ``KeyInvalid``."""
        return cls.parse(read_key_file(path), path)

    @property
    def fingerprint(self) -> bytes:
        """The SHA-256 of the key, by which bundles name it."""
        from hashlib import sha256

        return sha256(self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Whether ``signature`` was made of ``message`` with the private key of this one."""
        try:
            match self._key:
                case ec.EllipticCurvePublicKey():
                    self._key.verify(signature, message, ec.ECDSA(SHA256()))
                case rsa.RSAPublicKey():
                    self._key.verify(signature, message, padding.PKCS1v15(), SHA256())
                case _:
                    self._key.verify(signature, message)
        except InvalidSignature:
            return isinstance(self._key, ed25519.Ed25519PublicKey) and _verifies_prehashed(
                self._key, signature, message
            )
        return True


class PrivateKey:
    """A key that signs."""

    def __init__(self, key: _Private, source: str) -> None:
        self._key = key
        self.public = PublicKey(_supported(key.public_key(), source), source)

    @classmethod
    def parse(cls, content: bytes, password: Callable[[], bytes], source: str = "") -> PrivateKey:
        """Reads an encrypted key, as ``cosign.key`` holds it. Raises ``KeyInvalid``."""
        try:
            key = load_der_private_key(open_private_key(content, password, source), None)
        except (ValueError, UnsupportedAlgorithm):
            raise KeyInvalid("holds no private key in PKCS #8", source) from None
        if not isinstance(key, _Private):
            raise KeyInvalid(f"a key of an unsupported kind; supported are {SUPPORTED}", source)
        return cls(key, source)

    @classmethod
    def read(cls, path: str, password: Callable[[], bytes]) -> PrivateKey:
        """Reads the file at ``path``; ``password`` is asked for if it is one of a private key. Raises
        ``KeyInvalid``."""
        return cls.parse(read_key_file(path), password, path)

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``."""
        match self._key:
            case ec.EllipticCurvePrivateKey():
                return self._key.sign(message, ec.ECDSA(SHA256()))
            case rsa.RSAPrivateKey():
                return self._key.sign(message, padding.PKCS1v15(), SHA256())
        return self._key.sign(message)


def _supported(key: object, source: str) -> _Public:
    match key:
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, ec.SECP256R1):
            return key
        case rsa.RSAPublicKey() if key.key_size >= RSA_BITS_MIN:
            return key
        case ed25519.Ed25519PublicKey():
            return key
    raise KeyInvalid(f"a key of an unsupported kind; supported are {SUPPORTED}", source)


def _verifies_prehashed(key: ed25519.Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    from udist_plugin.images.signatures.sodium import verifies_ed25519ph

    return verifies_ed25519ph(key.public_bytes(Encoding.Raw, PublicFormat.Raw), signature, message)
