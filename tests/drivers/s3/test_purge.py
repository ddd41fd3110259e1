"""Which multipart uploads purging drops: the registry's own, in a bucket that others use, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from udist_plugin.drivers.s3.driver import S3Driver
from udist_plugin.drivers.s3.settings import settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.storage import paths

if TYPE_CHECKING:
    from tests.drivers.s3.server import S3Server

OURS = "docker/registry/v2/blobs/sha256/aa/aabb/data"


def opened(values: dict[str, object]) -> tuple[S3Store, S3Driver]:
    found, prefix = settings(values)
    store = S3Store(found)
    return store, S3Driver(store, prefix)


@pytest.mark.parametrize("root", ["", "/team"])
def test_uploads_of_other_programs_stay(root: str, server: S3Server) -> None:
    store, driver = opened(server.parameters(server.bucket(), rootdirectory=root))
    begun = [f"{root}/{OURS}".lstrip("/"), "velero/backups/big.tar.gz", f"{root}/other/{OURS}".lstrip("/")]
    for key in begun:
        store.client.create_multipart_upload(Bucket=store.bucket, Key=key)
    driver.purge(paths.ROOT, -60)
    left = store.client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", ())
    assert sorted(each["Key"] for each in left) == sorted(begun[1:])


def test_on_amazon_only_the_registry_s_are_listed() -> None:
    store, driver = opened({"bucket": "b", "region": "us-east-1", "accesskey": "id", "secretkey": "secret"})
    asked: list[str] = []

    def answer(params: dict[str, dict[str, str]], **_: object) -> Any:
        asked.append(params["query_string"]["prefix"])
        return type("Answer", (), {"status_code": 200}), {}

    store.client.meta.events.register("before-call.s3.ListMultipartUploads", answer)
    driver.purge(paths.ROOT, 0)
    assert asked == ["docker/registry/v2/"]
