"""Real registries before and behind a cache, and caches that are killed, or share a store."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from tests.link.waiting import until
from tests.proxy.upstreams import (
    ACCEPT,
    IMAGE,
    INDEX,
    LAYER,
    NAME,
    Scripted,
    configuration,
    is_stored,
    scripted,
    stock_proxy,
    upstream,
)
from tests.remote.serving import Answer
from tests.storage.stock import DEBIANS
from tests.tools import run_tool
from udist_plugin import create_app
from udist_plugin.client.plugin import Plugin
from udist_plugin.errors import TransportError
from udist_plugin.oci.digest import Digest
from udist_plugin.remote import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from udist_plugin.service import RegistryApp

DIGEST = Digest.of(LAYER)


@contextmanager
def listening(app: RegistryApp) -> Iterator[str]:
    """The authority at which a WSGI server serves ``app``."""

    class Server(ThreadingMixIn, WSGIServer):
        daemon_threads = True

    class Handler(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with make_server("127.0.0.1", 0, app, Server, Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(10)


@pytest.mark.parametrize("program", ["registry", DEBIANS])
def test_a_chain_of_caches_with_stock_servers_at_both_ends(program: str, tmp_path: Path) -> None:
    """crane pulls an image from a stock cache, of a cache of udist's, of a stock registry."""
    with (
        upstream(tmp_path / "upstream", program) as (forwarding, url),
        create_app(configuration(url, tmp_path / "udist"), {}) as app,
        listening(app) as middle,
        stock_proxy(
            configuration(f"http://{middle}", tmp_path / "last"), tmp_path / "c.yml", program
        ) as send,
    ):
        for target in (
            f"manifests/{Digest.of(IMAGE)}",
            "manifests/v1",
            "manifests/all",
            f"blobs/{DIGEST}",
        ):
            answer = send("GET", f"/v2/{NAME}/{target}", b"", ACCEPT)
            assert answer.status == 200, target
        assert answer.body == LAYER
        pulled = run_tool("crane", "blob", f"{middle}/{NAME}@{DIGEST}", cwd=tmp_path, timeout=60)
        assert len(pulled) > 0
        listed = run_tool("crane", "ls", f"{middle}/{NAME}", cwd=tmp_path, timeout=60)
        assert listed.split() == ["all", "v1", "v2"]
        manifest = run_tool("crane", "manifest", f"{middle}/{NAME}:all", cwd=tmp_path, timeout=60)
        assert manifest.encode() == INDEX
        until(lambda: is_stored(tmp_path / "udist", DIGEST))
    assert forwarding.asked.count(f"GET /v2/{NAME}/blobs/{DIGEST}") == 1


def test_a_plugin_that_is_killed_while_it_fetches_leaves_nothing_half(tmp_path: Path) -> None:
    remote, go_on = Scripted(LAYER), threading.Event()
    remote.answers[f"blobs/{DIGEST}"] = [Answer(200, [], LAYER, paused=100_000, go_on=go_on)]
    with scripted(remote) as url:
        configured = configuration(url, tmp_path)
        with Plugin(configured, {}) as plugin:
            content = RemoteRegistry(plugin).open_blob(NAME, DIGEST)
            assert content.read(50_000)
            os.kill(plugin.pid, signal.SIGKILL)
            with pytest.raises(TransportError):
                while content.read(1 << 20):
                    pass
        go_on.set()
        assert not is_stored(tmp_path, DIGEST)
        assert not list(tmp_path.rglob("data"))
        with Plugin(configured, {}) as plugin, RemoteRegistry(plugin).open_blob(NAME, DIGEST) as content:
            assert content.read() == LAYER
        until(lambda: is_stored(tmp_path, DIGEST))


def test_two_plugins_on_one_store(tmp_path: Path) -> None:
    remote = Scripted(LAYER, v1=IMAGE)
    with scripted(remote) as url:
        configured = configuration(url, tmp_path)
        with Plugin(configured, {}) as one, Plugin(configured, {}) as two, ThreadPoolExecutor(8) as pool:

            def pull(plugin: Plugin) -> bytes:
                registry = RemoteRegistry(plugin)
                assert registry.get_manifest(NAME, "v1").content == IMAGE
                with registry.open_blob(NAME, DIGEST) as content:
                    return content.read()

            assert set(pool.map(pull, [one, two] * 8)) == {LAYER}
            until(lambda: is_stored(tmp_path, DIGEST))
            remote.asked.clear()
            assert {pull(one), pull(two)} == {LAYER}
            assert remote.asked == ["HEAD manifests/v1"] * 2
