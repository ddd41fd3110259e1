"""The same requests to distribution 3, to Debian's distribution 2 and to udist, with the same access control:
status and challenge agree."""

from __future__ import annotations

import base64
import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import bcrypt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from tests.http_api.access import issuer
from tests.http_api.wsgi import Client
from tests.storage.stock import Stock, running
from udist_plugin import create_app
from udist_plugin.oci.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSIONS = {"registry": 3, "docker-registry": 2}
BLOB = Digest.of(b"blob")
HEADERS = {"X-Content-Type-Options": ["nosniff"]}

REQUESTS = [
    ("GET", "/v2/"),
    ("HEAD", "/v2/"),
    ("OPTIONS", "/v2/"),
    ("GET", "/v2/_catalog"),
    ("GET", "/v2/team/app/tags/list"),
    ("HEAD", "/v2/team/app/manifests/v1"),
    ("GET", f"/v2/team/app/blobs/{BLOB}"),
    ("OPTIONS", "/v2/team/app/tags/list"),
    ("PUT", "/v2/team/app/manifests/v1"),
    ("DELETE", f"/v2/team/app/manifests/{BLOB}"),
    ("DELETE", f"/v2/team/app/blobs/{BLOB}"),
    ("POST", "/v2/team/app/blobs/uploads/"),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&from=other/app"),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&from=team/app"),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&%66rom=other/app"),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&from="),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&from=a%0D%0Ab"),
    ("POST", f"/v2/team/app/blobs/uploads/?mount={BLOB}&from=a%22%5Cb"),
    ("GET", "/v2/team/app/tags/list?from=other/app"),
    ("GET", "/nowhere"),
]


class Seen(NamedTuple):
    """What a client sees of access control. A scope is a set, as distribution's order is chance."""

    status: int
    challenge: str
    scopes: frozenset[tuple[str, frozenset[str]]]
    needed: frozenset[tuple[tuple[str, str], ...]]
    nosniff: bool


def seen(status: int, challenge: str, content: bytes, nosniff: str) -> Seen:
    found = re.search(r',scope="((?:[^"\\]|\\.)*)"', challenge)
    scopes = (
        {(s.rpartition(":")[0], frozenset(s.rpartition(":")[2].split(","))) for s in found[1].split()}
        if found
        else ()
    )
    needed: Any = []
    if status == 401 and content:
        (error,) = json.loads(content)["errors"]
        assert (error["code"], error["message"]) == ("UNAUTHORIZED", "authentication required")
        needed = error.get("detail") or []
    rest = challenge.replace(found[0], "") if found else challenge
    return Seen(
        status,
        rest,
        frozenset(scopes),
        frozenset(tuple(sorted(each.items())) for each in needed),
        bool(nosniff),
    )


class Pair:
    """A version of distribution, and udist."""

    def __init__(self, version: int, stock: Stock, udist: Client) -> None:
        self.version = version
        self.stock = stock
        self.udist = udist

    def ask(self, method: str, target: str, authorization: str | None) -> tuple[Seen, Seen]:
        fields = {} if authorization is None else {"Authorization": authorization}
        fields["Host"] = "registry.example:5000"
        theirs = self.stock.request(method, target, headers=fields)
        ours = self.udist.request(method, target, fields)
        return (
            seen(
                theirs.status,
                theirs.headers.get("www-authenticate", ""),
                theirs.content,
                theirs.headers.get("x-content-type-options", ""),
            ),
            seen(
                ours.status,
                ours.field("www-authenticate"),
                ours.content,
                ours.field("x-content-type-options"),
            ),
        )

    def agree(self, method: str, target: str, authorization: str | None) -> Seen:
        theirs, ours = self.ask(method, target, authorization)
        if theirs.status == 401 or ours.status == 401:
            assert ours == theirs
        return ours


