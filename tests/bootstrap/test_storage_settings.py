"""What the configuration puts between the registry and its store: a cache of sizes, and redirects."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from tests.storage.redis_server import running
from udist_plugin.bootstrap.apps import create_app
from udist_plugin.bootstrap.services import open_app
from udist_plugin.config import load
from udist_plugin.oci.digest import Digest
from udist_plugin.storage import paths
from udist_plugin.storage.sizes.redis import RedisSizes
from udist_plugin.storage.sizes.sizes import Sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from udist_plugin.service import RegistryApp

BLOB = b"some content"
DIGEST = Digest.of(BLOB)
REDIRECT = frozenset({"redirect"})


def get(app: RegistryApp, capabilities: frozenset[str] = REDIRECT) -> tuple[int, str]:
    """Status and location of the blob in ``a``."""
    answer: list[Any] = []
    target = f"/v2/a/blobs/{DIGEST}"
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": target,
        "QUERY_STRING": "",
        "REQUEST_URI": target,
        "wsgi.input": io.BytesIO(),
        "udist.capabilities": capabilities,
    }
    b"".join(app(environ, lambda status, fields, *_: answer.extend((status, dict(fields)))))
    return int(answer[0].split()[0]), answer[1].get("Location", "")


def configuration(
    *, base: str = "", disable: bool = False, storage: Mapping[str, object] | None = None
) -> Any:
    entries = [{"name": "redirect", "options": {"baseurl": base}}] if base else []
    return {
        "version": 0.1,
        "storage": {"inmemory": {}, "redirect": {"disable": disable}, **(storage or {})},
        "middleware": {"storage": entries},
    }


@pytest.mark.parametrize(
    "base", ["https://cdn.example:5443", "https://cdn.example/mirror", "http://cdn.example/a%20b/"]
)
def test_the_middleware_redirects_who_can_follow(base: str) -> None:
    with create_app(configuration(base=base)) as app:
        assert get(app)[0] == 404
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        assert get(app) == (307, base.rstrip("/") + paths.blob_data(DIGEST))
        assert get(app, frozenset()) == (200, "")
        assert get(app, frozenset({"log"})) == (200, "")


def test_redirects_that_are_disabled_are_nobodys() -> None:
    with create_app(configuration(base="https://cdn.example", disable=True)) as app:
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        assert get(app) == (200, "")


def sizes_of(app: RegistryApp) -> Sizes:
    return next(job for make in app._make_jobs.values() if isinstance(job := make(), Sizes))


def test_a_cache_in_memory() -> None:
    storage = {"cache": {"blobdescriptor": "inmemory", "blobdescriptorsize": 1}}
    with create_app(configuration(storage=storage)) as app:
        sizes = sizes_of(app)
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        assert sizes.size(DIGEST) == len(BLOB)
        app.registry.push_blob("a", Digest.of(b"other"), io.BytesIO(b"other"))
        assert sizes.size(DIGEST) is None


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, 0.25),
        ({"readtimeout": "50ms"}, 0.05),
        ({"writetimeout": "50ms"}, 0.05),
        ({"readtimeout": "50ms", "writetimeout": "3s"}, 0.05),
        ({"readtimeout": 0, "writetimeout": "100ms"}, 0.1),
        ({"readtimeout": 0, "writetimeout": 0}, 0.25),
        ({"readtimeout": -1, "writetimeout": "100ms"}, 0.1),
        ({"readtimeout": -1, "writetimeout": "-1s"}, 0.25),
    ],
)
def test_the_shorter_timeout_of_redis_holds(times: dict[str, object], expected: float) -> None:
    given = {
        **configuration(storage={"cache": {"blobdescriptor": "redis"}}),
        "redis": {"addr": "a:1", **times},
    }
    with open_app(load(given, {})) as app:
        sizes = sizes_of(app)
        assert isinstance(sizes, RedisSizes)
        assert sizes._settings.answer_timeout == expected


def test_no_timeout_of_redis_is_longer_than_the_store_takes() -> None:
    keys = ("dialtimeout", "readtimeout", "writetimeout", "pooltimeout")
    redis = {"addr": "a:1", **dict.fromkeys(keys, "30s")}
    storage = {"cache": {"blobdescriptor": "redis"}}
    with open_app(load({**configuration(storage=storage), "redis": redis}, {})) as app:
        sizes = sizes_of(app)
        assert isinstance(sizes, RedisSizes)
        found = sizes._settings
        assert (found.dial_timeout, found.answer_timeout, found.pool_timeout) == (1.0, 0.25, 0.25)


def test_no_cache_unless_told() -> None:
    with create_app(configuration()) as app:
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        assert sizes_of(app).size(DIGEST) is None


@pytest.mark.parametrize("version", [2, 3])
def test_a_cache_in_redis(version: int, tmp_path: Path) -> None:
    with running(tmp_path, "--requirepass", "a-password") as server:
        common = "db: 2, dialtimeout: 1s, readtimeout: 240ms, writetimeout: 250ms"
        forms = {
            2: f"addr: {server.address}, pool: {{maxidle: 16, maxactive: 4, idletimeout: 300s}}",
            3: f"addrs: [{server.address}], poolsize: 4, maxretries: 3",
        }
        text = (
            "version: 0.1\n"
            "storage: {inmemory: {}, cache: {blobdescriptor: redis}}\n"
            f"redis: {{{common}, {forms[version]}}}\n"
        )
        variables = {"REGISTRY_REDIS_PASSWORD": "a-password"}
        with create_app(text, variables) as app, create_app(text, variables) as other:
            app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
            assert sizes_of(other).size(DIGEST) == len(BLOB)


def test_redis_that_is_away_delays_no_start(refusing: Callable[[], str]) -> None:
    loaded = load(
        f"version: 0.1\nstorage: {{inmemory: {{}}, cache: {{blobdescriptor: redis}}}}\n"
        f"redis: {{addr: '{refusing()}'}}\n",
        {},
    )
    records: list[str] = []
    with open_app(loaded) as app:
        app.start(lambda level, message: records.append(f"{level}: {message}"))
        app.registry.push_blob("a", DIGEST, io.BytesIO(BLOB))
        assert app.registry.resolve_blob("a", DIGEST).size == len(BLOB)
    about = [record for record in records if "redis" in record]
    assert [record.partition(";")[0] for record in about] == ["warn: redis is away"]
