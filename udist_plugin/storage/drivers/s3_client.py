"""The door to boto3, with ``s3_session`` and ``s3_limiter``: bounds in time, the library's errors as ours."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.httpsession import URLLib3SSLError  # type: ignore[attr-defined]
from botocore.parsers import ResponseParserError

from udist_plugin.errors import (
    ConfigurationError,
    PathBusy,
    PathNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from udist_plugin.storage.drivers.redaction import shown
from udist_plugin.storage.drivers.s3_digests import Digests
from udist_plugin.storage.drivers.s3_limiter import limit
from udist_plugin.storage.drivers.s3_permissions import name_permissions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from boto3.session import Session
    from mypy_boto3_s3 import S3Client

    from udist_plugin.storage.drivers.s3 import Settings

NAME: Final = "s3"
CONNECT_TIMEOUT: Final = 10.0
READ_TIMEOUT: Final = 60.0
"""Seconds to connect, or for a piece to be taken, and to wait for the next bytes."""
ATTEMPTS: Final = 5
"""Of a request that fails in passing: botocore waits longer each time, and slows down when throttled."""
CONNECTIONS: Final = 64
"""Connections kept open for reuse."""

FAILURES: Final = (BotoCoreError, ClientError, URLLib3SSLError, OSError)
"""What the library raises, and lets through in the middle of a content."""
CREDENTIALS: Final = (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError)
"""Nothing found to sign requests with."""
CERTIFICATE: Final = SSLError
REFUSED: Final = ClientError
"""The service's own answer."""
UNREACHABLE: Final = (NoConnection, HTTPClientError, URLLib3SSLError, OSError)
"""Nobody answered, or not to the end."""
UNREADABLE: Final = (ResponseParserError, KeyError)
"""An answer that is not S3's: a web page, or one without what S3 always says."""
MALFORMED: Final = ParamValidationError
"""A request that the library does not send."""

_MISSING: Final = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_UNMET: Final = {"409", "412", "ConditionalRequestConflict", "PreconditionFailed"}
_FULL: Final = {"QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"}


def connect(session: Session, settings: Settings, *, signed: bool = True, **bounds: Any) -> S3Client:
    """A client of the bucket's service; ``bounds`` are botocore's, in place of those above.

    Where no TLS guards what is sent, signatures cover the content, too, unless ``signed`` is off.

    Raises ``ConfigurationError``.
    """
    if settings.verify is False:
        warnings.filterwarnings("ignore", "Unverified HTTPS request")  # skipverify asks for it
    options: dict[str, Any] = {
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
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
        user_agent_extra=f"udist-plugin {settings.user_agent}".rstrip(),
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
    if "retries" not in bounds:
        limit(client)
    return client


def is_plain(settings: Settings) -> bool:
    """Whether the endpoint, which is not Amazon's, is spoken to without TLS."""
    return settings.endpoint.startswith("http:")


def error_code(error: BaseException | None) -> str:
    """The service's name of what went wrong, empty if it was not the service that said so."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def http_status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def message(error: BaseException) -> str:
    """What went wrong, in the words of whoever said so last, as far as it may be shown."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return shown(f"{said.get('Message') or 'refused'} ({said.get('Code') or 'no code'})")
    if isinstance(error, HTTPClientError) and isinstance(error.kwargs.get("error"), ValueError):
        return "a header cannot be sent: credentials or settings have characters that none may"
    return shown(error)


@contextmanager
def errors(key: str, *, unmet: type[StorageError] = PathBusy) -> Iterator[None]:
    """The library's errors as ours; ``unmet`` is what a condition's failure is."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        if code in _MISSING:
            raise PathNotFound("not found", driver=NAME, path=key) from error
        if code in _UNMET:
            raise unmet("changed by another meanwhile", driver=NAME, path=key) from error
        status = http_status(error)
        kind: type[StorageError] = StorageUnavailable if status == 429 or status >= 500 else StorageError
        kind = StorageFull if code in _FULL else kind
        raise kind(message(error), driver=NAME, path=key) from error
    except UNREADABLE as error:
        problem = "the answer is not one of S3: is storage.s3.regionendpoint right, or a proxy between?"
        raise StorageError(problem, driver=NAME, path=key) from error
    except UNREACHABLE as error:
        raise StorageUnavailable(message(error), driver=NAME, path=key) from error
    except BotoCoreError as error:
        raise StorageError(message(error), driver=NAME, path=key) from error
