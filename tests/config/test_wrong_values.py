"""What every mistake in a configuration is called."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.files import HOOK, problems
from udist_plugin.config import examine, load
from udist_plugin.config.keys import all_keys
from udist_plugin.errors import ConfigurationError


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


def test_what_middleware_lacks_is_named_by_its_place_in_the_file() -> None:
    text = "middleware: {storage: [{name: redirect, disabled: true}, {name: redirect}]}"
    (found,) = problems(text)
    assert found.startswith("middleware.storage.1.options.baseurl ")


def test_a_protocol_in_place_of_a_driver_leads_to_fsspec() -> None:
    (found,) = problems("storage: {sftp: {url: 'sftp://a/b'}}")
    assert found.endswith("; use storage.fsspec with a url that begins with sftp://")
