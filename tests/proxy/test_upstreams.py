"""Upstreams that are away, busy, many, or want to know who asks."""

from __future__ import annotations

import base64
import json
import math
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.images import ALL, descriptor, image, index
from tests.http_api.wsgi import Client
from tests.link.waiting import until
from tests.proxy.upstreams import LAYER, NAME, SMALL, Scripted, configuration, is_stored, scripted
from tests.remote.serving import Answer, Asked, serving
from udist_plugin import create_app
from udist_plugin.bootstrap.services import build_service
from udist_plugin.errors import (
    ConfigurationError,
    TooManyRequests,
    Unavailable,
    UpstreamFailed,
    UpstreamTimeout,
)
from udist_plugin.oci.digest import Digest
from udist_plugin.oci.media_types import OCI_INDEX, OCI_MANIFEST
from udist_plugin.oci.reference import referrers_tag
from udist_plugin.proxy.restraint import HELD_MAX, RestrainedTransport
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from wsgiref.types import StartResponse, WSGIEnvironment

IMAGE = image(SMALL)
OTHER = image(LAYER)
NOWHERE = "http://127.0.0.1:1"
"""Nobody listens there."""


def get(client: Client, path: str, name: str = NAME) -> int:
    return client.request("GET", f"/v2/{name}/{path}", {"Accept": ALL}).status


@pytest.fixture
def remote() -> Scripted:
    return Scripted(SMALL, LAYER, v1=IMAGE, other=OTHER)


@pytest.fixture
def url(remote: Scripted) -> Iterator[str]:
    with scripted(remote) as url:
        yield url


def test_what_was_pulled_is_served_while_the_upstream_is_away(remote: Scripted, tmp_path: Path) -> None:
    blob = f"blobs/{Digest.of(SMALL)}"
    with scripted(remote) as url, create_app(configuration(url, tmp_path), {}) as app:
        assert [get(Client(app), path) for path in ("manifests/v1", blob)] == [200, 200]
        until(lambda: is_stored(tmp_path, Digest.of(SMALL)))
    with create_app(configuration(NOWHERE, tmp_path), {}) as app:
        client = Client(app)
        for path in ("manifests/v1", f"manifests/{Digest.of(IMAGE)}", blob):
            assert get(client, path) == 200
        cold = ("manifests/v2", f"manifests/{Digest.of(OTHER)}", f"blobs/{Digest.of(LAYER)}")
        for path in (*cold, "tags/list", f"referrers/{Digest.of(IMAGE)}"):
            assert get(client, path) == 502
        told = client.request("GET", f"/v2/{NAME}/manifests/v2").json()["errors"][0]
        assert told["code"] == "UNAVAILABLE"
        assert told["message"] == "the upstream registry failed"
        assert told["detail"] == f"{NOWHERE}: Connection refused"


def test_an_upstream_that_is_silent_is_told_as_that(
    remote: Scripted, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import threading

    from udist_plugin.remote.network import connections

    monkeypatch.setattr(connections, "SILENCE", 0.05)
    go_on = threading.Event()
    remote.answers["blobs/" + Digest.of(SMALL)] = [Answer(200, [], SMALL, paused=0, go_on=go_on)]
    remote.answers["manifests/v1"] = [Answer(504)]
    with create_app(configuration(url, tmp_path), {}) as app:
        assert get(Client(app), f"blobs/{Digest.of(SMALL)}") == 504
        go_on.set()
        assert get(Client(app), "manifests/v1") == 504


def test_an_upstream_that_is_busy_is_left_alone_for_as_long_as_it_says(
    remote: Scripted, url: str, tmp_path: Path
) -> None:
    remote.answers["manifests/v1"] = [Answer(429, [("retry-after", "100")])]
    with create_app(configuration(url, tmp_path), {}) as app:
        client = Client(app)
        for _ in range(3):
            refused = client.request("GET", f"/v2/{NAME}/manifests/v1")
            assert (refused.status, refused.code) == (429, "TOOMANYREQUESTS")
            assert 95 <= int(refused.field("retry-after")) <= 100
        assert remote.asked == ["HEAD manifests/v1"]
        assert get(client, f"blobs/{Digest.of(SMALL)}") == 200


def answering(*answers: tuple[int, list[tuple[str, str]]]) -> WSGITransport:
    """One after the other."""
    left = list(answers)

    def application(_: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        status, fields = left.pop(0)
        start_response(f"{status} -", fields)
        return []

    return WSGITransport(application)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("status", "stated", "error", "seconds"),
    [
        (429, "30", TooManyRequests, 30),
        (429, None, TooManyRequests, 4),
        (429, "0", TooManyRequests, 1),
        (429, "99999999", TooManyRequests, HELD_MAX),
        (503, "7", Unavailable, 7),
    ],
)
def test_a_pause_ends(status: int, stated: str | None, error: type[Exception], seconds: float) -> None:
    clock = Clock()
    fields = [("retry-after", stated)] if stated else []
    transport = RestrainedTransport(answering((status, fields), (200, []), (200, [])), clock)
    for _ in range(2):
        with pytest.raises(error) as caught:
            transport.request("GET", "/v2/a/manifests/v1")
        assert caught.value.retry_after == math.ceil(seconds)  # type: ignore[attr-defined]
    transport.request("HEAD", "/v2/a/manifests/v1").close()
    clock.now = seconds
    transport.request("GET", "/v2/a/manifests/v1").close()


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, UpstreamFailed), (502, UpstreamFailed), (503, Unavailable), (504, UpstreamTimeout)],
)
def test_a_failure_is_no_pause(status: int, error: type[Exception]) -> None:
    transport = RestrainedTransport(answering((status, []), (200, [])))
    with pytest.raises(error):
        transport.request("GET", "/v2/a/manifests/v1")
    assert transport.request("GET", "/v2/a/manifests/v1").status == 200


