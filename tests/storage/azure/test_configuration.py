"""What the section says, and what a probe says of a container that cannot be used: key, cause, cure, soon."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.storage.azure.server import ACCOUNT, KEY, azurite
from tests.storage.processes import free_port
from tests.storage.scripted import Reply, scripted
from udist_plugin.config import load
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable
from udist_plugin.storage.drivers.azure import RETRIES, Settings, settings
from udist_plugin.storage.drivers.azure_store import AzureStore

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.storage.blob import ContainerClient

SOON = 30.0
LEAST: dict[str, object] = {"container": "c", "accountname": "a"}


def refusal(parameters: dict[str, object]) -> ConfigurationError:
    store = AzureStore(settings(parameters)[0])
    before = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        store.probe()
    assert time.monotonic() - before < SOON
    assert f"the container {parameters['container']} of" in caught.value.problem
    return caught.value


def certify(folder: Path) -> tuple[str, str]:
    """The files of a certificate for 127.0.0.1 that nobody signed, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "udist")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    (folder / "cert.pem").write_bytes(certificate)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_parameters() -> None:
    url = "https://a.blob.core.windows.net"
    assert settings(LEAST) == (Settings("c", url, "default_credentials", "a"), "")
    found, root = settings(
        {
            **LEAST,
            "accountkey": "a2V5",
            "realm": "core.chinacloudapi.cn",
            "rootdirectory": "/x/y/",
            "max_retries": "-1",
            "retry_delay": "1m0.5s",
            "skipverify": "true",
            "trimlegacyrootprefix": False,
        }
    )
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
    assert settings({**LEAST, "trimlegacyrootprefix": "false"})[1] == "/"
    assert settings({**LEAST, "trimlegacyrootprefix": True})[0].legacy_root is False
    assert settings({**LEAST, "max_retries": 0})[0].retries == RETRIES  # as if it were not given


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
        settings(values)
    assert caught.value.key == f"storage.azure.{key}"


def test_a_connection_string_that_is_none_is_named() -> None:
    with pytest.raises(ConfigurationError) as caught:
        AzureStore(settings({"container": "c", "connectionstring": "nonsense"})[0])
    assert caught.value.key == "storage.azure.connectionstring"


def test_the_type_of_credentials_goes_before_a_connection_string() -> None:
    given = {**LEAST, "accountkey": "k", "credentials": {"type": "shared_key"}, "connectionstring": "s"}
    found, _ = settings(given)
    assert (found.credentials, found.connection_string) == ("shared_key", "")


def test_a_connection_string(endpoint: str, container: ContainerClient) -> None:
    text = f"AccountName={ACCOUNT};AccountKey={KEY};BlobEndpoint={endpoint}"
    store = AzureStore(settings({"container": container.container_name, "connectionstring": text})[0])
    store.probe()
    store.put("a", b"x")
    assert store.url_for("a")


def test_a_missing_container(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "container": "not-there"})
    assert error.key == "storage.azure.container"
    assert "does not exist" in error.problem


@pytest.mark.parametrize("key", ["bm90IHRoZSBrZXk=", "not base64 at all"])
def test_a_wrong_key(key: str, parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "accountkey": key})
    assert error.key == "storage.azure.accountkey"
    assert "refused" in error.problem


