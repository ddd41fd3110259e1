"""Key files: what they hold is used, and what they are not is said."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.images.signatures.conftest import KeyPair, armored, make_key, seal
from udist_plugin.errors import KeyInvalid
from udist_plugin.images.signatures.keys import PrivateKey, PublicKey

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_key_signs_it_verifies_and_no_other_does(pair: KeyPair, other: KeyPair) -> None:
    signature = pair.signer().sign(b"message")
    assert pair.verifier().verifies(signature, b"message")
    assert not pair.verifier().verifies(signature, b"another message")
    assert not pair.verifier().verifies(signature[:-1], b"message")
    assert not pair.verifier().verifies(b"", b"message")
    assert not other.verifier().verifies(signature, b"message")


@pytest.mark.parametrize("cost", [1 << 15, 1 << 16, 1 << 17])
def test_a_private_key_needs_its_password(cost: int) -> None:
    made = ec.generate_private_key(ec.SECP256R1())
    content = made.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    sealed = seal(content, b"secret", cost)
    assert PrivateKey.parse(sealed, lambda: b"secret").sign(b"x")
    with pytest.raises(KeyInvalid, match=r"^a\.key: cannot be decrypted: the password is wrong"):
        PrivateKey.parse(sealed, lambda: b"", "a.key")


def no_password() -> bytes:
    raise AssertionError("there is nothing to decrypt")


def scrypt(cost: int, parallel: int = 1) -> dict[str, object]:
    return {"name": "scrypt", "params": {"N": cost, "r": 8, "p": parallel}, "salt": ""}


def changed(**fields: object) -> bytes:
    document = {
        "kdf": scrypt(1 << 15),
        "cipher": {"name": "nacl/secretbox", "nonce": "A" * 32},
        "ciphertext": "AAAA",
    }
    return armored(json.dumps(document | fields).encode())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no cosign private key"),
        (b"\xff\x00" * 40, "holds no cosign private key"),
        (armored(b"x", "PRIVATE KEY"), "cosign has not encrypted"),
        (armored(b"x", "PUBLIC KEY"), "holds a public key; give the private key"),
        (armored(b"not json"), "damaged private key: not JSON"),
        (armored(b"{}"), "damaged private key: the key 'kdf' is missing"),
        (armored(b"x").replace(b"eA==", b"!"), "damaged private key: expected base64"),
        (changed(kdf=scrypt(1 << 40)), "kdf.params: not the parameters that cosign uses"),
        (changed(kdf=scrypt(1 << 15, parallel=99)), "kdf.params: not the parameters that cosign uses"),
        (changed(kdf={"name": "pbkdf2", "params": {}, "salt": ""}), "'pbkdf2' is unknown"),
        (changed(cipher={"name": "nacl/secretbox", "nonce": "AAAA"}), "cipher.nonce: expected 24 bytes"),
        (changed(cipher={"name": "aes", "nonce": "A" * 32}), "'aes' is unknown"),
    ],
)
def test_a_file_that_holds_no_private_key(content: bytes, message: str) -> None:
    with pytest.raises(KeyInvalid, match=r"^a\.key: ") as caught:
        PrivateKey.parse(content, no_password, "a.key")
    assert message in str(caught.value)


def test_a_file_that_holds_no_public_key(pair: KeyPair, tmp_path: Path) -> None:
    for content in (b"", b"text", armored(b"x", "PUBLIC KEY"), armored(b"x", "CERTIFICATE")):
        with pytest.raises(KeyInvalid, match="holds no public key in PEM"):
            PublicKey.parse(content)
    with pytest.raises(KeyInvalid, match="holds a private key; give the public key"):
        PublicKey.read(str(pair.private))
    with pytest.raises(KeyInvalid, match="none: cannot be read: No such file"):
        PublicKey.read(str(tmp_path / "none"))
    (tmp_path / "huge").write_bytes(pair.public.read_bytes() + b" " * (1 << 20))
    with pytest.raises(KeyInvalid, match="larger than 1 MiB"):
        PublicKey.read(str(tmp_path / "huge"))


def test_a_key_that_begins_again_and_again_is_refused_at_once() -> None:
    begun = time.process_time()
    with pytest.raises(KeyInvalid, match="holds no public key in PEM"):
        PublicKey.parse(b"-----BEGIN ENCRYPTED COSIGN PRIVATE KEY-----\n" * 5000)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_a_path_that_no_file_can_have(path: str) -> None:
    with pytest.raises(KeyInvalid, match="no file can have this name"):
        PublicKey.read(path)


@pytest.mark.parametrize("kind", ["ecdsa-384", "rsa-1024"])
def test_a_key_of_another_kind_is_refused(kind: str, tmp_path: Path) -> None:
    pair = make_key(tmp_path, kind)
    with pytest.raises(KeyInvalid, match="unsupported kind; supported are ECDSA P-256, RSA of 2048"):
        pair.verifier()
    with pytest.raises(KeyInvalid, match="unsupported kind"):
        pair.signer()
