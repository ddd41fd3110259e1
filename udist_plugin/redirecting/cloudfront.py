"""URLs that CloudFront serves for a while, signed with a canned policy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

_KEY: Final = "privatekey"
_INSTALL: Final = "pip install '.[cloudfront]' in a checkout of udist"


class Signer:
    """Signs with the RSA key in the file ``private_key`` (PEM); a URL is valid for ``duration`` seconds.

    Raises ``ConfigurationError`` with the key of the entry's options.
    """

    def __init__(self, private_key: str, key_pair_id: str, duration: float) -> None:
        from botocore.signers import CloudFrontSigner

        self._duration = duration
        self._key = _load(private_key)
        self._signer = CloudFrontSigner(key_pair_id, self._signature)

    def sign(self, url: str) -> str:
        """``url`` with its signature."""
        from datetime import UTC, datetime

        expires = datetime.fromtimestamp(int(time.time() + self._duration), UTC)
        signed: str = self._signer.generate_presigned_url(url, date_less_than=expires)
        return signed

    def _signature(self, message: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
        from cryptography.hazmat.primitives.hashes import SHA1

        return self._key.sign(message, PKCS1v15(), SHA1())  # noqa: S303 - what CloudFront asks for


def _load(path: str) -> RSAPrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise ConfigurationError(f"{error}; {_INSTALL}", key=_KEY) from error
    try:
        with open(path, "rb") as file:
            key = load_pem_private_key(file.read(1 << 16), None)
    except OSError as error:
        raise ConfigurationError(f"cannot read {path}: {error.strerror}", key=_KEY) from error
    except (ValueError, TypeError) as error:  # the latter of a key with a password
        raise ConfigurationError(f"{path} holds no private key without a password", key=_KEY) from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigurationError(f"{path} holds no RSA key, which CloudFront asks for", key=_KEY)
    return key
