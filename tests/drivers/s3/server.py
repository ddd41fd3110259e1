"""Servers of S3 that tests start: MinIO, and versitygw on a folder."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from tests.drivers.processes import free_port, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCESS_KEY, SECRET_KEY = "udist-tests", "udist-tests-secret"
REGION = "us-east-1"


class S3Server(NamedTuple):
    """A server at ``url`` that keeps what it has in ``folder``."""

    url: str
    folder: Path

    def bucket(self) -> str:
        """The name of a new bucket: for both servers a folder."""
        name = f"registry-{uuid4()}"
        (self.folder / name).mkdir()
        return name

    def parameters(self, bucket: str, **more: Any) -> dict[str, Any]:
        """``storage.s3`` for it."""
        return {
            "bucket": bucket,
            "region": REGION,
            "regionendpoint": self.url,
            "accesskey": ACCESS_KEY,
            "secretkey": SECRET_KEY,
            **more,
        }


@contextmanager
def minio(folder: Path, *, region: str = "", certificates: Path | None = None) -> Iterator[S3Server]:
    """With TLS if there is a folder with its certificate; of any region unless one is given."""
    port = free_port()
    environ = {
        **os.environ,
        "MINIO_ROOT_USER": ACCESS_KEY,
        "MINIO_ROOT_PASSWORD": SECRET_KEY,
        "MINIO_REGION": region,
        "MINIO_BROWSER": "off",
    }
    arguments = ["server", "--quiet", "--address", f"127.0.0.1:{port}", str(folder)]
    if certificates is not None:
        arguments += ["--certs-dir", str(certificates)]
    with serving("minio", arguments, port, environ):
        yield S3Server(f"{'https' if certificates else 'http'}://127.0.0.1:{port}", folder)


@contextmanager
def versitygw(folder: Path) -> Iterator[S3Server]:
    port = free_port()
    keys = ["--access", ACCESS_KEY, "--secret", SECRET_KEY, "--region", REGION]
    arguments = ["--port", f"127.0.0.1:{port}", "--quiet", *keys, "posix", str(folder)]
    with serving("versitygw", arguments, port):
        yield S3Server(f"http://127.0.0.1:{port}", folder)
