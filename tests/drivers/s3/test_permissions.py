"""Whoever is denied is told the bucket and what to grant; MinIO gives credentials with a policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from boto3.session import Session

from tests.drivers.s3.server import ACCESS_KEY, REGION, SECRET_KEY
from udist_plugin.drivers.objects.limits import PART_MIN
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.drivers.s3.server import S3Server


def permitted(server: S3Server, bucket: str, *actions: str) -> S3Store:
    """The bucket, with a session's credentials that allow no more than ``actions``."""

    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": ["arn:aws:s3:::*"]}
    session = Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    given = session.client("sts", endpoint_url=server.url).assume_role(
        RoleArn="arn:minio:iam:::role/udist",
        RoleSessionName="udist",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
    )["Credentials"]
    values = server.parameters(
        bucket,
        accesskey=given["AccessKeyId"],
        secretkey=given["SecretAccessKey"],
        sessiontoken=given["SessionToken"],
        chunksize=PART_MIN,
    )
    return S3Store(settings(values)[0])


def write_parts(store: S3Store) -> None:
    writer = store.writer("new")
    writer.write(b"x" * (PART_MIN + 1))
    writer.commit()


@pytest.mark.parametrize(
    ("verb", "needed"),
    [
        (lambda store: store.put("new", b""), "s3:PutObject"),
        (write_parts, "s3:PutObject"),
        (lambda store: store.delete(["a"]), "s3:DeleteObject"),
        (lambda store: store.delete(["a", "b"]), "s3:DeleteObject"),
        (lambda store: store.head("a"), "s3:GetObject"),
        (lambda store: store.get("a"), "s3:GetObject"),
        (lambda store: list(store.objects("")), "s3:ListBucket"),
        (lambda store: list(store.names("")), "s3:ListBucket"),
        (lambda store: store.purge("", 0), "s3:ListBucketMultipartUploads"),
    ],
)
def test_a_denied_verb_names_what_it_needs(
    verb: Callable[[S3Store], object], needed: str, minio_server: S3Server
) -> None:
    bucket = minio_server.bucket()
    S3Store(settings(minio_server.parameters(bucket))[0]).put("a", b"x")
    with pytest.raises(StorageError, match=rf"grant .*bucket {bucket}, .*{needed}\b"):
        verb(permitted(minio_server, bucket, "s3:GetBucketLocation"))


def test_a_probe_names_all_that_a_registry_needs(minio_server: S3Server) -> None:
    bucket = minio_server.bucket()
    with pytest.raises(ConfigurationError, match=rf"{bucket}.*needs .*s3:AbortMultipartUpload") as caught:
        permitted(minio_server, bucket, "s3:PutObject").probe()
    assert caught.value.key == "storage.s3.bucket"
    permitted(minio_server, bucket, "s3:ListBucket").probe()