def test_tags_that_never_change_are_not_looked_up_again(remote: Scripted, url: str, tmp_path: Path) -> None:
    own = {"udist": {"proxy": {"immutable": [r"v\d+"]}}}
    with create_app({**configuration(url, tmp_path), **own}, {}) as app:
        client = Client(app)
        assert [get(client, f"manifests/{tag}") for tag in ("v1", "v1", "other", "other")] == [200] * 4
    pulled = ["HEAD manifests/v1", f"GET manifests/{Digest.of(IMAGE)}"]
    again = ["HEAD manifests/other", f"GET manifests/{Digest.of(OTHER)}", "HEAD manifests/other"]
    assert remote.asked == pulled + again


def test_a_tag_moves_with_the_upstreams(remote: Scripted, tmp_path: Path) -> None:
    with scripted(remote) as url, create_app(configuration(url, tmp_path), {}) as app:
        assert app.registry.get_manifest(NAME, "v1").content == IMAGE
        remote.contents["manifests/v1"] = remote.contents["manifests/other"]
        assert app.registry.get_manifest(NAME, "v1").content == OTHER
    with create_app(configuration(NOWHERE, tmp_path), {}) as app:
        assert app.registry.get_manifest(NAME, "v1").content == OTHER


def test_a_manifest_that_lies_about_its_digest_is_not_stored(
    remote: Scripted, url: str, tmp_path: Path
) -> None:
    remote.contents[f"manifests/{Digest.of(IMAGE)}"] = OTHER, OCI_MANIFEST
    with create_app(configuration(url, tmp_path), {}) as app:
        assert get(Client(app), "manifests/v1") == 502
        assert get(Client(app), f"manifests/{Digest.of(IMAGE)}") == 502
    assert not (tmp_path / "docker/registry/v2/blobs").exists()


def test_a_manifest_of_a_kind_that_is_not_stored_is_passed_on(
    remote: Scripted, url: str, tmp_path: Path
) -> None:
    kind, content = "application/vnd.docker.distribution.manifest.v1+prettyjws", b'{"schemaVersion": 1}'
    for reference in ("old", Digest.of(content)):
        remote.contents[f"manifests/{reference}"] = content, kind
    with create_app(configuration(url, tmp_path), {}) as app:
        for _ in range(2):
            found = Client(app).request("GET", f"/v2/{NAME}/manifests/old", {"Accept": f"{kind}, */*"})
            assert (found.status, found.content, found.field("content-type")) == (200, content, kind)


def test_a_blob_that_is_stored_for_another_repository_is_only_asked_for(
    remote: Scripted, url: str, tmp_path: Path
) -> None:
    digest = Digest.of(SMALL)
    with create_app(configuration(url, tmp_path), {}) as app:
        client = Client(app)
        assert get(client, f"blobs/{digest}", "a") == 200
        until(lambda: is_stored(tmp_path, digest, "a"))
        assert get(client, f"blobs/{digest}", "b") == 200
        assert remote.asked == [f"GET blobs/{digest}", f"HEAD blobs/{digest}"]
        del remote.contents[f"blobs/{digest}"]
        assert [get(client, f"blobs/{digest}", name) for name in ("b", "c")] == [200, 404]


