"""Who issues tokens in tests: keys of every kind, certificates, and the files that hold them."""

from __future__ import annotations

import base64
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from udist_plugin.http_api.middleware.access import vouching

if TYPE_CHECKING:
    from pathlib import Path

REALM, SERVICE, ISSUER = "https://tokens.example/token", "registry.example", "tokens.example"

Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Access = list[dict[str, Any]]

RSA = rsa.generate_private_key(65537, 2048)
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
KEYS: dict[str, Any] = {
    **{name: ec.generate_private_key(curve) for name, curve in CURVES.items()},
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), RSA),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}
"""A key for each algorithm."""


def certificate(
    name: str,
    key: Private,
    issuer: str = "",
    signer: Private | None = None,
    *,
    ca: bool = True,
    days: int = 1,
) -> x509.Certificate:
    """One for ``key``, of its own making unless a ``signer`` is given; it began ``days`` ago."""
    began = datetime.now(UTC) - timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(signer or key, _hash(signer or key))
    )


def _hash(key: Private) -> hashes.SHA256 | None:
    return None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def chain(*certificates: x509.Certificate) -> list[str]:
    """As ``x5c`` has it."""
    return [base64.b64encode(each.public_bytes(Encoding.DER)).decode() for each in certificates]


ROOT_KEY, MIDDLE_KEY, LEAF_KEY = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
ROOT = certificate("root", ROOT_KEY)
MIDDLE = certificate("middle", MIDDLE_KEY, "root", ROOT_KEY)
LEAF = certificate("leaf", LEAF_KEY, "middle", MIDDLE_KEY, ca=False)


def claims(access: Access | None = None, **changes: Any) -> dict[str, Any]:
    """What a good token says; a change to ``None`` leaves a claim out."""
    now = int(time.time())
    found = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": SERVICE,
        "exp": now + 300,
        "nbf": now - 10,
        "iat": now,
        "jti": "a",
        "access": access or [],
    } | changes
    return {name: value for name, value in found.items() if value is not None}


def pulls(name: str, *actions: str) -> Access:
    """Access to a repository: to pull, or whatever is said."""
    return [{"type": "repository", "name": name, "actions": list(actions or ("pull",))}]


def token(algorithm: str = "ES256", key: Any = None, says: Any = None, **head: Any) -> str:
    """One that is signed by the key of ``algorithm`` in the JWK set, unless ``key`` or ``head`` say else."""
    head = head or {"kid": algorithm}
    return jwt.encode(claims() if says is None else says, key or KEYS[algorithm], algorithm, headers=head)


def by_chain(says: Any = None, key: Any = LEAF_KEY, x5c: Any = None) -> str:
    """One that is signed by a key that the root vouches for."""
    return token("ES256", key, says, x5c=chain(LEAF, MIDDLE) if x5c is None else x5c)


def thumbprint(key: Private) -> str:
    """The name of a root's key as distribution 3 has it."""
    return vouching.thumbprint(key.public_key())


def fingerprint(key: Private) -> str:
    """The same as distribution 2 has it."""
    return vouching.fingerprint(key.public_key())


def write_files(folder: Path) -> dict[str, str]:
    """The bundle with the root, and the JWK set, by the names of their keys."""
    bundle, jwks = folder / "roots.pem", folder / "jwks.json"
    bundle.write_bytes(ROOT.public_bytes(Encoding.PEM))
    jwks.write_text(json.dumps({"keys": [public(each) for each in KEYS]}))
    return {"rootcertbundle": str(bundle), "jwks": str(jwks)}


def public(name: str) -> dict[str, Any]:
    """The public half of a key, as a JWK."""
    algorithm = jwt.get_algorithm_by_name(name)
    found: dict[str, Any] = algorithm.to_jwk(KEYS[name].public_key(), as_dict=True)
    return found | {"kid": name}


def section(folder: Path, **changes: Any) -> dict[str, Any]:
    """``auth`` of a configuration that believes all of the above."""
    settings = {"realm": REALM, "service": SERVICE, "issuer": ISSUER} | write_files(folder) | changes
    return {"token": settings}
