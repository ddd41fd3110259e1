"""Basic and tokens, against a registry and a token server that say what they were asked."""

from __future__ import annotations

import io
import json
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.remote.serving import Answer, Asked, Served, serving
from udist_plugin.errors import TransportError, Unauthorized
from udist_plugin.remote.authentication.challenges import Challenge, parse_challenges
from udist_plugin.remote.authentication.scopes import parse_scopes, scopes_of, written
from udist_plugin.remote.authentication.transport import AuthenticatedTransport
from udist_plugin.remote.credentials.credential import Credential
from udist_plugin.remote.network.network import Network
from udist_plugin.remote.network.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from udist_plugin.remote.transport import Response

ME = Credential("me", "secret", source="a test")
BASIC = "Basic bWU6c2VjcmV0"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (['Basic realm="r"'], [("basic", {"realm": "r"})]),
        (
            ['Bearer realm="https://a/t",service="s",scope="repository:a:pull,push"'],
            [("bearer", {"realm": "https://a/t", "service": "s", "scope": "repository:a:pull,push"})],
        ),
        (['bearer realm="a" ,  service=s'], [("bearer", {"realm": "a", "service": "s"})]),
        (["Negotiate", 'Bearer realm="a"'], [("negotiate", {}), ("bearer", {"realm": "a"})]),
        (
            ['Basic realm="r", Bearer realm="a", service="s"'],
            [("basic", {"realm": "r"}), ("bearer", {"realm": "a", "service": "s"})],
        ),
        (['Negotiate, Basic realm="a \\"b\\""'], [("negotiate", {}), ("basic", {"realm": 'a "b"'})]),
        (["", ",,", '"'], []),
        (['Basic realm="never ends'], [("basic", {})]),
    ],
)
def test_challenges(values: list[str], expected: list[tuple[str, dict[str, str]]]) -> None:
    assert parse_challenges(values) == [Challenge(*each) for each in expected]


@pytest.mark.parametrize(
    ("method", "target", "expected"),
    [
        ("GET", "/v2/", []),
        ("GET", "/v2/team/app/manifests/v1", ["repository:team/app:pull"]),
        ("HEAD", "/v2/blobs/blobs/sha256:0", ["repository:blobs:pull"]),
        ("GET", "/v2/a/tags/list?n=1", ["repository:a:pull"]),
        ("PUT", "/v2/a/manifests/v1", ["repository:a:pull", "repository:a:push"]),
        ("DELETE", "/v2/a/manifests/v1", ["repository:a:delete"]),
        (
            "POST",
            "/v2/a/blobs/uploads/?mount=sha256:0&from=b%2Fc",
            ["repository:a:pull", "repository:a:push", "repository:b/c:pull"],
        ),
        ("GET", "/v2/_catalog?n=1", ["registry:catalog:*"]),
    ],
)
def test_what_a_request_needs(method: str, target: str, expected: list[str]) -> None:
    assert scopes_of(method, target) == set(expected)


def test_scopes_are_sets() -> None:
    one = parse_scopes("repository:a:push,pull repository:h:5000/b:pull")
    assert one == parse_scopes("repository:h:5000/b:pull repository:a:pull,push")
    assert written(one) == ["repository:a:pull,push", "repository:h:5000/b:pull"]


