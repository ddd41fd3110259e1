"""An image in a registry that other programs reach, and keys of each kind that cosign has."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from nacl import bindings

from tests.conformance.bridge import bridged
from tests.http_api.memory import MemoryRegistry
from udist_plugin.http_api.app import Application
from udist_plugin.images.push import Source, push_artifact
from udist_plugin.images.signatures.keys import PrivateKey, PublicKey
from udist_plugin.remote.registry import RemoteRegistry
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KINDS = ("ecdsa", "rsa", "ed25519")


Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
MAKERS: dict[str, Callable[[], Private]] = {
    "ecdsa": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ecdsa-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa-1024": lambda: rsa.generate_private_key(65537, 1024),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


class KeyPair(NamedTuple):
    """The files of a key pair."""

    private: Path
    public: Path

    def signer(self) -> PrivateKey:
        """The private key, decrypted once."""
        return read_private_key(self.private)

    def verifier(self) -> PublicKey:
        return PublicKey.read(str(self.public))


@cache
def read_private_key(path: Path) -> PrivateKey:
    return PrivateKey.read(str(path), lambda: b"")


class Image(NamedTuple):
    """``team/app:v1`` in a registry that programs reach at ``address``."""

    registry: RemoteRegistry
    address: str
    digest: str

    @property
    def name(self) -> str:
        return f"{self.address}/team/app"

    @property
    def by_digest(self) -> str:
        return f"{self.name}@{self.digest}"


@pytest.fixture
def image(tmp_path: Path) -> Iterator[Image]:
    transport = WSGITransport(Application(MemoryRegistry()))
    registry = RemoteRegistry(transport)
    (tmp_path / "content").write_text("content")
    source = Source(str(tmp_path / "content"), "content")
    pushed = push_artifact(registry, "team/app", [source], tags=["v1", "v2"])
    with bridged(transport) as address:
        yield Image(registry, address, pushed.descriptor.digest)


def make_key(folder: Path, kind: str = "ecdsa", password: bytes = b"") -> KeyPair:
    """A new key pair, with the private key as cosign keeps it."""
    key = MAKERS[kind]()
    folder.mkdir(parents=True, exist_ok=True)
    pair = KeyPair(folder / "cosign.key", folder / "cosign.pub")
    pair.private.write_bytes(
        seal(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()), password)
    )
    pair.public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return pair


def seal(content: bytes, password: bytes, cost: int = 1 << 15) -> bytes:
    """``content``, encrypted as cosign does it."""
    salt, nonce = os.urandom(32), os.urandom(24)
    key = hashlib.scrypt(password, salt=salt, n=cost, r=8, p=1, maxmem=1 << 28, dklen=32)
    sealed = bindings.crypto_secretbox(content, nonce, key)
    document = {
        "kdf": {"name": "scrypt", "params": {"N": cost, "r": 8, "p": 1}, "salt": base64_of(salt)},
        "cipher": {"name": "nacl/secretbox", "nonce": base64_of(nonce)},
        "ciphertext": base64_of(sealed),
    }
    return armored(json.dumps(document).encode())


def armored(content: bytes, kind: str = "ENCRYPTED SIGSTORE PRIVATE KEY") -> bytes:
    return f"-----BEGIN {kind}-----\n{base64_of(content)}\n-----END {kind}-----\n".encode()


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="session", params=KINDS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key(tmp_path_factory.mktemp("key"), request.param)


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> KeyPair:
    return make_key(tmp_path_factory.mktemp("other"))
