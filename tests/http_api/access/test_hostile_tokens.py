"""Tokens that somebody made up: each is 401, at little cost, and nothing of it is logged."""

from __future__ import annotations

import base64
import hmac
import json
import logging
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.http_api.access import issuer
from tests.http_api.wsgi import Answer, Client
from udist_plugin import create_app
from udist_plugin.http_api.middleware.access import bearer, tokens, vouching

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MALLORY = ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("issuer")
    with create_app({"version": "0.1", "storage": {"inmemory": {}}, "auth": issuer.section(folder)}) as app:
        yield Client(app)


def encoded(part: object) -> str:
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def made_up(head: object, says: object = None, signature: bytes = b"x" * 64) -> str:
    return ".".join((encoded(head), encoded(says or issuer.claims()), encoded(signature)))


def confused(name: str, secret: bytes) -> str:
    """HMAC, with what everyone knows for a secret."""
    signed = ".".join((encoded({"alg": "HS256", "kid": name}), encoded(issuer.claims())))
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), 'sha256'))}"


def embedded(key: Any) -> dict[str, Any]:
    found: dict[str, Any] = jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True)
    return found


PEM = issuer.RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
DEEP = b"[" * 8000 + b"]" * 8000
CHAIN = issuer.chain(issuer.certificate("root", MALLORY))
HOSTILE = {
    "no algorithm": made_up({"alg": "none"}, signature=b""),
    "no algorithm, in capitals": made_up({"alg": "NONE", "kid": "ES256"}, signature=b""),
    "an algorithm that is a list": made_up({"alg": ["ES256"], "kid": "ES256"}),
    "no head": made_up({}),
    "a head that is a list": made_up([]),
    "RS256 as HS256": confused("RS256", PEM),
    "RS256 as HS256, with the JWK": confused("RS256", json.dumps(issuer.public("RS256")).encode()),
    "an empty signature": made_up({"alg": "ES256", "kid": "ES256"}, signature=b""),
    "a signature of zeros": made_up({"alg": "ES256", "kid": "ES256"}, signature=bytes(64)),
    "another key's algorithm": made_up({"alg": "RS256", "kid": "ES256"}, signature=bytes(256)),
    "another curve": made_up({"alg": "ES256", "kid": "ES384"}),
    "an unknown key": issuer.token(key=MALLORY, kid="mallory"),
    "a key that is a list": made_up({"alg": "ES256", "kid": ["ES256"]}),
    "a key that is a path": made_up({"alg": "ES256", "kid": "../../etc/passwd"}),
    "a key elsewhere": issuer.token(
        key=MALLORY, jku="https://mallory.example/", x5u="https://mallory.example/"
    ),
    "an embedded key": issuer.token(key=MALLORY, jwk=embedded(MALLORY)),
    "an embedded key with a name that is known": issuer.token(
        key=MALLORY, jwk=embedded(MALLORY) | {"kid": "ES256"}
    ),
    "an embedded key with a chain of its own": issuer.token(
        key=MALLORY, jwk=embedded(MALLORY) | {"x5c": CHAIN}
    ),
    "a root of the same name": issuer.token(key=MALLORY, x5c=CHAIN),
    "the true chain, another key": issuer.by_chain(key=MALLORY),
    "the true chain behind another": issuer.by_chain(
        key=MALLORY, x5c=CHAIN + issuer.chain(issuer.LEAF, issuer.MIDDLE)
    ),
    "the true issuer behind another of its name": issuer.by_chain(
        x5c=issuer.chain(issuer.LEAF, issuer.certificate("middle", MALLORY, "root", MALLORY), issuer.MIDDLE)
    ),
    "an empty chain": issuer.by_chain(key=MALLORY, x5c=[]),
    "a long chain": issuer.by_chain(x5c=issuer.chain(issuer.LEAF, *[issuer.MIDDLE] * vouching.CHAIN)),
    "a chain that is no list": issuer.by_chain(x5c={"a": 1}),
    "a chain of numbers": issuer.by_chain(x5c=[1, 2]),
    "a chain of nothing": issuer.by_chain(x5c=["", "AAAA"]),
    "a critical extension": issuer.token(kid="ES256", crit=["exp"], exp=1),
    "expired": issuer.by_chain(issuer.claims(exp=1)),
    "not yet": issuer.by_chain(issuer.claims(nbf=1 << 40)),
    "an end beyond numbers": issuer.by_chain(issuer.claims(exp=10**400)),
    "an end that is infinite": issuer.by_chain(issuer.claims(exp=float("inf"))),
    "another issuer": issuer.by_chain(issuer.claims(iss="mallory")),
    "another audience": issuer.by_chain(issuer.claims(aud="mallory")),
    "claims that are a list": issuer.token("ES256", says=None).split(".")[0] + ".W10.AAAA",
    "a huge one": issuer.by_chain(issuer.claims(padding="x" * tokens.LONGEST)),
    "a deep head": ".".join((encoded(DEEP), encoded({}), "AAAA")),
    "a deep extension of the head": made_up({"alg": "ES256", "kid": "ES256", "a": "@"}).replace(
        encoded({"alg": "ES256", "kid": "ES256", "a": "@"}),
        encoded(b'{"alg":"ES256","kid":"ES256","a":' + DEEP + b"}"),
    ),
    "deep claims": ".".join((encoded({"alg": "ES256", "kid": "ES256"}), encoded(DEEP), "AAAA")),
    "dots": "." * 1000,
    "beyond ASCII": "\xe9.\xe9.\xe9",
    "NUL": "a\0.b.c",
    "two": f"{issuer.by_chain()} {issuer.by_chain()}",
    "two joined": f"{issuer.by_chain()}, Bearer {issuer.by_chain()}",
    "JSON serialization": json.dumps({"payload": "", "signatures": []}),
}


