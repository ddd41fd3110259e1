"""``REGISTRY_*`` over a file: names, indexes, subtrees, and the traps of distribution's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from udist_plugin.config import load
from udist_plugin.config.keys import schema
from udist_plugin.config.model import Platform
from udist_plugin.config.nodes import from_python, plain
from udist_plugin.config.overlay import UnknownVariable, overlay, registry_variables
from udist_plugin.config.schema import tree
from udist_plugin.errors import ConfigurationError
from udist_plugin.keys import Key
from udist_plugin.kinds import Anything, Integer

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = schema()


def over(source: Mapping[str, object], variable: str, value: str) -> object:
    return plain(overlay(from_python(dict(source), "file"), SCHEMA, variable, value))


@pytest.mark.parametrize(
    ("variable", "value", "tree"),
    [
        ("REGISTRY_LOG_LEVEL", "debug", {"log": {"level": "debug"}}),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "false", {"storage": {"delete": {"enabled": "false"}}}),
        ("REGISTRY_HTTP_SECRET", "1e5", {"http": {"secret": "1e5"}}),
        ("REGISTRY_HTTP_SECRET", "@abc", {"http": {"secret": "@abc"}}),
        ("REGISTRY_HTTP_SECRET", "{a: [", {"http": {"secret": "{a: ["}}),
        (
            "REGISTRY_HTTP",
            "{secret: x, relativeurls: true}",
            {"http": {"secret": "x", "relativeurls": "true"}},
        ),
        ("REGISTRY_HTTP_HEADERS_X-A", "[b, c]", {"http": {"headers": {"x-a": ["b", "c"]}}}),
        ("REGISTRY_HTTP_HEADERS_X-A_0", "[b", {"http": {"headers": {"x-a": ["[b"]}}}),
        ("REGISTRY_HTTP_HEADERS_X_A_0", "b", {"http": {"headers": {"x_a": ["b"]}}}),
        ("REGISTRY_STORAGE", "inmemory", {"storage": {"inmemory": {}}}),
        ("REGISTRY_HEALTH_FILECHECKERS", "[{file: x}]", {"health": {"file": [{"file": "x"}]}}),
        ("REGISTRY_HEALTH_FILE_0_FILE", "x", {"health": {"file": [{"file": "x"}]}}),
        ("REGISTRY_NOTIFICATIONS_EVENTCONFIG", "{}", {"notifications": {"events": {}}}),
        ("REGISTRY_AUTH_HTPASSWD_REALM", "x", {"auth": {"htpasswd": {"realm": "x"}}}),
        ("REGISTRY_AUTH", "", {"auth": None}),
        ("REGISTRY_STORAGE_DELETE_ENABLED", "", {"storage": {"delete": {"enabled": None}}}),
    ],
)
def test_a_variable_sets_the_key_it_names(variable: str, value: str, tree: object) -> None:
    assert over({}, variable, value) == tree


def test_a_known_key_with_an_underscore_is_one_name() -> None:
    keys = [
        Key(f"storage.azure.{name}", Integer(0, 9), 0, "") for name in ("max_retries", "max.retries", "max_")
    ]
    changed = overlay(from_python({}, "file"), tree(keys), "REGISTRY_STORAGE_AZURE_MAX_RETRIES", "3")
    assert plain(changed) == {"storage": {"azure": {"max_retries": "3"}}}


def test_a_shorter_name_is_tried_when_the_longer_leads_nowhere() -> None:
    keys = [Key("a_b.c", Anything(), 0, ""), Key("a.b_d", Anything(), 0, "")]
    changed = overlay(from_python({}, "file"), tree(keys), "REGISTRY_A_B_D", "3")
    assert plain(changed) == {"a": {"b_d": "3"}}


def test_lists_are_changed_and_grow_by_index() -> None:
    urls = {"validation": {"manifests": {"urls": {"allow": ["a", "b"]}}}}
    name = "REGISTRY_VALIDATION_MANIFESTS_URLS_ALLOW"
    assert plain_at(over(urls, f"{name}_1", "x")) == ["a", "x"]
    assert plain_at(over(urls, f"{name}_2", "x")) == ["a", "b", "x"]
    with pytest.raises(ConfigurationError, match="expected an index from 0 to 2"):
        over(urls, f"{name}_3", "x")


def plain_at(node: object) -> object:
    for name in ("validation", "manifests", "urls", "allow"):
        assert isinstance(node, dict)
        node = node[name]
    return node


def test_structures_in_lists() -> None:
    loaded = load(
        None,
        {
            "REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_OS": "linux",
            "REGISTRY_VALIDATION_MANIFESTS_INDEXES_PLATFORMLIST_0_ARCHITECTURE": "arm64",
        },
    )
    assert loaded.configuration.validation.manifests.indexes.platformlist == (Platform("arm64", "linux"),)


def test_a_header_keeps_the_spelling_it_has_in_the_file() -> None:
    changed = over({"http": {"headers": {"X-Frame": ["a"]}}}, "REGISTRY_HTTP_HEADERS_X-FRAME_0", "b")
    assert changed == {"http": {"headers": {"X-Frame": ["b"]}}}


def test_the_file_s_own_nodes_stay_as_they_were() -> None:
    root = from_python({"log": {"level": "info"}}, "file")
    overlay(root, SCHEMA, "REGISTRY_LOG_LEVEL", "debug")
    assert plain(root) == {"log": {"level": "info"}}


def test_choosing_a_driver_keeps_the_settings_beside_it() -> None:
    """In distribution ``REGISTRY_STORAGE=inmemory`` drops ``delete`` as well."""
    storage = {"filesystem": {"rootdirectory": "/x"}, "delete": {"enabled": False}}
    changed = over({"storage": storage}, "REGISTRY_STORAGE", "inmemory")
    assert changed == {"storage": {"delete": {"enabled": "false"}, "inmemory": {}}}
    changed = over({"storage": storage}, "REGISTRY_STORAGE", "filesystem")
    assert changed == {"storage": {"delete": {"enabled": "false"}, "filesystem": {"rootdirectory": "/x"}}}


def test_a_less_specific_variable_comes_first() -> None:
    loaded = load(
        None,
        {
            "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY": "/x",
            "REGISTRY_STORAGE": "{filesystem: {rootdirectory: /y}}",
        },
    )
    assert loaded.configuration.storage.parameters["rootdirectory"] == "/x"


@pytest.mark.parametrize("name", ["LOG_LEVL", "LOG_LEVEL_X", "PORT_5000_TCP", "LOG_", ""])
def test_a_name_of_nothing_is_unknown(name: str) -> None:
    with pytest.raises(UnknownVariable):
        over({}, f"REGISTRY_{name}", "x")


def test_a_subtree_that_is_not_yaml_names_key_and_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        over({}, "REGISTRY_HTTP_HEADERS", "{a: [")
    assert str(caught.value).startswith("http.headers (REGISTRY_HTTP_HEADERS): not YAML: ")


def test_variables_of_other_programs_are_left_alone() -> None:
    environ = {"REGISTRY_AUTH_FILE": "/run/auth.json", "REGISTRY_LOG_LEVEL": "warn", "PATH": "/bin"}
    assert registry_variables(environ) == {"REGISTRY_LOG_LEVEL": "warn"}
    loaded = load(None, environ)
    assert loaded.warnings == []
    assert loaded.configuration.log.level == "warn"


def service(name: str, port: int = 5000) -> dict[str, str]:
    """What Kubernetes sets in every container for a service (kubelet's ``envvars.FromServices``)."""
    word = name.upper().replace("-", "_")
    address = f"tcp://10.96.0.7:{port}"
    return {
        f"{word}_SERVICE_HOST": "10.96.0.7",
        f"{word}_SERVICE_PORT": str(port),
        f"{word}_SERVICE_PORT_HTTP": str(port),
        f"{word}_PORT": address,
        f"{word}_PORT_{port}_TCP": address,
        f"{word}_PORT_{port}_TCP_PROTO": "tcp",
        f"{word}_PORT_{port}_TCP_PORT": str(port),
        f"{word}_PORT_{port}_TCP_ADDR": "10.96.0.7",
    }


SERVICES = [
    "registry",
    "registry-auth",
    "registry-storage",
    "registry-log",
    "registry-http",
    "registry-redis",
]


@pytest.mark.parametrize("name", [*SERVICES, "registry-storage-s3", "registry-proxy", "registry-middleware"])
def test_what_kubernetes_says_of_a_service_is_left_alone_with_a_warning(name: str) -> None:
    variables = service(name)
    loaded = load(None, {**variables, "REGISTRY_LOG_LEVEL": "warn"})
    assert loaded.configuration == load(None, {"REGISTRY_LOG_LEVEL": "warn"}).configuration
    (warning,) = loaded.warnings
    assert warning == f"ignored, as Kubernetes sets them for a service: {', '.join(sorted(variables))}"


def test_an_address_is_known_without_the_rest_of_the_service() -> None:
    assert load(None, {"REGISTRY_AUTH_PORT": "tcp://10.0.0.1:443"}).warnings == [
        "ignored, as Kubernetes sets them for a service: REGISTRY_AUTH_PORT"
    ]


def test_a_key_that_only_looks_like_a_service_s_is_set() -> None:
    fields = {"REGISTRY_LOG_FIELDS_A_SERVICE_HOST": "h", "REGISTRY_LOG_FIELDS_B_PORT": "tcp"}
    loaded = load(None, fields)
    assert loaded.warnings == []
    assert loaded.configuration.log.fields == {"a_service_host": "h", "b_port": "tcp"}


def test_an_empty_variable_takes_a_value_away() -> None:
    """openshift-velero-plugin passes every variable it knows, most of them empty."""
    source = {"storage": {"s3": {"bucket": "b", "skipverify": True, "region": "r"}}}
    variables = {"REGISTRY_STORAGE_S3_SKIPVERIFY": "", "REGISTRY_STORAGE_S3_REGION": ""}
    parameters = load(source, variables).configuration.storage.parameters
    assert parameters["skipverify"] is False
    assert "region" not in parameters


@pytest.mark.parametrize(
    ("variables", "driver", "parameters"),
    [
        (
            {
                "REGISTRY_STORAGE_S3_BUCKET": "backups",
                "REGISTRY_STORAGE_S3_REGION": "us-east-1",
                "REGISTRY_STORAGE_S3_REGIONENDPOINT": "https://minio.example",
                "REGISTRY_STORAGE_S3_SKIPVERIFY": "true",
                "REGISTRY_STORAGE_S3_CREDENTIALSCONFIGPATH": "/tmp/credentials",
                "REGISTRY_STORAGE_S3_ACCESSKEY": "0123",
                "REGISTRY_STORAGE_S3_SECRETKEY": "1e5",
            },
            "s3",
            {
                "bucket": "backups",
                "region": "us-east-1",
                "regionendpoint": "https://minio.example",
                "skipverify": True,
                "credentialsconfigpath": "/tmp/credentials",
                "accesskey": "0123",
                "secretkey": "1e5",
                "chunksize": 10 << 20,
                "storageclass": "STANDARD",
            },
        ),
        (
            {
                "REGISTRY_STORAGE_AZURE_CONTAINER": "backups",
                "REGISTRY_STORAGE_AZURE_ACCOUNTNAME": "account",
                "REGISTRY_STORAGE_AZURE_ACCOUNTKEY": "",
                "REGISTRY_STORAGE_AZURE_AAD_ENDPOINT": "https://login.example",
                "REGISTRY_STORAGE_AZURE_SPN_CLIENT_ID": "client",
                "REGISTRY_STORAGE_AZURE_SPN_CLIENT_SECRET": "secret",
                "REGISTRY_STORAGE_AZURE_SPN_TENANT_ID": "tenant",
                "REGISTRY_STORAGE_AZURE_MAX_RETRIES": "2",
            },
            "azure",
            {
                "container": "backups",
                "accountname": "account",
                "aad_endpoint": "https://login.example",
                "credentials": {"clientid": "client", "secret": "secret", "tenantid": "tenant"},
                "max_retries": 2,
                "retry_delay": 0.1,
            },
        ),
        (
            {"REGISTRY_STORAGE_GCS_BUCKET": "backups", "REGISTRY_STORAGE_GCS_KEYFILE": "/tmp/key"},
            "gcs",
            {"bucket": "backups", "keyfile": "/tmp/key", "maxconcurrency": 50},
        ),
    ],
    ids=["s3", "azure", "gcs"],
)
def test_what_openshift_velero_plugin_passes(
    variables: dict[str, str], driver: str, parameters: dict[str, object]
) -> None:
    loaded = load(None, {"REGISTRY_STORAGE": driver, **variables})
    assert loaded.warnings == []
    storage = loaded.configuration.storage
    assert storage.driver == driver
    assert parameters.items() <= storage.parameters.items()
    assert "accountkey" not in storage.parameters


def test_a_driver_that_the_file_only_names_is_kept() -> None:
    with pytest.raises(ConfigurationError, match=r"one storage driver, not filesystem .*, s3"):
        load("version: 0.1\nstorage: filesystem", {"REGISTRY_STORAGE_S3_BUCKET": "b"})
