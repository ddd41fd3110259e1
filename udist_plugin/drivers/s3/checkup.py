"""What ``udist config check`` and ``udist doctor`` ask of the ``s3`` section beyond what serving does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from udist_plugin.drivers.s3.client import NAME, error_code, errors
from udist_plugin.drivers.s3.connection import connect
from udist_plugin.drivers.s3.driver import S3Driver
from udist_plugin.drivers.s3.permissions import DENIED
from udist_plugin.drivers.s3.session import open_session
from udist_plugin.drivers.s3.settings import Settings, settings
from udist_plugin.drivers.s3.store import S3Store
from udist_plugin.drivers.section import every_error
from udist_plugin.errors import ConfigurationError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.drivers.base import StorageDriver


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``."""
    return every_error(settings, parameters, _trust, _connect, _connect_without_file)


def steps(driver: StorageDriver, folder: str) -> list[tuple[str, Callable[[], object]]]:
    """See ``drivers.further_steps``."""
    assert isinstance(driver, S3Driver)
    key = driver.key(f"{folder}/multipart/data")
    return [("multipart", lambda: _try_multipart(driver.store, key))]


def _trust(found: Settings) -> None:
    if isinstance(found.verify, str) and not os.path.isfile(found.verify):
        raise ConfigurationError(f"there is no file {found.verify}", key="udist.s3.cafile")


def _connect(found: Settings) -> None:
    connect(open_session(found, find=False), found)


def _connect_without_file(found: Settings) -> None:
    """For what else is wrong where the file of credentials is not there."""
    if found.credentials_file:
        _connect(found._replace(credentials_file=""))


def _try_multipart(store: object, key: str) -> None:
    """Begins an upload of parts, looks for it and drops it: small files need none of that, large blobs do.

    Raises ``StorageError``, which names every permission that is missing.
    """
    assert isinstance(store, S3Store)
    client = store.client
    where: dict[str, Any] = {"Bucket": store.bucket, "Key": key}
    denied: list[str] = []

    def ask(permission: str, call: Callable[[], Any]) -> Any:
        try:
            with errors(key):
                return call()
        except StorageError as error:
            if error_code(error.__cause__) not in DENIED:
                raise
            denied.append(permission)
            return None

    started = ask("s3:PutObject", lambda: client.create_multipart_upload(**where, **store._attributes))
    if started is not None:
        upload = {**where, "UploadId": started["UploadId"]}
        try:
            ask("s3:ListMultipartUploadParts", lambda: client.list_parts(**upload, MaxParts=1))
        finally:
            ask("s3:AbortMultipartUpload", lambda: client.abort_multipart_upload(**upload))
    ask(
        "s3:ListBucketMultipartUploads",
        lambda: client.list_multipart_uploads(Bucket=store.bucket, Prefix=key, MaxUploads=1),
    )
    if denied:
        problem = f"the bucket {store.bucket} denies it to these credentials: grant them {', '.join(denied)}"
        raise StorageError(problem, driver=NAME, path=key)
