"""What a probe says of a service that is busy, of none at all, and of TLS that cannot begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.drivers.scripted import Reply, Request, scripted
from udist_plugin.drivers.s3 import probe as s3_probe
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.drivers.s3.server import S3Server

XML = {"Content-Type": "application/xml"}
PAGE = b"<!doctype html><html><head><meta charset=utf-8></head><body>Console</body></html>"
LISTED = b"<ListBucketResult><Name>registry</Name><IsTruncated>false</IsTruncated></ListBucketResult>"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("udist_plugin.drivers.objects.pauses.FIRST", 0.01)
    monkeypatch.setattr(s3_probe, "PROBE_PATIENCE", 0.3)


def opened(url: str, **more: object) -> S3Store:
    keys = {"accesskey": "id", "secretkey": "secret"}
    return S3Store(settings({"bucket": "registry", "regionendpoint": url, **keys, **more})[0])


def refusal(url: str, **more: object) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        opened(url, **more).probe()
    assert "the bucket registry" in caught.value.problem
    return caught.value


def busy(status: int, code: str) -> Reply:
    return Reply(status, f"<Error><Code>{code}</Code><Message>so it said</Message></Error>".encode(), XML)


BUSY = pytest.mark.parametrize(
    "busy",
    [busy(503, "SlowDown"), busy(500, "InternalError"), busy(429, "TooManyRequests")],
    ids=lambda each: str(each.status),
)


@BUSY
def test_a_busy_service_is_asked_again(busy: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_probe, "PROBE_PATIENCE", 60.0)
    asked: list[Request] = []

    def answer(request: Request) -> Reply:
        asked.append(request)
        return busy if len(asked) < 6 else Reply(200, LISTED, XML)

    with scripted(answer) as url:
        opened(url).probe()
    assert len(asked) == 6


@BUSY
def test_a_service_that_stays_busy_is_given_up(busy: Reply) -> None:
    with scripted(lambda _: busy) as url, pytest.raises(StorageUnavailable, match="so it said") as caught:
        opened(url).probe()
    assert "the bucket registry" in str(caught.value)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_proxy_before_a_service_that_is_away_is_busy(status: int) -> None:
    with scripted(lambda _: Reply(status, PAGE)) as url, pytest.raises(StorageUnavailable):
        opened(url).probe()


@pytest.mark.parametrize(
    ("status", "content"),
    [(200, PAGE), (200, b"<html><body>sound XML</body></html>"), (200, b""), (200, b"{}"), (404, PAGE)],
)
def test_a_web_page_is_no_service(status: int, content: bytes) -> None:
    with scripted(lambda _: Reply(status, content, {"Content-Type": "text/html"})) as url:
        error = refusal(url)
        assert error.key == "storage.s3.regionendpoint"
        assert "not S3" in error.problem
        if status == 200:
            with pytest.raises(StorageError, match="regionendpoint"):
                opened(url).head("a")


def test_a_service_below_a_path_is_one() -> None:
    targets: list[str] = []

    def answer(request: Request) -> Reply:
        targets.append(request.target)
        return Reply(200, LISTED, XML)

    with scripted(answer) as url:
        opened(f"{url}/storage/v1/s3").probe()
    assert targets[0].startswith("/storage/v1/s3/registry?")


def test_a_port_without_tls_is_not_a_certificate(minio_server: S3Server) -> None:
    error = refusal(minio_server.url.replace("http:", "https:"))
    assert error.key == "storage.s3.regionendpoint"
    assert "not use TLS" in error.problem


@pytest.mark.parametrize("content", [None, b"no certificate"])
@pytest.mark.parametrize("variable", ["", "AWS_CA_BUNDLE"])
def test_a_file_of_certificates_that_is_none(
    content: bytes | None, variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    if variable:
        monkeypatch.setenv(variable, str(file))
    with scripted(lambda _: Reply(200)) as url:
        error = refusal(url.replace("http:", "https:"), **({} if variable else {"cafile": str(file)}))
    assert error.key == "udist.s3.cafile"
    assert (variable or str(file)) in error.problem
    assert "PEM" in error.problem
