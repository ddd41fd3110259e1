"""A whole configuration: defaults, distribution's own examples, and what its values become."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import platformdirs
import pytest

from tests.config.files import HOOK, configured, file_of, problems
from udist_plugin.config import load
from udist_plugin.config.aliases import ALIASES
from udist_plugin.config.keys import all_keys
from udist_plugin.config.keys.health import DriverCheck, FileCheck, HttpCheck
from udist_plugin.config.keys.htpasswd import Htpasswd
from udist_plugin.config.model import (
    AccessLog,
    Auth,
    Debug,
    Http,
    Indexes,
    Log,
    Platform,
    Prometheus,
    UploadPurging,
)
from udist_plugin.errors import ConfigurationError
from udist_plugin.keys import WORKS

DEVELOPMENT = """\
version: 0.1
log:
  level: debug
storage:
    filesystem:
        rootdirectory: /var/lib/registry
http:
    addr: localhost:5000
    secret: asecretforlocaldevelopment
    debug:
        addr: localhost:5001
"""
"""The development example of distribution's documentation."""


DEBIAN = """\
version: 0.1
log:
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /var/lib/docker-registry
  delete:
    enabled: true
http:
  addr: :5000
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/docker/registry
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
"""
"""Debian's ``/etc/docker/registry/config.yml``."""


def test_the_defaults() -> None:
    configuration = load(None, os.environ).configuration
    assert configuration.version == "0.1"
    assert configuration.log.level == "info"
    assert configuration.storage.driver == "filesystem"
    assert configuration.storage.parameters == {
        "rootdirectory": platformdirs.user_data_dir("udist", appauthor=False),
    }
    assert configuration.storage.delete.enabled is True
    assert configuration.storage.maintenance.uploadpurging == UploadPurging(True, 604800.0, 86400.0, False)
    assert configuration.storage.maintenance.readonly.enabled is False
    assert configuration.udist.validation.references is True
    assert configuration.validation.manifests.indexes == Indexes("all", ())
    assert configuration.http == Http("", "/", False, {}, 10.0, Debug(Prometheus(False, "/metrics")))


def test_the_default_folder_is_that_of_the_environment_it_is_handed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/another")
    for environ, root in (
        ({"XDG_DATA_HOME": "/data", "HOME": "/me"}, "/data/udist"),
        ({"XDG_DATA_HOME": "relative", "HOME": "/me"}, "/me/.local/share/udist"),
        ({"HOME": "/me"}, "/me/.local/share/udist"),
    ):
        assert load(None, environ).configuration.storage.parameters["rootdirectory"] == root


def test_the_default_folder_is_the_user_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    root = load(None, os.environ).configuration.storage.parameters["rootdirectory"]
    assert root == platformdirs.user_data_dir("udist", appauthor=False)


def test_distribution_s_development_example_works() -> None:
    loaded = load(DEVELOPMENT, {})
    assert loaded.configuration.storage.parameters["rootdirectory"] == "/var/lib/registry"
    assert loaded.warnings == []
    (notice,) = loaded.notices
    assert "http.addr (configuration:8)" in notice
    assert "http.secret (configuration:9)" in notice
    assert "http.debug.addr (configuration:11)" in notice


def test_debian_s_file_works() -> None:
    loaded = load(DEBIAN, {})
    assert loaded.warnings == []
    assert loaded.configuration.auth == Auth(Htpasswd("basic-realm", "/etc/docker/registry"), None, None)
    assert loaded.configuration.guarded


def test_debian_s_file_works_with_the_rest_switched_off() -> None:
    configuration = load(DEBIAN, {"REGISTRY_AUTH": ""}).configuration
    assert configuration.storage.parameters["rootdirectory"] == "/var/lib/docker-registry"
    assert configuration.storage.cache.blobdescriptor == "inmemory"
    assert configuration.log.fields == {"service": "registry"}
    assert configuration.health is not None
    assert configuration.health.storagedriver == DriverCheck(True, 10.0, 3)
    assert configuration.http.headers == {"X-Content-Type-Options": ("nosniff",)}


def test_a_check_has_no_switch() -> None:
    loaded = load(*file_of("health: {tcp: [{addr: 'a:1', enabled: false, disabled: true}]}"))
    assert loaded.configuration.health is not None
    assert [check.addr for check in loaded.configuration.health.tcp] == ["a:1"]
    assert len(loaded.warnings) == 2


