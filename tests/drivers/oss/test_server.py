"""The server that the driver is tested with: it signs as Alibaba's SDKs do, and refuses what OSS refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.drivers.oss.server import ID, SCOPE, SECRET, OssServer, Refused
from tests.drivers.oss.signature import signature
from udist_plugin.drivers.oss.settings import settings
from udist_plugin.drivers.oss.store import OssStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

QUERY = {
    "param1": "value1",
    "+param1": "value3",
    "|param1": "value4",
    "+param2": "",
    "|param2": "",
    "param2": "",
}
HEADERS = {
    "x-oss-head1": "value",
    "abc": "value",
    "zabc": "value",
    "content-type": "text/plain",
    "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
}


@pytest.mark.parametrize(
    ("moment", "more", "expected"),
    [
        ("20231216T162057Z", {}, "e21d18daa82167720f9b1047ae7e7f1ce7cb77a31e8203a7d5f4624fa0284afe"),
        (
            "20231217T034736Z",
            {"x-oss-security-token": "token"},
            "b94a3f999cf85bcdc00d332fbd3734ba03e48382c36fa4d5af5df817395bd9ea",
        ),
    ],
)
def test_signatures_are_those_of_the_sdks_own_tests(
    moment: str, more: Mapping[str, str], expected: str
) -> None:
    headers = {**HEADERS, "x-oss-date": moment, **more}
    scope, resource = moment[:8] + SCOPE, "/bucket/1234+-/123/1.txt"
    assert signature("sk", scope, moment, "PUT", resource, [*QUERY.items()], headers) == expected


@pytest.mark.parametrize(
    ("headers", "target", "code"),
    [
        ({"x-amz-meta-a": "b"}, "/a", "InvalidArgument"),
        ({"x-oss-unheard-of": "b"}, "/a", "InvalidArgument"),
        ({"content-encoding": "aws-chunked"}, "/a", "InvalidArgument"),
        ({"if-none-match": "*"}, "/a", "NotImplemented"),
        ({"x-oss-forbid-overwrite": "yes"}, "/a", "InvalidArgument"),
        ({}, "/{bucket}/a", "SecondLevelDomainForbidden"),
        ({"content-length": ""}, "/a", "MissingContentLength"),
    ],
)
def test_what_oss_refuses_is_refused(
    headers: dict[str, str], target: str, code: str, server: OssServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OssServer, "_check_signature", lambda *_: None)
    given = {"content-length": "1", **headers}
    given = {name: value for name, value in given.items() if value}
    with pytest.raises(Refused) as caught:
        server.answer("PUT", target.format(bucket=server.bucket), given, b"x")
    assert caught.value.code == code


def test_a_deletion_of_many_needs_a_digest(server: OssServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OssServer, "_check_signature", lambda *_: None)
    with pytest.raises(Refused, match="InvalidDigest"):
        server.answer("POST", "/?delete", {"content-length": "1"}, b"x")


def test_other_signatures_are_refused(server: OssServer) -> None:
    client = boto3.client(
        "s3",
        endpoint_url=server.url,
        region_name="cn-hangzhou",
        aws_access_key_id=ID,
        aws_secret_access_key=SECRET,
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )
    with pytest.raises(ClientError, match="SecondLevelDomainForbidden"):
        client.list_objects_v2(Bucket=server.bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        client.list_objects_v2(Bucket="elsewhere")
    client.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda server, headers: headers.update({"x-oss-forbid-overwrite": "true"}),
        lambda server, headers: headers.update({"content-type": "text/plain"}),
    ],
)
def test_what_is_changed_on_its_way_is_refused(
    change: Callable[[OssServer, dict[str, str]], None], server: OssServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = OssServer._check_signature

    def changed(
        self: OssServer, method: str, resource: str, query: list[tuple[str, str]], headers: dict[str, str]
    ) -> None:
        change(self, headers)
        accept(self, method, resource, query, headers)

    monkeypatch.setattr(OssServer, "_check_signature", changed)
    with pytest.raises(Exception, match="SignatureDoesNotMatch"):
        OssStore(settings(server.parameters())[0]).put("a", b"x")
