"""A client of the bucket's service: its bounds in time, and what it does beyond boto3."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.parts_store import CONNECTIONS
from udist_plugin.drivers.objects.pauses import PATIENCE
from udist_plugin.drivers.s3.client import BOTOCORE, BotoCoreError, Config
from udist_plugin.drivers.s3.digests import Digests
from udist_plugin.drivers.s3.expect import ask_for_large_content
from udist_plugin.drivers.s3.limiter import limit
from udist_plugin.drivers.s3.permissions import name_permissions
from udist_plugin.drivers.s3.refusals import Proven
from udist_plugin.drivers.s3.retries import Retries
from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from udist_plugin.drivers.s3.client import Session
    from udist_plugin.drivers.s3.settings import Settings

CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 60.0
"""Seconds to connect, or for a piece to be taken, and to wait for the next bytes."""


def connect(
    session: Session,
    settings: Settings,
    *,
    proven: Proven | None = None,
    signed: bool = True,
    patience: float | None = None,
    **bounds: Any,
) -> S3Client:
    """A client of the bucket's service; ``bounds`` are botocore's, in place of those above. ``patience`` is
    for how long requests that fail in passing are repeated, in seconds; by default it is
    ``PATIENCE``, and a service that throttles is asked more slowly.

    ``proven`` is shared by the clients of one store. Where no TLS guards what is sent, signatures cover the
    content, too, unless ``signed`` is off.

    Raises ``ConfigurationError``.
    """
    if settings.verify is False:
        warnings.filterwarnings("ignore", "Unverified HTTPS request")  # skipverify asks for it
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "retries": {"mode": "standard", "total_max_attempts": 1},  # see retries.py
        **bounds,
    }
    addressing: Any = {
        "addressing_style": settings.addressing,
        "use_accelerate_endpoint": settings.accelerate,
        "payload_signing_enabled": signed and (not settings.secure or is_plain(settings)),
    }
    config = Config(
        s3=addressing,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        signature_version=settings.signature,
        # Not every service takes the newer checksums; what is read here is checked by its digest.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        # Whole: botocore's own is put together anew for each request, in a tenth of the request's time.
        user_agent=f"Botocore/{BOTOCORE} udist-plugin {settings.user_agent}".rstrip(),
        use_dualstack_endpoint=settings.dual_stack,
        use_fips_endpoint=settings.fips,
        **options,
    )
    try:
        client: S3Client = session.client(
            "s3",
            endpoint_url=settings.endpoint or None,
            use_ssl=settings.secure,
            verify=settings.verify,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(str(error), key="storage.s3") from error
    name_permissions(client, settings.bucket)
    Digests(client)
    ask_for_large_content(client)
    (proven or Proven()).watch(client)
    Retries(PATIENCE if patience is None else patience).watch(client)
    if patience is None:
        limit(client)
    return client


def is_plain(settings: Settings) -> bool:
    """Whether the endpoint, which is not Amazon's, is spoken to without TLS."""
    return settings.endpoint.startswith("http:")