@pytest.mark.parametrize(
    "text",
    [
        "health: {storagedriver: {enabled: false, interval: 10s}, file: []}",
        "notifications: {endpoints: [{name: a, disabled: true}, {name: b, disabled: yes}]}",
        "log: {accesslog: {disabled: true}, hooks: [{type: mail, disabled: true}], fields: {}}",
        "log: {formatter: text, reportcaller: false}",
        "compatibility: {schema1: {enabled: false, signingkeyfile: x}}",
        "middleware: {storage: [{name: redirect, disabled: true}]}",
        "auth:\nproxy:\nreporting: {bugsnag: {}}",
        "auth: {none: {realm: a}}\nproxy: {remoteurl: '', username: a}",
        "compatibility: {schema1: {signingkeyfile: x}}\nreporting: {newrelic: {licensekey: '', name: a}}",
    ],
)
def test_what_asks_for_nothing_is_accepted(text: str) -> None:
    assert problems(text) == []


def test_loglevel_is_log_level_s_old_name() -> None:
    assert configured("loglevel: warn").log.level == "warn"
    assert configured("loglevel: warn\nlog: {level: error}").log.level == "error"
    assert configured("loglevel: warn\nlog:").log.level == "warn"


def test_values_are_typed() -> None:
    configuration = configured(
        "storage:\n"
        "  inmemory:\n"
        "  maintenance: {readonly: {enabled: true}, uploadpurging: {age: 1h, dryrun: true}}\n"
        "http: {host: 'https://registry.example:5000', prefix: /a/b/, draintimeout: 1m30s,\n"
        "  relativeurls: true}\n"
        "validation: {disabled: true, manifests: {references: false, urls: {deny: ['^https://a/']},\n"
        "  indexes: {platforms: List, platformlist: [{os: linux, architecture: amd64}]}}}\n"
    )
    assert configuration.storage.driver == "inmemory"
    assert configuration.storage.parameters == {}
    assert configuration.storage.maintenance.readonly.enabled is True
    assert configuration.storage.maintenance.uploadpurging == UploadPurging(True, 3600.0, 86400.0, True)
    assert (configuration.http.host, configuration.http.prefix) == ("https://registry.example:5000", "/a/b/")
    assert configuration.http.relativeurls
    assert configuration.http.draintimeout == 90.0
    assert configuration.validation.disabled is True
    assert configuration.udist.validation.references is False
    assert configuration.validation.manifests.urls.deny[0].search("https://a/b")
    assert configuration.validation.manifests.indexes == Indexes("list", (Platform("amd64", "linux"),))


def test_a_mapping_is_a_configuration_too() -> None:
    source = {
        "storage": {"filesystem": {"rootdirectory": "/x", "maxthreads": 30}},
        "http": {"draintimeout": "5s"},
    }
    configuration = load(source, {"REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": "/y"}).configuration
    assert configuration.storage.parameters == {"rootdirectory": "/y"}
    with pytest.raises(
        ConfigurationError, match=r"http\.secret \(configuration\): expected text, .* not a bytes"
    ):
        load({"http": {"secret": b"x"}}, {})


def test_two_configurations_share_nothing() -> None:
    one, other = load(None, {}).configuration, load(None, {}).configuration
    assert one.storage.parameters is not other.storage.parameters


def test_each_key_stands_once_and_says_what_it_does() -> None:
    keys = all_keys()
    assert len({key.path for key in keys}) == len(keys)
    assert all(key.effect for key in keys)


def test_metrics_may_stand_elsewhere_below_a_prefix() -> None:
    assert problems("http: {prefix: /a/, debug: {prometheus: {enabled: true, path: /a/v2x}}}") == []


LISTS = {
    "platformlist[]",
    "storage[]",
    "file[]",
    "http[]",
    "tcp[]",
    "endpoints[]",
    "hooks[]",
    "upstreams[]",
}


def test_every_key_that_works_reaches_the_configuration() -> None:
    """A row marked as working whose value no class of ``model`` has would be silently ignored."""
    configuration = configured(
        "storage: filesystem\n"
        "validation: {manifests: {indexes: {platformlist: [{}]}}}\n"
        "middleware: {storage: [{name: redirect, options: {baseurl: 'https://a/'}}]}\n"
        "redis: {}\n"
        "health: {file: [{file: a}], http: [{uri: 'http://a'}], tcp: [{addr: 'a:1'}]}\n"
        "notifications: {endpoints: [{url: 'http://a'}]}\n"
        "auth: {token: {realm: a, service: b, issuer: c}}\n"
        "proxy: {}\n"
        "udist: {accesscontrol: {}, proxy: {upstreams: [{prefix: a, remoteurl: 'https://a'}]}}\n"
        f"log: {{hooks: [{HOOK}]}}\n"
        "policy: {}\n"
    )
    auth = configured("auth: {htpasswd: {realm: a, path: b}}").auth
    silly = configured("auth: {silly: {realm: a, service: b}}").auth.silly
    configuration = configuration.changed(
        auth=configuration.auth.changed(htpasswd=auth.htpasswd, silly=silly)
    )
    older = {old for old, _ in ALIASES} | {"middleware.storage[].disabled", "auth.none"}
    older |= {"notifications.endpoints[].disabled", "log.hooks[].disabled"}
    older |= {key.path for key in all_keys() if key.path.startswith("middleware.re")}  # see test_middleware
    for key in all_keys():
        driver = re.match(r"(storage|udist)\.(s3|s3aws|azure|fsspec|gcs|inmemory|oss|swift)\b", key.path)
        if key.status is not WORKS or key.path in older or driver:
            continue
        value: object = configuration
        for name in key.path.replace("storage.filesystem", "storage.parameters").split("."):
            if name in {"*", "*[]"}:
                break
            of = name.removesuffix("[]")
            value = value[of] if isinstance(value, dict) else getattr(value, of)
            if name in LISTS:
                assert isinstance(value, tuple)
                value = value[0]


