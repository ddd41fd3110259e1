"""What the section says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.drivers.azure.server import ACCOUNT, KEY
from tests.drivers.sections import section
from udist_plugin.config import load
from udist_plugin.drivers.azure.settings import Settings, settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

LEAST: dict[str, object] = {"container": "c", "accountname": "a"}


def test_parameters() -> None:
    url = "https://a.blob.core.windows.net"
    assert settings(LEAST) == (Settings("c", url, "default_credentials", "a"), "")
    given = {
        **LEAST,
        "accountkey": "a2V5",
        "realm": "core.chinacloudapi.cn",
        "rootdirectory": "/x/y/",
        "max_retries": "-1",
        "retry_delay": "1m0.5s",
        "skipverify": "true",
        "trimlegacyrootprefix": False,
    }
    found, root = settings(section("azure", given))
    assert root == "/x/y/"
    assert found == Settings(
        "c",
        "https://a.blob.core.chinacloudapi.cn",
        "shared_key",
        "a",
        "a2V5",
        retries=0,
        retry_delay=60.5,
        verify=False,
        legacy_root=True,
    )
    assert settings({**LEAST, "rootdirectory": "x"})[1] == "x/"
    assert settings(section("azure", {**LEAST, "trimlegacyrootprefix": "false"}))[1] == "/"
    assert settings({**LEAST, "trimlegacyrootprefix": True})[0].legacy_root is False
    assert settings({**LEAST, "max_retries": 0})[0].retries is None  # as if it were not given
    for delay, seconds in (("50us", 5e-05), ("7ns", 7e-09), ("0s", 0.0), ("90m", 5400.0)):
        assert settings(section("azure", {**LEAST, "retry_delay": delay}))[0].retry_delay == pytest.approx(
            seconds
        )


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({}, "default_credentials"),
        ({"accountkey": ""}, "default_credentials"),
        ({"accountkey": "k"}, "shared_key"),
        ({"connectionstring": "s", "accountkey": "k"}, "connection_string"),
        ({"credentials": {"tenantid": "t", "clientid": "c", "secret": "s"}}, "client_secret"),
        ({"accountkey": "k", "credentials": {"type": "default"}}, "default_credentials"),
        ({"accountkey": "k", "credentials": {"type": "shared_key", "secret": "s"}}, "shared_key"),
    ],
)
def test_credentials_are_chosen(given: dict[str, object], kind: str) -> None:
    assert settings({**LEAST, **given})[0].credentials == kind


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"accountname": "a"}, "container"),
        ({"container": "c"}, "accountname"),
        ({**LEAST, "retry_delay": "soon"}, "retry_delay"),
        ({**LEAST, "max_retries": "many"}, "max_retries"),
        ({**LEAST, "skipverify": "perhaps"}, "skipverify"),
        ({**LEAST, "credentials": {"type": "magic"}}, "credentials.type"),
        ({**LEAST, "credentials": {"type": "shared_key"}}, "accountkey"),
        ({**LEAST, "credentials": {"type": "client_secret", "tenantid": "t"}}, "credentials.clientid"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(section("azure", values))
    assert caught.value.key == f"storage.azure.{key}"


def test_a_connection_string_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        AzureStore(settings({"container": "c", "connectionstring": "nonsense"})[0])
    assert caught.value.key == "storage.azure.connectionstring"


def test_the_type_of_credentials_goes_before_a_connection_string() -> None:
    given = {**LEAST, "accountkey": "k", "credentials": {"type": "shared_key"}, "connectionstring": "s"}
    found, _ = settings(given)
    assert (found.credentials, found.connection_string) == ("shared_key", "")


def test_a_connection_string(azurite_server: str, container: ContainerClient) -> None:
    text = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={azurite_server}"
    store = AzureStore(settings({"container": container.container_name, "connectionstring": text})[0])
    store.probe()
    store.put("a", b"x")
    assert store.url_for("a")


@pytest.mark.parametrize("kind", ["client_secret", "default_credentials"])
def test_an_authority_that_cannot_be_one_is_named(kind: str) -> None:
    secret = {"type": kind, "tenantid": "t", "clientid": "c", "secret": "s"}
    with pytest.raises(ConfigurationError, match="authority") as caught:
        AzureStore(settings({**LEAST, "credentials": secret, "aad_endpoint": "http://plain"})[0])
    assert caught.value.key == "storage.azure.aad_endpoint"


def test_a_signed_url_serves_the_object(parameters: dict[str, object]) -> None:
    store = AzureStore(settings(parameters)[0])
    store.put("a/b c", b"content")
    url = store.url_for("a/b c")
    assert url is not None
    with urlopen(url, timeout=10) as response:
        assert response.read() == b"content"


def test_a_service_principal_by_udistributions_names() -> None:
    given = {
        "CONTAINER": "c",
        "ACCOUNTNAME": "a",
        "ACCOUNTKEY": "",
        "SPN_TENANT_ID": "t",
        "SPN_CLIENT_ID": "i",
        "SPN_CLIENT_SECRET": "s",
        "AAD_ENDPOINT": "https://login.microsoftonline.us",
    }
    environ = {f"REGISTRY_STORAGE_AZURE_{name}": value for name, value in given.items()}
    storage = load(None, {"REGISTRY_STORAGE": "azure", **environ}).configuration.storage
    found, _ = settings(storage.parameters)
    assert found.credentials == "client_secret"
    assert (found.tenant, found.client, found.secret) == ("t", "i", "s")
    assert found.authority == "https://login.microsoftonline.us"
