"""What is said of a container that cannot be used, or denies something: key, cause and cure, soon."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from azure.storage.blob import ContainerSasPermissions, generate_container_sas
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.drivers.azure.server import ACCOUNT, KEY, azurite
from tests.drivers.scripted import Reply, scripted
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.azure.store import AzureStore
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from azure.storage.blob import ContainerClient

SOON = 30.0


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


def test_a_missing_container(parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "container": "not-there"})
    assert error.key == "storage.azure.container"
    assert "does not exist" in error.problem


@pytest.mark.parametrize("key", ["bm90IHRoZSBrZXk=", "not base64 at all"])
def test_a_wrong_key(key: str, parameters: dict[str, object]) -> None:
    error = refusal({**parameters, "accountkey": key})
    assert error.key == "storage.azure.accountkey"
    assert "refused" in error.problem


def test_an_identity_without_the_role(azurite_server: str, container: ContainerClient) -> None:
    name = container.container_name
    signature = generate_container_sas(
        ACCOUNT,
        name,
        account_key=KEY,
        permission=ContainerSasPermissions(read=True, write=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    text = f"BlobEndpoint={azurite_server};SharedAccessSignature={signature}"
    error = refusal({"container": name, "connectionstring": text})
    assert error.key == "storage.azure"
    assert "Storage Blob Data Contributor" in error.problem


def test_what_is_denied_names_the_container_and_the_role(
    azurite_server: str, container: ContainerClient
) -> None:
    name = container.container_name
    container.upload_blob("b", b"x")
    signature = generate_container_sas(
        ACCOUNT,
        name,
        account_key=KEY,
        permission=ContainerSasPermissions(list=True),
        expiry=datetime.now(UTC) + timedelta(hours=1),
    )
    text = f"BlobEndpoint={azurite_server};SharedAccessSignature={signature}"
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
def test_an_authority_that_cannot_be_reached(
    kind: str,
    parameters: dict[str, object],
    refusing: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    secret = {"type": kind, "tenantid": "t", "clientid": "c", "secret": "s"}
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"AZURE_{name}", "s")
    authority = f"https://{refusing()}"
    values: dict[str, object] = {
        **parameters,
        "serviceurl": "https://127.0.0.1:9/account",
        "credentials": secret,
        "aad_endpoint": authority,
        "max_retries": -1,
    }
    error = refusal(values)
    assert error.key == "storage.azure.aad_endpoint"
    assert error.problem.startswith(f"{authority}, which issues tokens for the container")
    assert "cannot be reached: check aad_endpoint" in error.problem
    with pytest.raises(StorageUnavailable):
        AzureStore(settings(values)[0]).head("a")


def test_no_credentials(parameters: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.delenv(f"AZURE_{name}", raising=False)
    monkeypatch.setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
    values = {"serviceurl": "https://127.0.0.1:9/account", "accountkey": ""}
    error = refusal({**parameters, **values})
    assert error.key == "storage.azure.credentials"
    assert "needs credentials" in error.problem


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


def test_a_service_that_cannot_be_reached(parameters: dict[str, object], refusing: Callable[[], str]) -> None:
    error = refusal({**parameters, "serviceurl": f"http://{refusing()}/{ACCOUNT}"})
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
