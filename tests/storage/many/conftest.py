"""Stores that many share, and eight plugins on each."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.redis_server import RedisServer, running
from udist_plugin import Plugin
from udist_plugin.remote.registry import RemoteRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.drivers.s3.server import S3Server

PLUGINS = 8

Storage = dict[str, Any]
"""What stands under ``storage`` in a configuration, by the names that distribution has too."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running(tmp_path_factory.mktemp("redis")) as server:
        yield server


def bucket(server: S3Server, root: str = "") -> Storage:
    """A store in a new bucket, below ``root``."""
    return {"s3": server.parameters(server.bucket(), rootdirectory=root, forcepathstyle=True)}


@pytest.fixture(scope="module", params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    if request.param == "folder":
        return {"filesystem": {"rootdirectory": str(tmp_path_factory.mktemp("store"))}}
    return bucket(request.getfixturevalue("minio_server"))


@pytest.fixture(scope="module", params=["without-cache", "redis"])
def registries(request: pytest.FixtureRequest, storage: Storage) -> Iterator[list[RemoteRegistry]]:
    """The plugins, as registries."""
    if request.param == "without-cache":
        with plugins({"version": 0.1, "storage": storage}, PLUGINS) as started:
            yield started
        return
    server: RedisServer = request.getfixturevalue("redis")
    cached = {**storage, "cache": {"blobdescriptor": "redis"}}
    log: list[str] = []
    with plugins(
        {"version": 0.1, "storage": cached, "redis": {"addrs": [server.address]}}, PLUGINS, log
    ) as started:
        yield started
    assert server.command("DBSIZE") != b":0\r\n", "nothing was cached"
    assert [line for line in log if "redis" in line] == []


@contextmanager
def plugins(
    configuration: dict[str, Any],
    number: int,
    log: list[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Iterator[list[RemoteRegistry]]:
    """As many plugins, started at once; ``log`` gets what they log."""
    text = json.dumps(configuration)  # which is YAML
    record = None if log is None else log.append
    with ExitStack() as stack, ThreadPoolExecutor(number) as pool:
        started = list(pool.map(lambda _: Plugin(text, environ or {}, log=record), range(number)))
        for plugin in started:
            stack.enter_context(plugin)
        yield [RemoteRegistry(plugin) for plugin in started]
