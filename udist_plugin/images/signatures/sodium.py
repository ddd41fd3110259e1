"""What only libsodium has of the cryptography that cosign uses."""

from __future__ import annotations

from udist_plugin.errors import SignatureError

try:
    from nacl import bindings
    from nacl.exceptions import CryptoError
except ImportError as error:
    hint = "signatures need cryptography and pynacl; pip install '.[signing]' in a checkout of udist"
    raise SignatureError(hint) from error


def open_secretbox(sealed: bytes, nonce: bytes, key: bytes) -> bytes | None:
    """What NaCl's secretbox ``sealed`` holds; ``None`` if ``key`` does not open it."""
    try:
        return bindings.crypto_secretbox_open(sealed, nonce, key)
    except (CryptoError, ValueError):
        return None


def verifies_ed25519ph(key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether ``signature`` is Ed25519ph's of ``message``, without a context (RFC 8032, section 5.1)."""
    state = bindings.crypto_sign_ed25519ph_state()
    bindings.crypto_sign_ed25519ph_update(state, message)
    try:
        return bindings.crypto_sign_ed25519ph_final_verify(state, signature, key)
    except (CryptoError, ValueError):
        return False
