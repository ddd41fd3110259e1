"""What has no effect in a configuration: unknown keys, other programs' variables, what pipes do not need."""

from __future__ import annotations

import sys

import pytest

from tests.config.files import file_of
from udist_plugin.config import examine, load
from udist_plugin.errors import ConfigurationError


@pytest.mark.parametrize(
    ("storage", "middleware", "warns"),
    [
        ("filesystem: {rootdirectory: /x}", "{name: rewrite, options: {host: x}}", True),
        ("inmemory:", "{name: rewrite, options: {host: x}}", True),
        (
            "inmemory:",
            "{name: redirect, options: {baseurl: 'https://x'}}, {name: rewrite, options: {host: x}}",
            False,
        ),
        ("s3: {bucket: b, region: r}", "{name: rewrite, options: {host: x}}", False),
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


@pytest.mark.parametrize(
    ("entry", "key", "problem"),
    [
        ("{name: rewrite}", "name", "rewrite changes nothing without one of scheme, host, trimpathprefix"),
        (
            "{name: rewrite, options: {host: x, baseurl: 'https://x'}}",
            "options.baseurl",
            "has no effect, as rewrite only uses scheme, host, trimpathprefix",
        ),
        (
            "{name: redirect, options: {baseurl: 'https://x', duration: 5m}}",
            "options.duration",
            "has no effect, as redirect only uses baseurl",
        ),
        (
            "{name: rewrite, options: {trimpathprefix: bucket}}",
            "options.trimpathprefix",
            "expected a path that begins with /, as others match nothing",
        ),
    ],
)
def test_middleware_options_without_effect_are_warnings(entry: str, key: str, problem: str) -> None:
    text = (
        "version: 0.1\nstorage: {s3: {bucket: b, region: r}}\n"
        f"middleware:\n  storage:\n  - {{name: redirect, disabled: true}}\n  - {entry}\n"
    )
    found = load(text, {}, config_name="config.yml").warnings
    assert found == [f"middleware.storage.1.{key} (config.yml:6): {problem}"]


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


def test_fields_about_a_connection_are_said_to_have_no_effect() -> None:
    text = "http: {headers: {Connection: [close], X-A: [b]}}"
    assert load(*file_of(text)).notices == ["no effect here: http.headers.Connection (configuration:2)"]
