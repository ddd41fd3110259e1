"""Who signs: what the section names before what is around; found in time, and never shown."""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.drivers.s3.server import ACCESS_KEY, SECRET_KEY
from tests.drivers.scripted import Reply, scripted
from udist_plugin.drivers.s3 import session as s3_session
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.drivers.s3.server import S3Server

SECRET = "udist-secret-that-nobody-sees"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without what the SDK would find on this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def opened(values: dict[str, object]) -> S3Store:
    return S3Store(settings(values)[0])


def from_web_identity(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """As Kubernetes provides it."""
    (folder / "token").write_text(SECRET)
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/udist")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(folder / "token"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)


@pytest.mark.parametrize("around", ["keys", "web identity"])
@pytest.mark.parametrize("profile", ["", "backup"])
def test_a_named_file_comes_before_what_is_around(
    around: str, profile: str, minio_server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if around == "keys":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    else:
        from_web_identity(monkeypatch, tmp_path, "http://127.0.0.1:1")
    file = tmp_path / "credentials"
    section = profile or "default"
    file.write_text(f"[{section}]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    if profile:
        monkeypatch.setenv("AWS_PROFILE", profile)
    values = minio_server.parameters(minio_server.bucket(), accesskey="", secretkey="")
    opened({**values, "credentialsconfigpath": str(file)}).probe()


@pytest.mark.parametrize(
    ("content", "key"),
    [("[other]\n", "udist.s3.profile"), ("no section", "storage.s3.credentialsconfigpath")],
)
def test_a_named_file_without_credentials(content: str, key: str, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=str(file)) as caught:
        opened({"bucket": "b", "region": "r", "credentialsconfigpath": str(file)})
    assert caught.value.key == key


@pytest.mark.parametrize("name", ["accesskey", "secretkey", "sessiontoken"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\0"])
def test_a_line_break_in_a_credential_is_named_and_not_shown(name: str, end: str) -> None:
    keys = {"accesskey": "id", "secretkey": "key", "sessiontoken": "token"}
    with pytest.raises(ConfigurationError) as caught:
        opened({"bucket": "b", "region": "r", **keys, name: SECRET + end})
    assert caught.value.key == f"storage.s3.{name}"
    assert "line break" in caught.value.problem
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "key"), [("AWS_ACCESS_KEY_ID", "accesskey"), ("AWS_SESSION_TOKEN", "sessiontoken")]
)
def test_a_line_break_of_the_environment_is_named_and_not_shown(
    name: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "key")
    monkeypatch.setenv(name, f"{SECRET}\n")
    with pytest.raises(ConfigurationError, match="env") as caught:
        opened({"bucket": "b", "region": "r"})
    assert caught.value.key == f"storage.s3.{key}"
    assert SECRET not in str(caught.value)


def test_no_error_shows_what_a_header_cannot_hold() -> None:
    """A service gives credentials, too, and renews them while we run."""
    with scripted(lambda _: Reply(200)) as url:
        keys = {"accesskey": "id", "secretkey": "key", "sessiontoken": SECRET}
        found, _ = settings({"bucket": "b", "region": "r", "regionendpoint": url, **keys})
        store = S3Store(found._replace(session_token=f"{SECRET}\n"))
        for verb in (store.probe, lambda: store.head("a")):
            with pytest.raises((ConfigurationError, StorageError), match="header") as caught:
                verb()
            assert SECRET not in str(caught.value)


def silent(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[], None]:
    """A token service that takes requests and never answers; returns what ends it."""
    listener = socket.create_server(("127.0.0.1", 0))
    from_web_identity(monkeypatch, folder, f"http://127.0.0.1:{listener.getsockname()[1]}")
    return listener.close


def hanging(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[], None]:
    """A process that waits for what never comes; returns what ends it."""
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    (folder / "config").write_text(f"[default]\ncredential_process = cat {pipe}\n")

    def end() -> None:
        with suppress(OSError):  # nobody reads it
            os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))

    return end


@pytest.mark.parametrize(
    ("begin", "who"), [(silent, "assume-role-with-web-identity"), (hanging, "custom-process")]
)
def test_credentials_are_waited_for_a_while(
    begin: Callable[[pytest.MonkeyPatch, Path], Callable[[], None]],
    who: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(s3_session, "FINDING", 2.0, raising=False)
    end = begin(monkeypatch, tmp_path)
    begun = time.monotonic()
    try:
        with pytest.raises(ConfigurationError, match=who) as caught:
            opened({"bucket": "registry", "region": "us-east-1"}).probe()
    finally:
        end()
    assert time.monotonic() - begun < 10
    assert caught.value.key == "storage.s3.accesskey"
    assert "did not answer within 2 s" in caught.value.problem


def test_who_refuses_credentials_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = b"<Error><Code>AccessDenied</Code><Message>so it said</Message></Error>"
    with scripted(lambda _: Reply(403, b"<ErrorResponse>%b</ErrorResponse>" % said)) as url:
        from_web_identity(monkeypatch, tmp_path, url)
        with pytest.raises(ConfigurationError, match=r"web-identity.*so it said") as caught:
            opened({"bucket": "registry", "region": "us-east-1"})
    assert caught.value.key == "storage.s3.accesskey"
    assert SECRET not in str(caught.value)


def test_a_process_gives_credentials(minio_server: S3Server, tmp_path: Path) -> None:
    given = {"Version": 1, "AccessKeyId": ACCESS_KEY, "SecretAccessKey": SECRET_KEY}
    (tmp_path / "given").write_text(json.dumps(given))
    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {tmp_path / 'given'}\n")
    opened(minio_server.parameters(minio_server.bucket(), accesskey="", secretkey="")).probe()