class Place:
    """A registry and its token server. ``valid`` are the tokens that the registry takes; every token that is
    given becomes one."""

    def __init__(self) -> None:
        self.valid: set[str] = set()
        self.given: list[Asked] = []
        self.extra: dict[str, object] = {}
        self.scope = "repository:demo:pull"
        self.post_status = 200
        self.challenges: list[str] | None = None
        self.takes_basic = False
        self.credential: Credential | None = ME
        self.now = 0.0

    def registry(self, asked: Asked) -> Answer:
        authorization = asked.headers.get("authorization", "")
        if authorization.removeprefix("Bearer ") in self.valid or (
            self.takes_basic and authorization == BASIC
        ):
            return Answer(body=b"content")
        wanted = self.challenges or [
            f'Bearer realm="{self.realm}/token?x=1",service="s",scope="{self.scope}"'
        ]
        return Answer(401, [("www-authenticate", value) for value in wanted])

    def tokens(self, asked: Asked) -> Answer:
        self.given.append(asked)
        if asked.method == "POST" and self.post_status != 200:
            return Answer(self.post_status)
        token = f"token{len(self.given)}"
        self.valid.add(token)
        return Answer(body=json.dumps({"token": token, **self.extra}).encode())

    def request(
        self, method: str = "GET", target: str = "/v2/demo/manifests/v1", body: Any = None
    ) -> Response:
        return self.transport.request(method, target, body=body)

    def status(self, method: str = "GET", target: str = "/v2/demo/manifests/v1", body: Any = None) -> int:
        with self.request(method, target, body) as response:
            response.read()
            return response.status

    def connect(self, network: Network, registry: Served, tokens: Served) -> None:
        self.realm = f"http://127.0.0.1:{tokens.port}"
        origin = Origin("http", "127.0.0.1", registry.port)
        self.asked = registry.asked
        self.transport = AuthenticatedTransport(
            network.transport(origin), origin, lambda: self.credential, network.transport, lambda: self.now
        )

    def scopes_asked_for(self) -> list[list[str]]:
        return [
            parse_qs(urlsplit(asked.target).query or asked.body.decode()).get("scope", [])
            for asked in self.given
        ]


@pytest.fixture
def place() -> Iterator[Place]:
    place, network = Place(), Network({})
    with serving(place.registry) as registry, serving(place.tokens) as tokens:
        place.connect(network, registry, tokens)
        yield place
        network.close()


def test_nothing_is_sent_unasked(place: Place) -> None:
    place.valid.add("")
    assert place.status() == 200
    assert "authorization" not in place.asked[0].headers
    assert place.given == []


def test_a_token_is_asked_for_with_the_login_and_used_again(place: Place) -> None:
    assert [place.status() for _ in range(3)] == [200] * 3
    assert [asked.headers.get("authorization") for asked in place.asked] == [None, *["Bearer token1"] * 3]
    (asked,) = place.given
    query = parse_qs(urlsplit(asked.target).query)
    assert query == {"x": ["1"], "service": ["s"], "scope": ["repository:demo:pull"], "account": ["me"]}
    assert asked.headers["authorization"] == BASIC


def test_anonymous(place: Place) -> None:
    place.credential = None
    assert place.status() == 200
    assert "authorization" not in place.given[0].headers


def test_access_token_is_its_other_name(place: Place) -> None:
    place.extra = {"token": "", "access_token": "other"}
    place.valid.add("other")
    assert place.status() == 200


def test_a_push_asks_for_more_and_what_it_gets_serves_reads(place: Place) -> None:
    place.status()
    place.status("PUT", body=b"x")
    place.status("POST", "/v2/demo/blobs/uploads/?mount=sha256:0&from=other")
    place.status("HEAD", "/v2/other/blobs/sha256:0")
    assert place.scopes_asked_for() == [
        ["repository:demo:pull"],
        ["repository:demo:pull,push"],
        ["repository:demo:pull,push", "repository:other:pull"],
    ]


def test_a_token_is_used_for_most_of_its_time_by_our_own_clock(place: Place) -> None:
    place.extra = {"expires_in": 300, "issued_at": "2001-01-01T00:00:00Z"}
    for place.now in (0, 239, 241, 480):
        place.status()
    assert len(place.given) == 2
    place.extra = {}  # then it is 60 seconds
    for place.now in (1000, 1047, 1049):
        place.status()
    assert len(place.given) == 4


