"""Older names of keys: what they say reaches the newer ones, with its source."""

from __future__ import annotations

from udist_plugin.config import load
from udist_plugin.config.aliases import ALIASES, rename
from udist_plugin.config.explaining import explain
from udist_plugin.config.keys import all_keys, redis
from udist_plugin.config.nodes import from_python, plain


def test_both_names_of_an_alias_are_keys() -> None:
    paths = {key.path for key in all_keys()}
    sections = {path.rpartition(".")[0] for path in paths}
    for old, new in ALIASES:
        assert {old, new} <= paths | sections


def test_redis_by_the_names_of_version_2() -> None:
    text = """\
version: 0.1
storage: inmemory
redis:
  addr: localhost:6379
  password: 0123
  dialtimeout: 10ms
  tls: {enabled: true}
  pool: {maxactive: 8, maxidle: 2, idletimeout: 5m}
"""
    loaded = load(text, {}, config_name="config.yml")
    found = loaded.configuration.redis
    assert isinstance(found, redis.Redis)
    assert (found.addrs, found.password, found.poolsize) == (("localhost:6379",), "0123", 8)
    assert (found.dialtimeout, found.readtimeout) == (0.01, 0.25)
    assert found.tls.wanted
    assert loaded.warnings == []
    assert loaded.notices == [
        "no effect here: redis.maxidleconns (config.yml:8), redis.connmaxidletime (config.yml:8)"
    ]


def test_redis_by_the_names_of_version_3_has_tls_with_any_file() -> None:
    for tls, wanted in (("{enabled: false}", False), ("{rootcas: [/ca.pem]}", True), ("{}", False)):
        found = load(
            f"version: 0.1\nstorage: inmemory\nredis: {{addrs: ['a:1'], tls: {tls}}}", {}
        ).configuration.redis
        assert found is not None
        assert found.tls.wanted is wanted


def test_the_newer_name_goes_first_and_the_older_is_told_of() -> None:
    text = "version: 0.1\nloglevel: error\nlog: {level: debug}\nstorage: inmemory"
    loaded = load(text, {}, config_name="config.yml")
    assert loaded.configuration.log.level == "debug"
    assert loaded.warnings == [
        "loglevel (config.yml:2): log.level (config.yml:3) is also set and takes precedence"
    ]


def test_the_source_is_the_older_name_s() -> None:
    explained = explain("version: 0.1\nstorage: s3aws", {"REGISTRY_STORAGE_S3AWS_BUCKET": "b"})
    sources = {setting.path: setting.source for setting in explained.settings}
    assert sources["storage.s3.bucket"] == "REGISTRY_STORAGE_S3AWS_BUCKET"


def test_what_is_no_mapping_stays() -> None:
    warnings: list[str] = []
    root = rename(from_python({"loglevel": "debug", "log": "text", "redis": None}, "file"), warnings.append)
    assert plain(root) == {"log": "text", "redis": None}
    assert warnings == []
