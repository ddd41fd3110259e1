"""Private keys as cosign keeps them: PEM around JSON, encrypted with a password.

scrypt makes a key of the password, and NaCl's secretbox holds the private key in PKCS #8
(go-securesystemslib's package ``encrypted``).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NoReturn

from udist_plugin.errors import KeyInvalid
from udist_plugin.images.strict_json import Unexpected, decode, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from udist_plugin.images.strict_json import Node

SIZE_MAX: Final = 1 << 20
"""Bytes of a key file."""

_ARMOR: Final = re.compile(
    rb"-----BEGIN (ENCRYPTED (?:SIGSTORE|COSIGN) PRIVATE KEY)-----\s([^-]*)-----END \1-----"
)
_SCRYPT_COSTS: Final = (1 << 15, 1 << 16, 1 << 17)
"""Those that cosign and its library have used. Others could take any amount of time and memory."""
_SCRYPT_R: Final = 8
_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 24


def read_key_file(path: str) -> bytes:
    """Raises ``KeyInvalid`` for a file that cannot be read or is far too large to be a key."""
    try:
        with open(path, "rb") as file:
            content = file.read(SIZE_MAX + 1)
    except OSError as error:
        raise KeyInvalid(f"cannot be read: {error.strerror}", path) from None
    except ValueError:  # a policy may name anything
        raise KeyInvalid("no file can have this name", path) from None
    if len(content) > SIZE_MAX:
        raise KeyInvalid(f"larger than {SIZE_MAX >> 20} MiB, so it is not a key", path)
    return content


def is_encrypted(content: bytes) -> bool:
    """Whether ``content`` looks like a cosign private key."""
    return _ARMOR.search(content) is not None


def open_private_key(content: bytes, password: Callable[[], bytes], source: str) -> bytes:
    """The private key in PKCS #8 that ``content`` holds. Raises ``KeyInvalid``.

    ``password`` is called only if there is something to decrypt.
    """
    if (armored := _ARMOR.search(content)) is None:
        raise KeyInvalid(_other(content), source)
    try:
        document = parse(decode(armored[2].decode("ascii", "replace"), _fail))
        return _decrypt(document, password, source)
    except Unexpected as error:
        raise KeyInvalid(f"holds a damaged private key: {error}", source) from None


def _decrypt(document: Node, password: Callable[[], bytes], source: str) -> bytes:
    from hashlib import scrypt

    from udist_plugin.images.signatures.sodium import open_secretbox

    fields = document.fields(("kdf", "cipher", "ciphertext"))
    kdf = fields["kdf"].fields(("name", "params", "salt"))
    cipher = fields["cipher"].fields(("name", "nonce"))
    kdf["name"].one_of("scrypt")
    cipher["name"].one_of("nacl/secretbox")
    nonce, salt, sealed = cipher["nonce"].data(), kdf["salt"].data(), fields["ciphertext"].data()
    if len(nonce) != _NONCE_SIZE:
        cipher["nonce"].fail(f"expected {_NONCE_SIZE} bytes")
    cost = _cost(kdf["params"])
    memory = 2 * 128 * _SCRYPT_R * cost
    key = scrypt(password(), salt=salt, n=cost, r=_SCRYPT_R, p=1, maxmem=memory, dklen=_KEY_SIZE)
    opened = open_secretbox(sealed, nonce, key)
    if opened is None:
        raise KeyInvalid("cannot be decrypted: the password is wrong, or the file is damaged", source)
    return opened


def _cost(params: Node) -> int:
    fields = params.fields(("N", "r", "p"))
    found = fields["N"].value
    if (
        type(found) is not int
        or found not in _SCRYPT_COSTS
        or fields["r"].value != 8
        or fields["p"].value != 1
    ):
        params.fail("not the parameters that cosign uses")
    return found


def _other(content: bytes) -> str:
    if b"PUBLIC KEY-----" in content:
        return "holds a public key; give the private key, such as cosign.key"
    if b"PRIVATE KEY-----" in content:
        return "holds a private key that cosign has not encrypted; 'cosign import-key-pair --key FILE' does"
    return "holds no cosign private key"


def _fail(problem: str) -> NoReturn:
    raise Unexpected("", problem)