def test_many_upstreams_by_prefix(remote: Scripted, url: str, tmp_path: Path) -> None:
    nearer = Scripted(near=OTHER)
    with scripted(nearer) as nearer_url:
        upstreams = [
            {"prefix": "docker.io", "remoteurl": url},
            {"prefix": "docker.io/near", "remoteurl": nearer_url},
        ]
        configured: dict[str, Any] = {
            **configuration("", tmp_path),
            "udist": {"proxy": {"upstreams": upstreams}},
        }
        with create_app(configured, {}) as app:
            client = Client(app)
            assert get(client, "manifests/v1", "docker.io/library/app") == 200
            assert get(client, "manifests/near", "docker.io/near/app") == 200
            assert get(client, "manifests/v1", "docker.iox/app") == 404
            uploads = f"blobs/uploads/?digest={Digest.of(SMALL)}"
            assert client.request("POST", f"/v2/own/{uploads}", content=SMALL).status == 201
            assert client.request("POST", f"/v2/docker.io/app/{uploads}", content=SMALL).status == 405
            assert client.request("GET", "/v2/_catalog").json()["repositories"] == [
                "docker.io/library/app",
                "docker.io/near/app",
            ]
    assert [each.partition("@")[0] for each in nearer.asked] == [
        "HEAD manifests/near",
        f"GET manifests/{Digest.of(OTHER)}",
    ]


def test_referrers_are_passed_on(remote: Scripted, url: str, tmp_path: Path) -> None:
    wanted = descriptor(b"a", OCI_MANIFEST, artifactType="a/a")
    listed = index(wanted, descriptor(b"b", OCI_MANIFEST, artifactType="b/b"))
    remote.answers[f"referrers/{Digest.of(IMAGE)}"] = [Answer(200, [("content-type", OCI_INDEX)], listed)] * 2
    remote.contents[f"manifests/{referrers_tag(Digest.of(OTHER))}"] = listed, OCI_INDEX
    remote.contents[f"manifests/{Digest.of(listed)}"] = listed, OCI_INDEX
    with create_app(configuration(url, tmp_path), {}) as app:
        for subject in (IMAGE, OTHER):  # the other from the tag that clients keep
            target = f"/v2/{NAME}/referrers/{Digest.of(subject)}"
            assert Client(app).request("GET", target).content == listed.replace(b", ", b",").replace(
                b": ", b":"
            )
            found = Client(app).request("GET", f"{target}?artifactType=a/a").json()["manifests"]
            assert found == [wanted]
        nothing = Client(app).request("GET", f"/v2/{NAME}/referrers/{Digest.of(b'nothing')}")
        assert (nothing.status, nothing.json()["manifests"]) == (200, [])


HELPER = """#!{python}
import json, sys
with open({log!r}, "a") as log:
    log.write(sys.argv[1] + " " + sys.stdin.read().strip() + "\\n")
print(json.dumps({{"ServerURL": "a", "Username": "user", "Secret": "secret"}}))
"""


@pytest.mark.parametrize(("lifetime", "runs"), [(None, 1), ("1h", 1), ("0s", 4)])
def test_who_asks_is_told_when_the_upstream_wants_to_know(
    lifetime: str | None, runs: int, remote: Scripted, tmp_path: Path
) -> None:
    log, helper = tmp_path / "log", tmp_path / "helper"
    helper.write_text(HELPER.format(python=sys.executable, log=str(log)))
    helper.chmod(0o700)
    told = "Basic " + base64.b64encode(b"user:secret").decode()

    def guarded(asked: Asked) -> Answer:
        if asked.headers.get("authorization") == told:
            return remote.answer(asked)
        return Answer(401, [("www-authenticate", 'Basic realm="a"')])

    given = {"command": str(helper)} | ({"lifetime": lifetime} if lifetime else {})
    with serving(guarded) as served:
        url = f"http://127.0.0.1:{served.port}"
        for proxy in ({"exec": given}, {"username": "user", "password": "secret"}):
            configured = configuration(url, tmp_path / str(len(proxy)), **proxy)
            with create_app(configured, {}) as app:
                for path in ("manifests/v1", "manifests/v1", "tags/list"):
                    assert get(Client(app), path) == (404 if path == "tags/list" else 200)
        assert log.read_text().splitlines() == [f"get 127.0.0.1:{served.port}"] * runs


def test_a_helper_that_fails_is_the_upstreams_trouble(tmp_path: Path) -> None:
    with serving(lambda _: Answer(401, [("www-authenticate", 'Basic realm="a"')])) as served:
        url = f"http://127.0.0.1:{served.port}"
        proxy = {"exec": {"command": str(tmp_path / "nowhere")}}
        with create_app(configuration(url, tmp_path, **proxy), {}) as app:
            answered = Client(app).request("GET", f"/v2/{NAME}/manifests/v1")
            assert answered.status == 502
            assert "is not installed" in json.dumps(answered.json())


def test_a_locked_plugin_takes_no_helper_from_its_caller() -> None:
    given = "version: 0.1\nproxy: {remoteurl: 'https://a.example', exec: {command: /bin/true}}\n"
    with pytest.raises(ConfigurationError, match="locked"):
        build_service(None, given, None, {}, locked=True)
    with pytest.raises(ConfigurationError, match="locked"):
        build_service(None, None, {"REGISTRY_PROXY_EXEC_COMMAND": "/bin/true"}, {}, locked=True)