def test_an_identity_without_the_role(endpoint: str, container: ContainerClient) -> None:
    name = container.container_name
    signature = generate_container_sas(
        ACCOUNT,
        name,
        account_key=KEY,
        permission=ContainerSasPermissions(read=True, write=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    text = f"BlobEndpoint={endpoint};SharedAccessSignature={signature}"
    error = refusal({"container": name, "connectionstring": text})
    assert error.key == "storage.azure"
    assert "Storage Blob Data Contributor" in error.problem


def test_what_is_denied_names_the_container_and_the_role(endpoint: str, container: ContainerClient) -> None:
    name = container.container_name
    container.upload_blob("b", b"x")
    signature = generate_container_sas(
        ACCOUNT,
        name,
        account_key=KEY,
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    text = f"BlobEndpoint={endpoint};SharedAccessSignature={signature}"
    store = AzureStore(settings({"container": name, "connectionstring": text})[0])
    store.probe()
    said = f"b: the container {name} of {ACCOUNT} denies it: grant the role Storage Blob Data Contributor"
    actions: list[Callable[[], object]] = [
        lambda: store.put("b", b"x"),
        lambda: store.get("b"),
        lambda: store.delete(["b"]),
    ]
    for action in actions:
        with pytest.raises(StorageError, match=said) as caught:
            action()
        assert "sig=" not in str(caught.value)


@pytest.mark.parametrize("kind", ["client_secret", "default_credentials"])
def test_an_authority_that_cannot_be_one_is_named(kind: str) -> None:
    secret = {"type": kind, "tenantid": "t", "clientid": "c", "secret": "s"}
    with pytest.raises(ConfigurationError, match="authority") as caught:
        AzureStore(settings({**LEAST, "credentials": secret, "aad_endpoint": "http://plain"})[0])
    assert caught.value.key == "storage.azure.aad_endpoint"


def test_an_authority_that_cannot_be_reached(parameters: dict[str, object]) -> None:
    secret = {"type": "client_secret", "tenantid": "t", "clientid": "c", "secret": "s"}
    authority = f"https://127.0.0.1:{free_port()}"
    values: dict[str, object] = {
        **parameters,
        "serviceurl": "https://127.0.0.1:9/account",
        "credentials": secret,
        "aad_endpoint": authority,
    }
    error = refusal(values)
    assert error.key == "storage.azure.aad_endpoint"
    assert error.problem.startswith(f"{authority}, which issues tokens for the container")
    assert "cannot be reached: check aad_endpoint" in error.problem
    with pytest.raises(StorageUnavailable):
        AzureStore(settings(values)[0]).head("a")


def test_an_authority_that_refuses(
    parameters: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = {"type": "client_secret", "tenantid": "t", "clientid": "c", "secret": "s3cret"}
    content = b'{"error": "invalid_client", "error_description": "AADSTS7000215: wrong secret"}'
    found = Reply(401, content, {"Content-Type": "application/json"})
    certificate = certify(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certificate[0])
    with scripted(lambda _: found, certificate=certificate) as url:
        error = refusal(
            {
                **parameters,
                "serviceurl": "https://127.0.0.1:9/account",
                "credentials": secret,
                "aad_endpoint": url,
            }
        )
    assert error.key == "storage.azure.credentials"
    assert "refused" in error.problem
    assert "s3cret" not in error.problem


@pytest.mark.parametrize(
    ("status", "page", "kind"),
    [
        (200, b"<!doctype html><html><body>Console</body></html>", "text/html"),
        (200, b"<a/>", "application/xml"),
        (200, b"{}", "application/json"),
        (200, b"", "text/plain"),
        (302, b"", "text/html"),
        (404, b"<html>no such page</html>", "text/html"),
    ],
)
def test_a_server_of_something_else(
    parameters: dict[str, object], status: int, page: bytes, kind: str
) -> None:
    with scripted(lambda _: Reply(status, page, {"Content-Type": kind})) as url:
        values = {**parameters, "serviceurl": url, "max_retries": -1}
        error = refusal(values)
        assert error.key == "storage.azure.serviceurl"
        assert f"at {url}/ does not answer as Azure's blob service does" in error.problem
        store = AzureStore(settings(values)[0])
        for action in (lambda: store.head("a"), lambda: list(store.names("a"))):
            with pytest.raises(StorageError):
                action()


def test_a_service_that_cannot_be_reached(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "serviceurl": f"http://127.0.0.1:{free_port()}/{ACCOUNT}"})
    assert "cannot be reached" in error.problem


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # asked for
def test_a_certificate_that_nobody_signed(tmp_path: Path) -> None:
    certificate, key = certify(tmp_path)
    files = [f"--cert={certificate}", f"--key={key}"]
    parameters: dict[str, object] = {"container": "registry", "accountname": ACCOUNT, "accountkey": KEY}
    with azurite(*files) as url:
        parameters["serviceurl"] = url.replace("http:", "https:")
        assert "REQUESTS_CA_BUNDLE" in refusal(parameters).problem
        assert "does not exist" in refusal({**parameters, "skipverify": True}).problem


def test_a_registry_of_distribution_2_is_not_passed_over(
    parameters: dict[str, object], container: ContainerClient
) -> None:
    container.upload_blob("/docker/registry/v2/repositories/r/_layers/x/link", b"x")
    error = refusal(parameters)
    assert error.key == "storage.azure.trimlegacyrootprefix"
    for value in (True, False):
        AzureStore(settings({**parameters, "trimlegacyrootprefix": value})[0]).probe()
    container.upload_blob("docker/registry/v2/repositories/r/_layers/x/link", b"x")
    AzureStore(settings(parameters)[0]).probe()


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
