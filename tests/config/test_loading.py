"""A whole configuration: defaults, distribution's own examples, and what every mistake is called."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints

import platformdirs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from udist_plugin.config import Configuration, examine, load
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

HOOK = (
    "{type: mail, levels: [panic], options: "
    "{smtp: {addr: 'mail.example:25'}, from: b@example, to: [c@example]}}"
)


INMEMORY = {"REGISTRY_STORAGE": "inmemory"}


def file_of(text: str) -> tuple[str, dict[str, str]]:
    """A file, and variables that name a driver unless it has a section ``storage`` itself."""
    return "version: 0.1\n" + text, {} if re.search("^storage:", text, re.M) else INMEMORY


def configured(text: str) -> Configuration:
    return load(*file_of(text), config_name="config.yml").configuration


def problems(text: str) -> list[str]:
    examined = examine(*file_of(text), config_name="config.yml")
    assert (examined.configuration is None) == bool(examined.errors)
    return [str(error) for error in examined.errors]


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


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "log: {level: loud}",
            "log.level (config.yml:2): expected one of error, warn, info, debug, not 'loud'",
        ),
        ("tags: 5", "tags (config.yml:2): expected a mapping, not '5'"),
        (
            "log:\n  level: [debug]",
            "log.level (config.yml:3): expected one of error, warn, info, debug, not a list",
        ),
        (
            "storage: {inmemory: , delete: {enabled: maybe}}",
            "storage.delete.enabled (config.yml:2): expected true or false, not 'maybe'",
        ),
        (
            "storage: {inmemory: , delete: true}",
            "storage.delete (config.yml:2): expected a mapping, not 'true'",
        ),
        (
            "storage: {filesystem: {maxthreads: -1}}",
            "storage.filesystem.maxthreads (config.yml:2): expected a whole number from 0 to 65536, not '-1'",
        ),
        (
            "storage: {filesystem: {rootdirectory: ''}}",
            "storage.filesystem.rootdirectory (config.yml:2): expected the path of a folder, not nothing",
        ),
        (
            "storage:\n  filesystem:\n  inmemory:",
            "storage (config.yml:2): expected one storage driver, "
            "not filesystem (config.yml:3), inmemory (config.yml:4)",
        ),
        ("storage: s3", "storage.s3.bucket (config.yml:2): expected the name of a bucket, but found nothing"),
        (
            "storage:\n  s3:",
            "storage.s3.bucket (config.yml:3): expected the name of a bucket, but found nothing",
        ),
        (
            "storage: {s3: {bucket: ''}}",
            "storage.s3.bucket (config.yml:2): expected the name of a bucket, not nothing",
        ),
        (
            "storage: {s3: {bucket: b}, s3aws: {bucket: b}}",
            "storage (config.yml:2): expected one storage driver, "
            "not s3 (config.yml:2), s3aws (config.yml:2)",
        ),
        (
            "storage: {inmemory: , cache: {blobdescriptor: redis}}",
            "storage.cache.blobdescriptor (config.yml:2): expected redis.addrs, the server",
        ),
        (
            "middleware: {storage: [{name: cloudflare, options: {baseurl: 'https://a/'}}]}",
            "middleware.storage.0.name (config.yml:2): "
            "expected redirect, rewrite or cloudfront, not 'cloudflare'",
        ),
        (
            "middleware: {storage: [{name: cloudfront, options: {baseurl: 'a', keypairid: b}}]}",
            "middleware.storage.0.options.privatekey (config.yml:2): is missing; required by cloudfront",
        ),
        (
            "middleware: {storage: [{name: redirect, options: {baseurl: cdn.example}}]}",
            "middleware.storage.0.options.baseurl (config.yml:2): "
            "expected an http or https URL such as https://cdn.example/registry, not 'cdn.example'",
        ),
        (
            "middleware: {storage: [{name: rewrite}, {name: redirect, options: {baseurl: 'ftp://a'}}]}",
            "middleware.storage.1.options.baseurl (config.yml:2): "
            "expected an http or https URL such as https://cdn.example/registry, not 'ftp://a'",
        ),
        (
            "middleware: {storage: [{name: redirect}]}",
            "middleware.storage.0.options.baseurl (config.yml:2): is missing; required by redirect",
        ),
        ("log: {accesslog: {disabled: perhaps}}", "log.accesslog.disabled (config.yml:2): expected true or"),
        (
            "health: {http: [{uri: 'http://a', statuscode: 2000}]}",
            "health.http.0.statuscode (config.yml:2): ",
        ),
        (
            "health: {http: [{uri: 'http://a', headers: {Authorization: ['Basic hidden\u2603']}}]}",
            "health.http.0.headers.Authorization.0 (config.yml:2): "
            "expected a field value on one line (RFC 9110, section 5.5), not what stands there",
        ),
        ("tags: {maxtags: -1}", "tags.maxtags (config.yml:2): expected a whole number from 0 to"),
        (
            "storage: {filesytem: {rootdirectory: /x}}",
            "storage (config.yml:2): unknown storage driver 'filesytem'; "
            "expected one of filesystem, inmemory, azure, fsspec, gcs, oss, s3, swift; "
            "did you mean storage.filesystem?",
        ),
        (
            "storage: {inmemory: , maintenance: {uploadpurging: {age: 168}}}",
            "storage.maintenance.uploadpurging.age (config.yml:2): "
            "expected a duration such as 90s, 1m30s or 168h, not '168'",
        ),
        (
            "http: {host: registry.example}",
            "http.host (config.yml:2): "
            "expected a URL such as https://registry.example:5000, not 'registry.example'",
        ),
        (
            "http: {prefix: a/}",
            "http.prefix (config.yml:2): expected a path that begins with /, such as /registry/, not 'a/'",
        ),
        (
            "http: {headers: {X-A: b}}",
            "http.headers.X-A (config.yml:2): expected a list, not 'b'",
        ),
        (
            'http: {headers: {X-A: ["b\\r\\nX-B: c"]}}',
            "http.headers.X-A.0 (config.yml:2): expected a field value on one line (RFC 9110, section 5.5), "
            "not 'b\\r\\nX-B: c'",
        ),
        (
            'http: {headers: {X-A: ["\u2603"]}}',
            "http.headers.X-A.0 (config.yml:2): expected a field value on one line (RFC 9110, section 5.5), "
            "not '\u2603'",
        ),
        (
            "http: {headers: {content-length: ['5']}}",
            "http.headers (config.yml:2): expected a field that responses do not set themselves, "
            "not 'content-length'",
        ),
        (
            "http: {headers: {'X A': [b]}}",
            "http.headers (config.yml:2): expected a field name (RFC 9110, section 5.1), not 'X A'",
        ),
        (
            "validation: {manifests: {urls: {allow: ['(']}}}",
            "validation.manifests.urls.allow.0 (config.yml:2): expected a regular expression, not '(' "
            "(missing closing ): `(`)",
        ),
        ("version: 0.1", "config.yml:2: the key 'version' appears twice, first at config.yml:1"),
        (
            "auth: {htpasswd: {path: a}}",
            "auth.htpasswd.realm (config.yml:2): expected printable ASCII characters, but found nothing",
        ),
        (
            "auth: {htpasswd: {realm: 'ä', path: a}}",
            "auth.htpasswd.realm (config.yml:2): expected printable ASCII characters, not 'ä'",
        ),
        (
            "auth: {none: , silly: {realm: a, service: b}}",
            "auth (config.yml:2): expected one type of access control, "
            "not none (config.yml:2), silly (config.yml:2)",
        ),
        (
            "auth: htpasswrd",
            "auth (config.yml:2): expected one of htpasswd, silly, token or none, not 'htpasswrd'; "
            "did you mean htpasswd?",
        ),
        ("auth: [silly]", "auth (config.yml:2): expected a mapping, not a list"),
        (
            "udist: {accesscontrol: {adminpolicy: {actions: [write]}}}",
            "udist.accesscontrol.adminpolicy.actions.0 (config.yml:2): "
            "expected one of read, create, update, delete, not 'write'",
        ),
        (
            "proxy: {remoteurl: x}",
            "proxy.remoteurl (config.yml:2): expected a URL without a path, such as "
            "https://registry-1.docker.io, not 'x'",
        ),
        (
            "proxy: {remoteurl: 'https://a.example/v2/'}",
            "proxy.remoteurl (config.yml:2): expected a URL without a path, such as "
            "https://registry-1.docker.io, not 'https://a.example/v2/'",
        ),
        (
            "proxy: {remoteurl: 'https://a.example:99999'}",
            "proxy.remoteurl (config.yml:2): expected a URL without a path, such as "
            "https://registry-1.docker.io, not 'https://a.example:99999' (Port out of range 0-65535)",
        ),
        (
            "proxy: {remoteurl: 'https://a.example', ttl: soon}",
            "proxy.ttl (config.yml:2): expected a duration such as 90s, 1m30s or 168h, or -1 for no limit, "
            "not 'soon'",
        ),
        (
            "udist: {proxy: {upstreams: [{prefix: docker.io}]}}",
            "udist.proxy.upstreams.0.remoteurl (config.yml:2): expected a URL without a path, such as "
            "https://registry-1.docker.io, but found nothing",
        ),
        (
            "udist: {proxy: {upstreams: [{prefix: a/, remoteurl: 'https://a'}]}}",
            "udist.proxy.upstreams.0.prefix (config.yml:2): expected the beginning of repository names, such "
            "as docker.io or mirror/quay, not 'a/'",
        ),
        (
            "udist: {proxy: {upstreams: [{prefix: a, remoteurl: 'https://a'}, {prefix: a, remoteurl: 'https://b'}]}}",
            "udist.proxy.upstreams.prefix (config.yml:2): expected a prefix of its own, not 'a'",
        ),
        (
            "udist: {proxy: {immutable: ['(']}}",
            "udist.proxy.immutable.0 (config.yml:2): expected a regular expression, not '('",
        ),
        (
            "notifications: {endpoints: [{name: a, enabled: false}]}",
            "notifications.endpoints.0.url (config.yml:2): expected a URL such as https://events.example/, "
            "file:/var/log/events or exec:/usr/bin/command, but found nothing",
        ),
        (
            "notifications: {endpoints: [{url: 'ftp://a/'}]}",
            "notifications.endpoints.0.url (config.yml:2): expected a URL such as https://events.example/, "
            "file:/var/log/events or exec:/usr/bin/command, not 'ftp://a/'",
        ),
        (
            "notifications: {endpoints: [{url: 'exec:/bin/sh -c \"x'}]}",
            "notifications.endpoints.0.url (config.yml:2): expected a URL such as https://events.example/, "
            "file:/var/log/events or exec:/usr/bin/command, not 'exec:/bin/sh -c \"x' (No closing quotation)",
        ),
        (
            "notifications: {endpoints: [{url: 'http://a:99999/'}]}",
            "notifications.endpoints.0.url (config.yml:2): expected a URL such as https://events.example/, "
            "file:/var/log/events or exec:/usr/bin/command, not 'http://a:99999/' "
            "(Port out of range 0-65535)",
        ),
        (
            "notifications: {endpoints: [{url: 'file:/a', ignore: {actions: [pulls]}}]}",
            "notifications.endpoints.0.ignore.actions.0 (config.yml:2): expected one of pull, push, mount, "
            "delete, not 'pulls'",
        ),
        (
            "notifications: {endpoints: [{name: a, url: 'file:/a'}, {name: a, url: 'file:/b'}]}\n"
            "udist: {notifications: {spool: /s}}",
            "notifications.endpoints.name (config.yml:2): expected a name of its own, as "
            "udist.notifications.spool is set, not 'a'",
        ),
        (
            "compatibility: {schema1: {enabled: perhaps}}",
            "compatibility.schema1.enabled (config.yml:2): expected true or false, not 'perhaps'",
        ),
        (
            f"log: {{hooks: [{{type: mail, levels: [panic], disabled: true}}, {HOOK.replace(':25', '')}]}}",
            "log.hooks.1.options.smtp.addr (config.yml:2): expected host and port of a mail server, such as "
            "mail.example:587, not 'mail.example'",
        ),
        (
            f"log: {{hooks: [{HOOK.replace('panic', 'panik')}]}}",
            "log.hooks.0.levels.0 (config.yml:2): expected one of panic, fatal, error, warn, warning, info, "
            "debug, trace, not 'panik'",
        ),
        (
            f"log: {{hooks: [{HOOK.replace('[c@example]', '[]')}]}}",
            "log.hooks.0.options.to (config.yml:2): expected one at least",
        ),
        (
            "middleware: {repository: [{name: a, disabled: true}, {name: nobodys}]}",
            "middleware.repository.1.name (config.yml:2): expected a name in the group of entry points "
            "udist_plugin.registry_middleware, not 'nobodys' (",
        ),
        (
            "http: {prefix: /a/, debug: {prometheus: {enabled: true, path: /a/v2/b/tags/list}}}",
            "http.debug.prometheus.path (config.yml:2): expected a path outside /a/v2/, "
            "not '/a/v2/b/tags/list'",
        ),
    ],
)
def test_a_wrong_value_names_key_source_and_what_was_expected(text: str, problem: str) -> None:
    (found,) = problems(text)
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("variable", "value", "problem"),
    [
        (
            "REGISTRY_STORAGE_DELETE_ENABLED",
            "perhaps",
            "storage (REGISTRY_STORAGE_DELETE_ENABLED): no storage driver is named; expected one of ",
        ),
        (
            "REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS",
            "perhaps",
            "storage.filesystem.maxthreads (REGISTRY_STORAGE_FILESYSTEM_MAXTHREADS): expected a whole number",
        ),
        ("REGISTRY_STORAGE", "gcs", "storage.gcs.bucket (REGISTRY_STORAGE): expected the name of a bucket"),
        ("REGISTRY_AUTH", "tokens", "auth (REGISTRY_AUTH): expected one of htpasswd, silly, token or none"),
        ("REGISTRY_VERSION", "0.2", "version (REGISTRY_VERSION): expected 0.1, not '0.2'"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(None, {variable: value})
    assert str(caught.value).startswith(problem)


def test_every_error_is_raised_at_once_the_driver_s_too() -> None:
    text = "version: 0.1\nlog: {level: x}\nstorage: {s3: {bucket: b, accesskey: a}}\nhttp: {draintimeout: z}"
    assert [error.key for error in examine(text, {}).errors] == ["log.level", "http.draintimeout"]
    with pytest.raises(ConfigurationError) as caught:
        load(text, {"AWS_REGION": "r"}, config_name="config.yml")
    found = [caught.value, *caught.value.also]
    assert [(error.key, error.source) for error in found] == [
        ("log.level", "config.yml:2"),
        ("http.draintimeout", "config.yml:4"),
        ("storage.s3.secretkey", "config.yml:3"),
        ("storage.s3.region", "config.yml:3"),
    ]
    assert str(caught.value).splitlines() == [error.line for error in found]


@pytest.mark.parametrize("text", ["", "log: {level: info}", "[]", "text", "version: 0.2", "version:"])
def test_a_file_states_its_version(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"0\.1"):
        load(text, {})


@pytest.mark.parametrize(
    ("storage", "middleware", "warns"),
    [
        ("filesystem: {rootdirectory: /x}", "{name: rewrite}", True),
        ("inmemory:", "{name: redirect, disabled: true}, {name: rewrite, options: {host: x}}", True),
        ("inmemory:", "{name: redirect, options: {baseurl: 'https://x'}}, {name: rewrite}", False),
        ("s3: {bucket: b, region: r}", "{name: rewrite}", False),
    ],
)
def test_a_rewrite_of_nothing_is_a_warning(storage: str, middleware: str, warns: bool) -> None:
    text = f"version: 0.1\nstorage: {{{storage}}}\nmiddleware: {{storage: [{middleware}]}}\n"
    found = load(text, {}, config_name="config.yml").warnings
    driver = storage.partition(":")[0]
    expected = (
        f"middleware.storage.0.name (config.yml:3): rewrite has no effect: content in {driver} has no URL"
    )
    assert found == [expected] * warns


def test_unknown_keys_are_warnings_with_the_nearest_known() -> None:
    text = "version: 0.1\nstorage: inmemory\nlgo: {level: debug}\nhttp: {hots: a}\nxyz: 1"
    loaded = load(text, {"REGISTRY_HTTP_HOTS": "x"}, config_name="config.yml")
    assert loaded.warnings == [
        "REGISTRY_HTTP_HOTS: names no known key, ignored; did you mean REGISTRY_HTTP_HOST?",
        "lgo (config.yml:3): unknown key, ignored; did you mean log?",
        "xyz (config.yml:5): unknown key, ignored",
        "http.hots (config.yml:4): unknown key, ignored; did you mean http.host?",
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("LOGG_LEVEL", "LOG_LEVEL"),
        ("LEVEL", "LOG_LEVEL"),
        ("HTTP_PROMETHEUS_PATH", "HTTP_DEBUG_PROMETHEUS_PATH"),
        ("REDIS_ADRR", "REDIS_ADDR"),
        ("TOKEN", "AUTH_TOKEN"),
        ("MY_VARIABLE", ""),
        ("HTTP_FOO", ""),
    ],
)
def test_a_variable_is_looked_for_where_it_may_belong(name: str, meant: str) -> None:
    hint = f"; did you mean REGISTRY_{meant}?" if meant else ""
    expected = [f"REGISTRY_{name}: names no known key, ignored{hint}"]
    assert load(None, {f"REGISTRY_{name}": "x"}).warnings == expected


def test_variables_of_other_programs_cost_a_start_next_to_nothing() -> None:
    """Counted in calls of functions: some 30 for each, where ``difflib`` takes thousands."""
    names = ("TOKEN", "MY_VARIABLE", "CACHE_URL", "IMAGE_NAME", "HTTP_FOO")
    environ = {f"REGISTRY_{name}_{number}": "x" for name in names for number in range(4)}
    load(None, environ)
    assert calls_to_load(environ) - calls_to_load({}) < len(environ) * 50


def calls_to_load(environ: dict[str, str]) -> int:
    """Functions of Python called to load a configuration: as many on every machine."""
    count = 0

    def listen(_: object, event: str, __: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(listen)
    try:
        load(None, environ)
    finally:
        sys.setprofile(None)
    return count


NONE_NAMED = (
    "no storage driver is named; expected one of filesystem, inmemory, azure, fsspec, gcs, oss, s3, swift"
)


@pytest.mark.parametrize(
    ("text", "variables", "expected"),
    [
        ("log: {level: debug}", {}, [f"storage (config.yml:1): {NONE_NAMED}"]),
        ("storage:", {}, [f"storage (config.yml:2): {NONE_NAMED}"]),
        ("storage: {delete: {enabled: true}}", {}, [f"storage (config.yml:2): {NONE_NAMED}"]),
        (
            "storge: {s3: {bucket: b}}",
            {},
            [f"storage (config.yml:1): {NONE_NAMED}; did you mean storage instead of storge (config.yml:2)?"],
        ),
        (
            "s3: {bucket: b}",
            {},
            [f"storage (config.yml:1): {NONE_NAMED}; did you mean storage.s3 instead of s3 (config.yml:2)?"],
        ),
        (
            "storage:\n  inmemory:\n  delet: {enabled: false}\n  maintenance: {readnoly: {}}",
            {},
            [
                "storage.delet (config.yml:4): unknown key; did you mean storage.delete?",
                "storage.maintenance.readnoly (config.yml:5): unknown key; "
                "did you mean storage.maintenance.readonly?",
            ],
        ),
        (
            "storage: {delet: {enabled: false}}",
            {},
            [
                "storage (config.yml:2): unknown storage driver 'delet'; expected one of filesystem, "
                "inmemory, azure, fsspec, gcs, oss, s3, swift; did you mean storage.delete?"
            ],
        ),
        (
            "storage: {filesystem: {rootdirectry: /srv}}",
            {},
            [
                "storage.filesystem.rootdirectry (config.yml:2): unknown key; "
                "did you mean storage.filesystem.rootdirectory?"
            ],
        ),
        (None, {"REGISTRY_STORAGE": ""}, [f"storage (REGISTRY_STORAGE): {NONE_NAMED}"]),
        (
            None,
            {"REGISTRY_STORAGE_FILESYTEM_ROOTDIRECTORY": "/srv"},
            [
                "REGISTRY_STORAGE_FILESYTEM_ROOTDIRECTORY: names no known key; "
                "did you mean REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY?"
            ],
        ),
        (
            None,
            {"REGISTRY_STROAGE": "s3"},
            ["REGISTRY_STROAGE: names no known key; did you mean REGISTRY_STORAGE?"],
        ),
        (
            "storage: inmemory",
            {"REGISTRY_STORAGE_INMEMORY_X": "1"},
            ["REGISTRY_STORAGE_INMEMORY_X: names no known key; did you mean REGISTRY_STORAGE_INMEMORY?"],
        ),
    ],
)
def test_what_may_have_been_meant_for_the_store_never_leads_to_another(
    text: str | None, variables: dict[str, str], expected: list[str]
) -> None:
    source = None if text is None else f"version: 0.1\n{text}"
    found = examine(source, variables, config_name="config.yml")
    assert found.configuration is None
    assert [str(error) for error in found.errors] == expected


def test_an_empty_mapping_names_no_driver_and_nothing_at_all_is_the_default() -> None:
    with pytest.raises(ConfigurationError, match="no storage driver is named"):
        load({}, {})
    assert load(None, {"REGISTRY_LOG_LEVEL": "debug"}).configuration.storage.driver == "filesystem"


def test_access_control_has_no_effect_on_pipes() -> None:
    text = (
        "version: 0.1\nstorage: inmemory\nauth: {htpasswd: {realm: a, path: b}}\n"
        "udist: {accesscontrol: {repositories: {a: {defaultpolicy: [read]}}}}"
    )
    loaded = load(text, {}, config_name="config.yml", on_pipes=True)
    assert (loaded.warnings, len(loaded.notices)) == ([], 1)
    assert loaded.notices[0].startswith("auth (config.yml:3): no effect here; there is no listener to guard")
    assert not loaded.configuration.guarded
    rules = load(text.replace("auth", "log"), {}, config_name="config.yml", on_pipes=True)
    assert rules.notices[-1].startswith("udist.accesscontrol (config.yml:4): no effect here")
    assert load(text, {}).configuration.guarded


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


VARIABLES = st.builds(
    "_".join,
    st.lists(
        st.sampled_from([word for key in all_keys() for word in key.path.upper().split(".")])
        | st.sampled_from(["", "0", "1", "99999999", "X-A", "é"]),
        max_size=5,
    ).map(lambda words: ["REGISTRY", *words]),
)
VALUES = st.text(max_size=20) | st.sampled_from(["{}", "[]", "[a]", "{a: b}", "true", "1h", "inmemory", "s3"])


@given(st.dictionaries(VARIABLES, VALUES, max_size=6), st.text(max_size=40))
def test_whatever_comes_is_a_configuration_or_errors(environ: dict[str, str], text: str) -> None:
    for source in (None, text, f"version: 0.1\n{text}", f"version: 0.1\nstorage: {{{text}}}"):
        examined = examine(source, environ)
        assert (examined.configuration is None) == bool(examined.errors)


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


def test_fields_about_a_connection_are_said_to_have_no_effect() -> None:
    text = "http: {headers: {Connection: [close], X-A: [b]}}"
    assert load(*file_of(text)).notices == ["no effect here: http.headers.Connection (configuration:2)"]
