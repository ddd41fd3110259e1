"""A registry that refuses everything at first, and one that cuts connections."""

from __future__ import annotations

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


def there_and_back(layout: Layout, registry: Registry, out: Path) -> None:
    with serving(registry) as served:
        place = f"docker://127.0.0.1:{served.port}/demo:v1"
        copy_image(f"oci:{layout.root}:v1", place, system=NOBODY)
        copy_image(place, f"oci:{out}:v1", system=NOBODY)
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
