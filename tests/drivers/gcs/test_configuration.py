"""What the section says, and what a probe says of a bucket that cannot be used: key, cause and cure, soon."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.auth.exceptions import TransportError
from google.cloud.storage import Blob

from tests.drivers.gcs.server import fake_gcs
from tests.drivers.scripted import Reply, Request, scripted
from tests.drivers.sections import section
from udist_plugin.drivers.gcs.keys import CHUNK_SIZE
from udist_plugin.drivers.gcs.settings import Settings, settings
from udist_plugin.drivers.gcs.store import GcsStore
from udist_plugin.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOON = 30.0


@pytest.fixture(scope="module")
def account() -> dict[str, object]:
    """A service account's key, of nobody."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return {
        "type": "service_account",
        "client_email": "udist@example.iam.gserviceaccount.com",
        "private_key": pem,
        "token_uri": "http://127.0.0.1:9/token",
    }


def refusal(store: GcsStore) -> ConfigurationError:
    before = time.monotonic()
    with pytest.raises(ConfigurationError) as caught:
        store.probe()
    assert time.monotonic() - before < SOON
    assert store.name in caught.value.key
    assert "the bucket registry" in caught.value.problem
    return caught.value


def test_parameters() -> None:
    assert settings({"bucket": "b"}) == (Settings("b", chunk_size=CHUNK_SIZE), "")
    given = {
        "bucket": "b",
        "keyfile": "/key.json",
        "rootdirectory": "/a/b/",
        "chunksize": "524288",
        "maxconcurrency": 100,
        "useragent": "me",
    }
    found, root = settings(section("gcs", given))
    assert found == Settings("b", "/key.json", {}, 524288, 100, "me")
    assert root == "a/b/"
    assert settings({"bucket": "b", "maxconcurrency": 1})[0].connections == 25
    assert settings({"bucket": "b", "credentials": {"type": "x"}})[0].credentials == {"type": "x"}


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({}, "bucket"),
        ({"bucket": ""}, "bucket"),
        ({"bucket": ["b"]}, "bucket"),
        ({"bucket": "b", "chunksize": 1}, "chunksize"),
        ({"bucket": "b", "chunksize": 300_000}, "chunksize"),
        ({"bucket": "b", "chunksize": "much"}, "chunksize"),
        ({"bucket": "b", "maxconcurrency": -1}, "maxconcurrency"),
        ({"bucket": "b", "credentials": "secret"}, "credentials"),
    ],
)
def test_wrong_parameters_are_named(values: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        settings(section("gcs", values))
    assert caught.value.key == f"storage.gcs.{key}"


def test_credentials_that_are_none_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing, wrong = tmp_path / "missing.json", tmp_path / "wrong.json"
    wrong.write_text("{}")
    for path in (missing, wrong):
        with pytest.raises(ConfigurationError, match="service account") as caught:
            GcsStore(Settings("b", keyfile=str(path)))
        assert caught.value.key == "storage.gcs.keyfile"
    with pytest.raises(ConfigurationError, match="service account") as caught:
        GcsStore(Settings("b", credentials={"type": "authorized_user"}))
    assert caught.value.key == "storage.gcs.credentials"
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(missing))
    with pytest.raises(ConfigurationError, match="no credentials") as caught:
        GcsStore(Settings("b"))
    assert caught.value.key == "storage.gcs.keyfile"


def test_a_missing_bucket(endpoint: str) -> None:
    error = refusal(GcsStore(Settings("registry-that-is-not-there")))
    assert error.key == "storage.gcs.bucket"
    assert "does not exist" in error.problem


@pytest.mark.parametrize(
    ("status", "key", "cure"),
    [(403, "storage.gcs.bucket", "roles/storage.objectAdmin"), (401, "storage.gcs.keyfile", "renew")],
)
def test_a_bucket_that_is_denied(status: int, key: str, cure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps({"error": {"code": status, "message": "storage.objects.list is missing"}}).encode()
    with scripted(lambda _: Reply(status, content, {"Content-Type": "application/json"})) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        error = refusal(GcsStore(Settings("registry")))
    assert error.key == key
    assert cure in error.problem
    assert status == 401 or "storage.objects.list is missing" in error.problem


def test_what_is_denied_names_the_bucket_and_the_role(monkeypatch: pytest.MonkeyPatch) -> None:
    content = json.dumps({"error": {"code": 403, "message": "storage.objects.create is missing"}}).encode()
    said = "b: the bucket registry denies it: grant these credentials roles/storage.objectAdmin on it"
    with scripted(lambda _: Reply(403, content, {"Content-Type": "application/json"})) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        store = GcsStore(Settings("registry"))
        actions: list[Callable[[], object]] = [
            lambda: store.put("b", b"x"),
            lambda: store.get("b"),
            lambda: store.head("b"),
            lambda: list(store.names("b")),
            lambda: store.delete(["b"]),
        ]
        for action in actions:
            with pytest.raises(StorageError, match=said) as caught:
                action()
            assert store.name == caught.value.driver


def test_a_server_of_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<!doctype html><html><body>Console</body></html>"
    with scripted(lambda _: Reply(200, page, {"Content-Type": "text/html"})) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        store = GcsStore(Settings("registry"))
        assert f"at {url} does not answer as Google's storage does" in refusal(store).problem
        actions: list[Callable[[], object]] = [
            lambda: store.put("b", b"x"),
            lambda: store.get("b"),
            lambda: list(store.names("b")),
        ]
        for action in actions:
            with pytest.raises(StorageError, match="b: this is not an answer of Google Cloud Storage"):
                action()


def test_an_account_that_is_no_more(account: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def answer(request: Request) -> Reply:
        asked.append(request.target)
        return Reply(400, b'{"error": "invalid_grant", "error_description": "account not found"}')

    with scripted(answer) as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        error = refusal(GcsStore(Settings("registry", credentials={**account, "token_uri": f"{url}/token"})))
    assert set(asked) == {"/token"}
    assert error.key == "storage.gcs.keyfile"
    assert "account not found" in error.problem


def test_a_service_that_cannot_be_reached(
    refusing: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://{refusing()}")
    error = refusal(GcsStore(Settings("registry")))
    assert "cannot be reached" in error.problem


def test_a_certificate_that_nobody_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    with fake_gcs("https") as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        error = refusal(GcsStore(Settings("registry")))
    assert "REQUESTS_CA_BUNDLE" in error.problem


def test_urls_are_signed_by_whoever_can(account: dict[str, object], bucket: str, endpoint: str) -> None:
    assert GcsStore(Settings(bucket)).url_for("a/b") is None
    url = GcsStore(Settings(bucket, credentials=account)).url_for("a/b")
    assert url is not None
    parts = urlsplit(url)
    assert url.startswith(f"{endpoint}/{bucket}/a/b?")
    query = parse_qs(parts.query)
    assert query["X-Goog-Expires"] == ["1200"]
    assert query["X-Goog-Credential"][0].startswith("udist@example.iam.gserviceaccount.com/")


def test_content_comes_through_the_plugin_where_signing_is_denied(
    account: dict[str, object], bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Impersonated credentials ask Google to sign, and may lack iam.serviceAccounts.signBlob."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise TransportError("Error calling sign_bytes: 403")

    monkeypatch.setattr(Blob, "generate_signed_url", refuse)
    assert GcsStore(Settings(bucket, credentials=account)).url_for("a") is None
