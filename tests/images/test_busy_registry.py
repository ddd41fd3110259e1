"""Registries that are hard to get on with: busy ones, those that cut, redirect, or know no ranges, and tokens
that run out."""

from __future__ import annotations

import base64
import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.http_api.memory import MemoryRegistry
from tests.images.sample import Layout, blobs_of
from tests.images.unjudged import copy_image
from tests.remote.serving import Answer, Asked, serving
from udist_plugin.http_api.app import Application
from udist_plugin.images.system import SystemContext
from udist_plugin.remote.wsgi import WSGITransport

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = SystemContext({})


class Registry:
    """Our own, behind a server that answers each request for the first time with ``first``."""

    def __init__(self, first: Answer) -> None:
        self.first = first
        self.refused: list[tuple[str, str]] = []
        self.transport = WSGITransport(Application(MemoryRegistry()))

    def __call__(self, asked: Asked) -> Answer:
        what = (asked.method, "upload" if "/uploads/" in asked.target else asked.target)
        if self.refuses(asked) and what not in self.refused:
            self.refused.append(what)
            return self.first
        return self.answer(asked)

    def refuses(self, asked: Asked) -> bool:
        return True

    def answer(self, asked: Asked) -> Answer:
        headers = [
            (name, value) for name, value in asked.headers.items() if name not in ("host", "connection")
        ]
        with self.transport.request(asked.method, asked.target, headers=headers, body=asked.body) as response:
            kept = [(name, value) for name, value in response.headers if name != "content-length"]
            length = (
                [("content-length", response.header("content-length") or "0")]
                if asked.method == "HEAD"
                else []
            )
            return Answer(response.status, [*kept, *length], response.read())


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path / "layout")
    layout.image("v1", layers=[os.urandom(400_000), b"small"])
    return layout


def there_and_back(layout: Layout, registry: Registry, out: Path, concurrency: int = 5) -> None:
    with serving(registry) as served:
        place = f"docker://127.0.0.1:{served.port}/demo:v1"
        copy_image(f"oci:{layout.root}:v1", place, system=NOBODY, concurrency=concurrency)
        copy_image(place, f"oci:{out}:v1", system=NOBODY, concurrency=concurrency)
    assert blobs_of(out) == blobs_of(layout.root)


@pytest.mark.parametrize("status", [429, 503])
def test_every_request_is_refused_at_first(layout: Layout, tmp_path: Path, status: int) -> None:
    registry = Registry(Answer(status, [("retry-after", "0")], b"{}"))
    there_and_back(layout, registry, tmp_path / "out")
    methods = {method for method, _ in registry.refused}
    assert methods == {"HEAD", "POST", "PUT", "GET"}


def test_blobs_are_cut_on_their_way_out(layout: Layout, tmp_path: Path) -> None:
    class Cutting(Registry):
        def refuses(self, asked: Asked) -> bool:
            return False

        def answer(self, asked: Asked) -> Answer:
            answer = super().answer(asked)
            cut = (
                150_000
                if asked.method == "GET" and "/blobs/" in asked.target and len(answer.body) > 150_000
                else None
            )
            return answer._replace(cut=cut)

    there_and_back(layout, Cutting(Answer()), tmp_path / "out")


def is_blob(asked: Asked) -> bool:
    return asked.method == "GET" and "/blobs/" in asked.target


def test_one_that_knows_no_ranges_cuts_a_blob_once(layout: Layout, tmp_path: Path) -> None:
    """What is there already is read again, and passed over."""

    class WithoutRanges(Registry):
        cuts: list[str] = []  # noqa: RUF012 - of this test alone

        def refuses(self, asked: Asked) -> bool:
            return False

        def answer(self, asked: Asked) -> Answer:
            headers = {name: value for name, value in asked.headers.items() if name != "range"}
            answer = super().answer(asked._replace(headers=headers))
            if not is_blob(asked) or len(answer.body) < 150_000 or asked.target in self.cuts:
                return answer
            self.cuts.append(asked.target)
            return answer._replace(cut=150_000)

    there_and_back(layout, WithoutRanges(Answer()), tmp_path / "out")
    assert len(WithoutRanges.cuts) == 1


def test_blobs_that_are_on_another_server(layout: Layout, tmp_path: Path) -> None:
    """Which gets no login, though the registry wants one."""
    login = "Basic " + base64.b64encode(b"me:secret").decode()
    (tmp_path / "config.json").write_text("{}")

    class Guarded(Registry):
        elsewhere = ""

        def refuses(self, asked: Asked) -> bool:
            return False

        def answer(self, asked: Asked) -> Answer:
            if asked.headers.get("authorization") != login:
                return Answer(401, [("www-authenticate", 'Basic realm="r"')], b"{}")
            if is_blob(asked):
                return Answer(307, [("location", f"{self.elsewhere}{asked.target}")])
            return super().answer(asked)

    registry = Guarded(Answer())

    def bare(asked: Asked) -> Answer:
        return Registry.answer(registry, asked)

    with serving(bare) as other, serving(registry) as served:
        registry.elsewhere = f"http://localhost:{other.port}"
        host = f"127.0.0.1:{served.port}"
        entry = {"auth": login.removeprefix("Basic ")}
        (tmp_path / "config.json").write_text(json.dumps({"auths": {host: entry}}))
        system = SystemContext({"DOCKER_CONFIG": str(tmp_path)})
        copy_image(f"oci:{layout.root}:v1", f"docker://{host}/demo:v1", system=system)
        copy_image(f"docker://{host}/demo:v1", f"oci:{tmp_path / 'out'}:v1", system=system)
        assert len(other.asked) == 3
        assert not any("authorization" in asked.headers for asked in other.asked)
    assert blobs_of(tmp_path / "out") == blobs_of(layout.root)


def test_tokens_that_run_out_on_the_way(layout: Layout, tmp_path: Path) -> None:
    """Each serves three requests: another one is asked for wherever it ends, also within a push."""

    class Impatient(Registry):
        def __init__(self) -> None:
            super().__init__(Answer())
            self.issued = 0
            self.left = 0

        def refuses(self, asked: Asked) -> bool:
            return False

        def answer(self, asked: Asked) -> Answer:
            if asked.target.startswith("/token"):
                self.issued, self.left = self.issued + 1, 3
                return Answer(body=json.dumps({"token": str(self.issued), "expires_in": 300}).encode())
            if asked.headers.get("authorization") != f"Bearer {self.issued}" or not self.left:
                realm = f'Bearer realm="http://{asked.headers["host"]}/token",service="s"'
                challenge = f'{realm},scope="repository:demo:pull,push",error="invalid_token"'
                return Answer(401, [("www-authenticate", challenge)], b"{}")
            self.left -= 1
            return super().answer(asked)

    registry = Impatient()
    there_and_back(layout, registry, tmp_path / "out", concurrency=1)
    assert registry.issued > 3
