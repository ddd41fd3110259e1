"""Garbage collection and leases over HTTP: off unless the configuration says so."""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.http_api.wsgi import Client
from tests.storage.samples import image, push_image
from udist_plugin import create_app
from udist_plugin.http_api.middleware import extension
from udist_plugin.storage import extension as storage_extension
from udist_plugin.storage.collection.step import Step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.http_api.wsgi import Answer
    from udist_plugin.service import RegistryApp

GC = "/v2/_udist/gc"
LEASES = "/v2/_udist/leases"
ONE, TWO = image(b"one").digest, image(b"two").digest


KEEPS = [{"patterns": ["^(a+)+b$"]}, {"patterns": ["1"]}]
HOSTILE = {"policies": [{"repositories": ["**"], "deleteUntagged": False, "keepTags": KEEPS}]}


def opened(root: Path, *, read_only: bool = False, **extensions: bool) -> RegistryApp:
    storage = {
        "filesystem": {"rootdirectory": str(root)},
        "maintenance": {"readonly": {"enabled": read_only}},
    }
    return create_app({"version": 0.1, "storage": storage, "udist": {"extensions": extensions}})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A store with an untagged manifest and a tagged one, two days old."""
    with opened(tmp_path) as app:
        push_image(app.registry, "a", b"one")
        push_image(app.registry, "a", b"two", tags=["v1"])
    then = time.time() - 2 * 24 * 3600
    for file in tmp_path.rglob("*"):
        os.utime(file, (then, then))
    return tmp_path


@pytest.fixture
def client(root: Path) -> Iterator[Client]:
    with opened(root, gc=True, leases=True) as app:
        yield Client(app)


def steps(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200
    document = answer.json()
    found: list[dict[str, Any]] = [*document["manifests"], *document["blobs"]]
    return found


def test_nothing_is_served_by_default(root: Path) -> None:
    with opened(root) as app:
        client = Client(app)
        for method, target in ("POST", GC), ("GET", LEASES), ("PUT", f"{LEASES}/x"):
            assert client.request(method, target).status == 404
        assert client.request("GET", "/v2/a/manifests/v1").status == 200


@pytest.mark.parametrize(("allowed", "refused"), [("gc", LEASES), ("leases", GC)])
def test_each_part_is_allowed_by_itself(root: Path, allowed: str, refused: str) -> None:
    with opened(root, **{allowed: True}) as app:
        assert Client(app).request("GET", refused).status == 404
        assert Client(app).request("GET", f"/v2/_udist/{allowed}").status == (405 if allowed == "gc" else 200)


def test_a_run_is_shown_and_then_done(client: Client) -> None:
    assert steps(client.request("POST", GC)) == []
    answer = client.request("POST", f"{GC}?untagged=true")
    shown = steps(answer)
    assert [(step["action"], step["digest"]) for step in shown] == [("quarantine", ONE)]
    assert steps(client.request("POST", f"{GC}?untagged=true&apply=true")) == shown
    assert steps(client.request("POST", GC))[0]["action"] == "wait"
    restored = steps(client.request("POST", f"{GC}?undo=true"))
    assert [(step["action"], step["digest"]) for step in restored] == [("restore", ONE)]
    assert steps(client.request("POST", f"{GC}?undo=true")) == []


def test_a_run_takes_policies(client: Client) -> None:
    policies = {
        "policies": [
            {"repositories": ["**"], "deleteUntagged": False, "keepTags": [{"patterns": ["latest"]}]}
        ]
    }
    (step,) = steps(client.request("POST", GC, content=json.dumps(policies).encode()))
    assert (step["action"], step["name"], step["tag"]) == ("untag", "a", "v1")
    assert step["reason"] == "matches no patterns of keepTags"


def test_a_dry_run_by_its_policies_is_not_called_applied(client: Client) -> None:
    policies = {"policies": [{"repositories": ["**"], "keepTags": [{"patterns": ["latest"]}]}]}
    for dry in True, False:
        content = json.dumps({**policies, "dryRun": dry}).encode()
        assert client.request("POST", f"{GC}?apply=true", content=content).json()["applied"] is not dry
        assert client.request("GET", "/v2/a/manifests/v1").status == (200 if dry else 404)


def test_an_unknown_part_is_named_by_its_whole_path(client: Client) -> None:
    answer = client.request("GET", "/v2/_udist/leese")
    assert (answer.status, answer.json()["errors"][0]["detail"]) == (404, {"path": "/v2/_udist/leese"})


@pytest.mark.timeout(30)
def test_no_pattern_holds_up_a_run(client: Client, root: Path) -> None:
    with opened(root) as app:
        push_image(app.registry, "a", b"two", tags=["a" * 100])
    (step,) = steps(client.request("POST", GC, content=json.dumps(HOSTILE).encode()))
    assert (step["action"], step["tag"]) == ("untag", "a" * 100)


def test_a_wrong_pattern_is_named(client: Client) -> None:
    policies = {"policies": [{"repositories": ["**"], "keepTags": [{"patterns": ["(?=a)"]}]}]}
    answer = client.request("POST", GC, content=json.dumps(policies).encode())
    problem = "expected a regular expression, not '(?=a)' (invalid or unsupported Perl syntax: `(?=`)"
    assert (answer.status, answer.code) == (400, "UNSUPPORTED")
    assert f"policies[0].keepTags[0].patterns[0]: {problem}" in json.dumps(answer.json())


@pytest.mark.parametrize(
    ("target", "content"),
    [
        (f"{GC}?apply=1", b""),
        (f"{GC}?apply=", b""),
        (f"{GC}?apply=true&apply=false", b""),
        (f"{GC}?aply=true", b""),
        (f"{GC}?grace=1", b""),
        (f"{GC}?{'apply=true&' * 256}undo=true", b""),
        (f"{GC}?apply=true&undo=true", b""),
        (f"{GC}?undo=true&untagged=true", b""),
        (f"{GC}?undo=true", b"{}"),
        (f"{GC}?untagged=true", b'{"policies": []}'),
        (GC, b"{"),
        (GC, b'{"policies": 1}'),
        (GC, b'{"policies": [{"repositories": ["' + b"{a,b}" * 30_000 + b'"]}]}'),
        (GC, b" " * (extension.CONTENT_MAX + 1)),
        (GC, b"[" * 100_000),
    ],
)
def test_what_is_wrong_is_refused(client: Client, target: str, content: bytes) -> None:
    answer = client.request("POST", target, content=content)
    assert (answer.status, answer.code) == (400, "UNSUPPORTED")
    assert answer.json()["errors"][0]["message"] == "invalid request"
    assert set(answer.json()["errors"][0]["detail"]) & {"expected", "reason"}


def test_what_cannot_be_read_is_an_error(client: Client, root: Path) -> None:
    for link in root.rglob(f"revisions/sha256/{ONE.hex}/link"):
        link.write_bytes(b"")
    answer = client.request("POST", GC)
    assert (answer.status, "holds no digest" in answer.json()["errors"][0]["detail"]) == (500, True)
    assert client.request("POST", GC).status == 500  # the run that failed is over


def test_one_run_at_a_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def held_up(*_: object, **__: object) -> Iterator[Step]:
        begun.set()
        assert go_on.wait(30)
        yield from [Step("quarantine", ONE, 1)] * (extension.STEPS_MAX + 1)

    with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
        patch.setattr(storage_extension, "collect", held_up)
        running = pool.submit(client.request, "POST", GC)
        assert begun.wait(30)
        refused = client.request("POST", GC)
        go_on.set()
        answer = running.result(30)
    assert (refused.status, refused.code) == (429, "TOOMANYREQUESTS")
    assert answer.json()["totals"]["quarantine"] == {"blobs": 1001, "bytes": 1001}
    assert answer.json()["omitted"] == {"manifests": 0, "blobs": 1}
    assert len(steps(answer)) == extension.STEPS_MAX
    assert client.request("POST", GC).status == 200


def test_leases_are_made_listed_and_released(client: Client) -> None:
    content = json.dumps({"references": ["a:v1", f"a@{ONE}"]}).encode()
    made = client.request("PUT", f"{LEASES}/backup", content=content)
    both = [{"owner": "backup", "reference": reference} for reference in ("a:v1", f"a@{ONE}")]
    assert (made.status, made.json()) == (201, {"leases": both})
    assert client.request("GET", LEASES).json() == {"leases": both}
    assert client.request("GET", f"{LEASES}/other").json() == {"leases": []}
    assert steps(client.request("POST", f"{GC}?untagged=true")) == []
    released = client.request("DELETE", f"{LEASES}/backup?reference=a:v1")
    assert (released.status, released.json()) == (200, {"leases": both[:1]})
    assert [step["reason"] for step in steps(client.request("POST", GC)) if step["tag"]] == [
        "released by backup"
    ]
    assert client.request("DELETE", f"{LEASES}/backup").json() == {"leases": both[1:]}


@pytest.mark.parametrize(
    ("method", "target", "content", "status"),
    [
        ("PUT", f"{LEASES}/x", b"", 400),
        ("PUT", f"{LEASES}/x", b'{"references": []}', 400),
        ("PUT", f"{LEASES}/x", b'{"references": ["a"]}', 400),
        ("PUT", f"{LEASES}/x", b'{"references": ["a:v9"]}', 404),
        ("PUT", f"{LEASES}/x", b'{"references": ["a:v1", "a:v9"]}', 404),
        ("PUT", f"{LEASES}/x", b'{"references": ["a:v1"], "force": true}', 400),
        ("PUT", f"{LEASES}/x?force=true", b'{"references": ["a:v1"]}', 400),
        ("GET", f"{LEASES}?owner=x", b"", 400),
        ("DELETE", f"{LEASES}/x", b"", 404),
        ("DELETE", f"{LEASES}/x?reference=a:v1", b"", 404),
        ("PUT", f"{LEASES}/..", b'{"references": ["a:v1"]}', 400),
        ("PUT", f"{LEASES}/x/y", b'{"references": ["a:v1"]}', 400),
        ("PUT", LEASES, b'{"references": ["a:v1"]}', 405),
        ("POST", LEASES, b"", 405),
        ("GET", "/v2/_udist/other", b"", 404),
        ("POST", f"{GC}/x", b"", 404),
    ],
)
def test_wrong_requests(client: Client, method: str, target: str, content: bytes, status: int) -> None:
    assert client.request(method, target, content=content).status == status
    assert client.request("GET", LEASES).json() == {"leases": []}


def test_a_store_that_is_read_only_is_not_changed(root: Path) -> None:
    with opened(root, read_only=True, gc=True, leases=True) as app:
        client = Client(app)
        leases = b'{"references": ["a:v1"]}'
        for method, target, content in (
            ("POST", f"{GC}?apply=true", b""),
            ("POST", f"{GC}?undo=true", b""),
            ("PUT", f"{LEASES}/x", leases),
            ("DELETE", f"{LEASES}/x", b""),
        ):
            assert client.request(method, target, content=content).status == 405
        assert steps(client.request("POST", f"{GC}?untagged=true"))[0]["digest"] == ONE
        assert client.request("GET", LEASES).status == 200