def pair(folder: Path, program: str, auth: dict[str, Any]) -> Iterator[Pair]:
    document = {
        "version": "0.1",
        "storage": {"inmemory": {}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0", "secret": "a test", "headers": HEADERS},
        "auth": auth,
    }
    config = folder / "config.yml"
    config.write_text(json.dumps(document))
    with running(program, config) as stock, create_app(config) as app:
        yield Pair(VERSIONS[program], stock, Client(app))


@pytest.fixture(scope="module", params=VERSIONS)
def tokens(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("tokens")
    yield from pair(folder, request.param, issuer.section(folder))


@pytest.fixture(scope="module", params=VERSIONS)
def passwords(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("passwords")
    hashes = {
        "alice": bcrypt.hashpw(b"secret", bcrypt.gensalt(4)),
        "b:ob": b"",
        "jos\xe9": bcrypt.hashpw("pässword".encode(), bcrypt.gensalt(4, b"2a")),
        "long": bcrypt.hashpw(b"x" * 72, bcrypt.gensalt(4)),
    }
    users = folder / "htpasswd"
    lines = [f"{user}:".encode() + hashed for user, hashed in hashes.items() if hashed]
    users.write_bytes(b"# users\n\n" + b"\n".join(lines))
    yield from pair(folder, request.param, {"htpasswd": {"realm": 'a "b" \\ c', "path": str(users)}})


@pytest.fixture(scope="module", params=VERSIONS)
def silly(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    auth = {"silly": {"realm": "a realm", "service": "a service"}}
    yield from pair(tmp_path_factory.mktemp("silly"), request.param, auth)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(("method", "target"), REQUESTS)
def test_without_credentials(tokens: Pair, passwords: Pair, silly: Pair, method: str, target: str) -> None:
    for each in (tokens, passwords, silly):
        found = each.agree(method, target, None)
        assert found.status == (404 if target == "/nowhere" else 401)


PASSWORDS = {
    "right": (basic("alice", "secret"), True),
    "scheme in capitals": (basic("alice", "secret").replace("Basic", "BASIC"), True),
    "scheme alone": ("Basic", False),
    "wrong password": (basic("alice", "other"), False),
    "wrong user": (basic("mallory", "secret"), False),
    "beyond ASCII": (basic("josé", "pässword"), True),
    "nobody": (basic("", ""), False),
    "no colon": ("Basic " + base64.b64encode(b"alice").decode(), False),
    "no base64": ("Basic !!!", False),
    "no padding": (basic("long", "x" * 72).rstrip("="), False),
    "bearer": ("Bearer secret", False),
    "72 bytes": (basic("long", "x" * 72), True),
    "73 bytes": (basic("long", "x" * 73), True),
    "71 bytes": (basic("long", "x" * 71), False),
    "two spaces": (basic("alice", "secret").replace(" ", "  "), False),
}


@pytest.mark.parametrize("case", PASSWORDS)
def test_passwords(passwords: Pair, case: str) -> None:
    field, right = PASSWORDS[case]
    for method, target in (("GET", "/v2/"), ("GET", "/v2/_catalog"), ("POST", "/v2/a/blobs/uploads/")):
        found = passwords.agree(method, target, field)
        assert (found.status == 401) != right


def test_silly(silly: Pair) -> None:
    for field in ("x", "Basic x", "Bearer x"):
        assert silly.agree("GET", "/v2/", field).status == 200
    assert silly.agree("GET", "/v2/", "").status == 401


def bearer(says: dict[str, Any]) -> str:
    return f"Bearer {issuer.by_chain(says)}"


CATALOG = {"type": "registry", "name": "catalog", "actions": ["*"]}
GRANTS: dict[str, list[dict[str, Any]]] = {
    "nothing": [],
    "pull": issuer.pulls("team/app"),
    "push": issuer.pulls("team/app", "push"),
    "pull and push": issuer.pulls("team/app", "pull", "push"),
    "in two entries": [*issuer.pulls("team/app"), *issuer.pulls("team/app", "push")],
    "delete": issuer.pulls("team/app", "delete"),
    "everything there": issuer.pulls("team/app", "*"),
    "the source too": [*issuer.pulls("team/app", "pull", "push"), *issuer.pulls("other/app")],
    "another repository": issuer.pulls("other/app", "*"),
    "the catalog": [CATALOG],
    "the catalog to pull": [CATALOG | {"actions": ["pull"]}],
}


@pytest.mark.parametrize(("method", "target"), REQUESTS)
@pytest.mark.parametrize("grant", GRANTS)
def test_what_a_token_grants(tokens: Pair, grant: str, method: str, target: str) -> None:
    theirs, ours = tokens.ask(method, target, bearer(issuer.claims(GRANTS[grant])))
    assert (theirs.status == 401) == (ours.status == 401)
    if ours.status == 401:
        assert ours == theirs
        assert 'error="insufficient_scope"' in ours.challenge


UNREADABLE = ("an end that is no number", "access of another shape", "an entry of another shape")
CLAIMS: dict[str, tuple[dict[str, Any], bool]] = {  # numbers are seconds from now
    "good": ({}, True),
    "no subject": ({"sub": None}, True),
    "another issuer": ({"iss": "mallory.example"}, False),
    "no issuer": ({"iss": None}, False),
    "another audience": ({"aud": "other.example"}, False),
    "no audience": ({"aud": None}, False),
    "expired": ({"exp": -600}, False),
    "expired within the leeway": ({"exp": -10}, True),
    "no end": ({"exp": None}, False),
    "in the future": ({"nbf": 3600}, False),
    "in the future within the leeway": ({"nbf": 30}, True),
    "no beginning": ({"nbf": None}, True),
    "issued in the future": ({"iat": 3600}, True),
    UNREADABLE[0]: ({"exp": "soon"}, False),
    "no access": ({"access": None}, True),
    UNREADABLE[1]: ({"access": 5}, False),
    UNREADABLE[2]: ({"access": [5]}, False),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_claims(tokens: Pair, case: str) -> None:
    """distribution 3 says nothing of a token that it cannot read, 2 that it is invalid."""
    changes, good = CLAIMS[case]
    now = int(time.time())
    claims: dict[str, Any] = {
        name: now + value if name in ("exp", "nbf", "iat") and isinstance(value, int) else value
        for name, value in changes.items()
    }
    theirs, ours = tokens.ask("GET", "/v2/", bearer(issuer.claims(**claims)))
    assert (ours.status == 200) == good
    if case in UNREADABLE and tokens.version == 2:
        theirs = theirs._replace(challenge=theirs.challenge.removesuffix(',error="invalid_token"'))
    assert ours == theirs


@pytest.mark.parametrize("audience", [["other", issuer.SERVICE], [issuer.SERVICE], ["other"], []])
def test_an_audience_that_is_a_list(tokens: Pair, audience: list[str]) -> None:
    """distribution 2 knows none."""
    theirs, ours = tokens.ask("GET", "/v2/", bearer(issuer.claims(aud=audience)))
    assert ours.status == (200 if issuer.SERVICE in audience else 401)
    assert theirs.status == (ours.status if tokens.version == 3 else 401)


def signed() -> dict[str, str]:
    """Tokens by what vouches for them."""
    other = issuer.KEYS["ES256"]
    return {
        "a chain": issuer.by_chain(),
        "a chain of one": issuer.by_chain(
            key=issuer.LEAF_KEY,
            x5c=issuer.chain(issuer.certificate("l", issuer.LEAF_KEY, "root", issuer.ROOT_KEY)),
        ),
        "the root itself": issuer.by_chain(key=issuer.ROOT_KEY, x5c=issuer.chain(issuer.ROOT)),
        "a chain, its order": issuer.by_chain(x5c=issuer.chain(issuer.MIDDLE, issuer.LEAF)),
        "a chain without its middle": issuer.by_chain(x5c=issuer.chain(issuer.LEAF)),
        "a chain, another's key": issuer.by_chain(key=other),
        "a chain with another root": issuer.by_chain(
            key=other, x5c=issuer.chain(issuer.certificate("root", other))
        ),
        "a chain that has run out": issuer.by_chain(
            x5c=issuer.chain(
                issuer.certificate("l", issuer.LEAF_KEY, "root", issuer.ROOT_KEY, ca=False, days=5)
            )
        ),
        "a leaf that signs": issuer.by_chain(
            key=other,
            x5c=issuer.chain(
                issuer.certificate("x", other, "leaf", issuer.LEAF_KEY), issuer.LEAF, issuer.MIDDLE
            ),
        ),
        "a thumbprint": issuer.token(key=issuer.ROOT_KEY, kid=issuer.thumbprint(issuer.ROOT_KEY)),
        "a name nobody has": issuer.token(key=issuer.ROOT_KEY, kid="nobody"),
        "no name": issuer.token(key=issuer.ROOT_KEY, typ="JWT"),
        "an embedded chain": issuer.token(
            key=issuer.LEAF_KEY,
            jwk=embedded(issuer.LEAF_KEY) | {"x5c": issuer.chain(issuer.LEAF, issuer.MIDDLE)},
        ),
        "an embedded key of its own": issuer.token(key=other, jwk=embedded(other)),
        "an embedded key with a root's name": issuer.token(
            key=other, jwk=embedded(other) | {"kid": issuer.thumbprint(issuer.ROOT_KEY)}
        ),
    }


def embedded(key: Any) -> dict[str, Any]:
    import jwt

    found: dict[str, Any] = jwt.get_algorithm_by_name("ES256").to_jwk(key.public_key(), as_dict=True)
    return found


TAKEN = {"a chain", "a chain of one", "the root itself", "a thumbprint", "an embedded chain"}


@pytest.mark.parametrize("case", list(signed()))
def test_what_vouches_for_a_token(tokens: Pair, case: str) -> None:
    theirs, ours = tokens.ask("GET", "/v2/", f"Bearer {signed()[case]}")
    assert (ours.status == 200) == (case in TAKEN)
    if tokens.version == 3:
        assert ours == theirs


def test_the_name_of_a_root_s_key_in_distribution_2(tokens: Pair) -> None:
    token = issuer.token(key=issuer.ROOT_KEY, kid=issuer.fingerprint(issuer.ROOT_KEY))
    theirs, ours = tokens.ask("GET", "/v2/", f"Bearer {token}")
    assert (theirs.status, ours.status) == (200 if tokens.version == 2 else 401, 200)


@pytest.mark.parametrize("kind", ["Ed25519", "RSA of 1024 bits"])
def test_keys_that_may_not_sign_certificates(tmp_path: Path, kind: str) -> None:
    """The library that looks at the chain takes what the web's certificates may have."""
    key = ed25519.Ed25519PrivateKey.generate() if kind == "Ed25519" else rsa.generate_private_key(65537, 1024)
    root = issuer.certificate("root", key)
    leaf = issuer.certificate("leaf", issuer.LEAF_KEY, "root", key, ca=False)
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(root.public_bytes(Encoding.PEM))
    auth = issuer.section(tmp_path, rootcertbundle=str(bundle))
    for each in pair(tmp_path, "registry", auth):
        theirs, ours = each.ask("GET", "/v2/", f"Bearer {issuer.by_chain(x5c=issuer.chain(leaf))}")
        assert (theirs.status, ours.status) == (200, 401)


@pytest.mark.parametrize("algorithm", issuer.KEYS)
def test_every_algorithm(tokens: Pair, algorithm: str) -> None:
    """distribution 2 knows no JWK sets."""
    theirs, ours = tokens.ask("GET", "/v2/", f"Bearer {issuer.token(algorithm)}")
    assert (theirs.status, ours.status) == (200 if tokens.version == 3 else 401, 200)