def test_a_token_that_is_refused_in_the_middle(place: Place) -> None:
    place.status()
    place.valid.clear()
    assert place.status("PUT", body=io.BytesIO(b"body")) == 200
    assert (place.asked[-1].body, len(place.given)) == (b"body", 2)
    place.valid.clear()

    class Once:
        read = io.BytesIO(b"body").read

    with pytest.raises(TransportError, match="wants a new token; the content has to be sent again") as caught:
        place.request("PUT", body=Once())
    assert caught.value.retryable
    assert place.status("PUT", body=b"body") == 200


def test_a_token_that_never_helps(place: Place) -> None:
    place.extra = {"token": "worthless"}
    assert place.status() == 401
    assert len(place.asked) < 4


def test_a_scope_that_the_registry_adds(place: Place) -> None:
    """One that keeps repositories under a prefix, and one that wants several in one parameter."""
    place.scope = "repository:prefix/demo:pull repository:more:pull"
    assert place.status() == 200
    assert place.scopes_asked_for() == [
        ["repository:demo:pull", "repository:more:pull", "repository:prefix/demo:pull"]
    ]


def test_an_identity_token(place: Place) -> None:
    place.credential = Credential(identity_token="identity", source="a test")
    assert place.status() == 200
    (asked,) = place.given
    assert asked.method == "POST"
    assert parse_qs(asked.body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["identity"],
        "service": ["s"],
        "client_id": ["udist"],
        "scope": ["repository:demo:pull"],
    }
    assert "authorization" not in asked.headers


def test_a_token_server_that_knows_get_alone(place: Place) -> None:
    place.credential = ME._replace(identity_token="identity")
    place.post_status = 404
    assert place.status() == 200
    assert [asked.method for asked in place.given] == ["POST", "GET"]
    assert place.given[1].headers["authorization"] == BASIC


def test_a_registry_token(place: Place) -> None:
    place.credential = ME._replace(registry_token="mine")
    place.valid.add("mine")
    assert place.status() == 200
    assert place.given == []
    place.valid.clear()
    assert place.status() == 200  # with the login beside it
    assert len(place.given) == 1


def test_basic(place: Place) -> None:
    place.challenges, place.takes_basic = ['Basic realm="r"'], True
    assert [place.status(), place.status()] == [200, 200]
    assert [asked.headers.get("authorization") for asked in place.asked] == [None, BASIC, BASIC]
    place.takes_basic = False
    assert place.status() == 401


@pytest.mark.parametrize("challenges", [[], ["Negotiate"], ['Basic realm="r"'], ["Bearer realm="]])
def test_no_login_or_nothing_known(place: Place, challenges: list[str]) -> None:
    place.challenges, place.credential = [*challenges, "x"], None
    assert place.status() == 401
    assert len(place.asked) == 1


def test_several_schemes_in_several_lines(place: Place) -> None:
    place.challenges = ["Negotiate", f'Bearer realm="{place.realm}/token"', 'Basic realm="r"']
    assert place.status() == 200
    assert place.asked[-1].headers["authorization"] == "Bearer token1"


def test_the_token_server_refuses(place: Place) -> None:
    place.extra = {"token": 7}
    with pytest.raises(TransportError, match="its answer holds no token"):
        place.request()
    place.credential, place.post_status = Credential(identity_token="x", source="~/.docker/config.json"), 401
    place.transport._looked = place.transport._server = None  # type: ignore[assignment]
    with pytest.raises(Unauthorized, match=r"gave no token, with the login from ~/\.docker/config\.json"):
        place.request()


def test_a_password_goes_to_no_other_machine_in_the_clear(place: Place) -> None:
    place.challenges = ['Bearer realm="http://192.0.2.1/token"']
    with pytest.raises(Unauthorized, match=r"to be sent to http://192\.0\.2\.1, which is not encrypted"):
        place.request()
    assert place.given == []


def test_threads_share_a_token(place: Place) -> None:
    threads = [threading.Thread(target=place.status) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(place.asked) <= 16
    assert len(place.given) == 1