def ask(client: Client, token: str) -> Answer:
    return client.get("/v2/", authorization=f"Bearer {token}")


def test_the_good_ones_are_let_in(client: Client) -> None:
    assert ask(client, issuer.token()).status == ask(client, issuer.by_chain()).status == 200
    twice = issuer.chain(issuer.LEAF, *[issuer.MIDDLE] * (vouching.CHAIN - 1))
    assert ask(client, issuer.by_chain(x5c=twice)).status == 200


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = ask(client, HOSTILE[case])
    assert (answer.status, answer.code) == (401, "UNAUTHORIZED")
    assert answer.field("www-authenticate").startswith("Bearer realm=")
    assert (answer.log, caplog.text, *capfd.readouterr()) == ("", "", "", "")


def test_no_token_is_verified_twice_and_none_counts_for_ever(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []
    real = tokens.Verifier.claims

    def counting(self: tokens.Verifier, token: str) -> tokens.Claims:
        verified.append(token)
        return real(self, token)

    monkeypatch.setattr(tokens.Verifier, "claims", counting)
    good = issuer.token(says=issuer.claims(jti="twice"))
    assert [ask(client, good).status for _ in range(3)] == [200] * 3
    assert verified == [good]
    bad = issuer.token(says=issuer.claims(jti="twice", iss="mallory"))
    assert [ask(client, bad).status for _ in range(3)] == [401] * 3
    assert len(verified) == 4
    later = time.time() + 300 + tokens.LEEWAY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert ask(client, good).status == 401


def test_only_so_many_tokens_are_kept(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bearer, "KEPT", 3)
    found = bearer.open_bearer(
        bearer.Realm("a", issuer.SERVICE), issuer.ISSUER, ["ES256"], "", issuer.write_files(tmp_path)["jwks"]
    )
    for number in range(10):
        says = issuer.claims(jti=str(number))
        assert found.authorize({"HTTP_AUTHORIZATION": f"Bearer {issuer.token(says=says)}"}, []) == "alice"
    assert len(found._verified) == 3


def test_the_algorithms_that_are_allowed(tmp_path: Path) -> None:
    auth = issuer.section(tmp_path, signingalgorithms=["ES384", "HS256"])
    with create_app({"version": "0.1", "storage": {"inmemory": {}}, "auth": auth}) as app:
        client = Client(app)
        assert ask(client, issuer.token("ES384")).status == 200
        assert ask(client, issuer.token("ES256")).status == 401
        assert ask(client, confused("ES384", PEM)).status == 401


def test_the_registry_s_own_address_as_the_realm(tmp_path: Path) -> None:
    auth = issuer.section(tmp_path, autoredirect=True)
    with create_app({"version": "0.1", "storage": {"inmemory": {}}, "auth": auth}) as app:
        client = Client(app)
        for fields, realm in (
            ({"host": "a.example:5000"}, "https://a.example:5000/auth/token"),
            ({"host": "a.example", "x_forwarded_proto": "http"}, "http://a.example/auth/token"),
            ({"host": 'a",x="\xe9'}, "https://a%22%2Cx%3D%22%C3%A9/auth/token"),
        ):
            found = client.get("/v2/", **fields).field("www-authenticate")
            assert found == f'Bearer realm="{realm}",service="{issuer.SERVICE}"'