def test_nothing_heavy_is_imported_for_the_defaults() -> None:
    code = (
        "import sys; before = set(sys.modules); from udist_plugin.config import load;"
        "load({'storage': {'filesystem': {'rootdirectory': '/x'}}}, {'REGISTRY_LOG_LEVEL': 'debug'});"
        "heavy = {'yaml', 'platformdirs', 'difflib', 'dataclasses', 'inspect', 'json', 'logging', 'pathlib'};"
        "new = set(sys.modules) - before;"
        "print(heavy & new | {name for name in new if name.startswith('udist_plugin.config.keys.')})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout.strip() == "set()"


def test_a_driver_that_another_package_announces_gets_its_section_as_text(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = EntryPoint("floppy", "floppy:FloppyDriver", "udist_plugin.storage_drivers")
    announced = EntryPoints((entry,))
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: announced.select(group=group))
    storage = configured("storage: {floppy: {drive: a, tracks: 80}, delete: {enabled: false}}").storage
    assert (storage.driver, storage.parameters) == ("floppy", {"drive": "a", "tracks": "80"})
    assert storage.delete.enabled is False
    (problem,) = problems("storage: flopy")
    assert (
        "expected one of filesystem, inmemory, azure, fsspec, gcs, oss, s3, swift, floppy; did you mean"
        in problem
    )


def test_the_parameters_of_an_object_store_are_typed_and_have_no_empty_ones() -> None:
    storage = configured(
        "storage: {s3: {bucket: b, region: '', chunksize: 0x600000, secure: no, storageclass: glacier_ir}}"
    ).storage
    assert storage.driver == "s3"
    assert storage.parameters["chunksize"] == 6 << 20
    assert storage.parameters["secure"] is False
    assert storage.parameters["storageclass"] == "GLACIER_IR"
    assert "region" not in storage.parameters
    assert "forcepathstyle" not in storage.parameters


def test_middleware_health_and_redis_are_typed() -> None:
    configuration = configured(
        "middleware: {storage: [{name: cloudfront, disabled: true}, "
        "{name: redirect, options: {baseurl: 'https://cdn.example/x'}}]}\n"
        "health: {http: [{uri: 'http://a/', headers: {X-A: [b]}, interval: 5s}], file: [{file: /x}]}\n"
        "log: {formatter: JSON, fields: {a: 1}, accesslog: {disabled: true}}\n"
    )
    (redirect,) = configuration.middleware.storage
    assert redirect.options.duration == 1200
    assert redirect.options.baseurl == "https://cdn.example/x"
    assert configuration.health is not None
    assert configuration.health.http == (HttpCheck("http://a/", {"X-A": ("b",)}, 200, 10.0, 5.0, 0),)
    assert configuration.health.file == (FileCheck("/x", 10.0, 0),)
    assert configuration.health.tcp == ()
    assert configuration.log == Log("info", "json", {"a": "1"}, AccessLog(True), False, ())
    assert configured("catalog:").health is None
    assert configured("health:\nredis:").redis is None


def test_what_is_missing_is_missing_where_the_section_is() -> None:
    with pytest.raises(ConfigurationError, match=r"storage\.s3\.bucket \(config\.yml:3\): expected the name"):
        load(
            "version: 0.1\nstorage:\n  s3: {region: a}\n",
            {"REGISTRY_STORAGE_S3_REGION": "b", "REGISTRY_STORAGE_DELETE_ENABLED": "true"},
            config_name="config.yml",
        )
    with pytest.raises(ConfigurationError, match=r"storage\.gcs\.bucket \(REGISTRY_STORAGE\): expected"):
        load(None, {"REGISTRY_STORAGE": "gcs", "REGISTRY_STORAGE_GCS_KEYFILE": "/k"})
