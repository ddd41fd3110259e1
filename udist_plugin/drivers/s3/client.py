"""The one door to boto3: what is used of it, and its errors as ours."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from boto3.session import Session
from botocore import __version__ as BOTOCORE  # noqa: N812
from botocore.config import Config
from botocore.credentials import CredentialResolver
from botocore.exceptions import (
    BotoCoreError,
    CapacityNotAvailableError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
)
from botocore.exceptions import ConnectionError as NoConnection
from botocore.httpsession import URLLib3SSLError  # type: ignore[attr-defined]
from botocore.parsers import ResponseParserError
from botocore.retries.adaptive import ClientRateLimiter, RateClocker
from botocore.retries.bucket import Clock, TokenBucket
from botocore.retries.standard import (
    RetryEventAdapter,
    StandardRetryConditions,
    ThrottlingErrorDetector,
)
from botocore.retries.throttling import CubicCalculator
from botocore.session import Session as CoreSession
from botocore.utils import parse_timestamp

from udist_plugin.errors import (
    PathBusy,
    PathNotFound,
    StorageError,
    StorageFull,
    StorageUnavailable,
)
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "BOTOCORE",
    "CERTIFICATE",
    "CREDENTIALS",
    "FAILURES",
    "MALFORMED",
    "NAME",
    "UNREACHABLE",
    "UNREADABLE",
    "BotoCoreError",
    "CapacityNotAvailableError",
    "ClientError",
    "ClientRateLimiter",
    "Clock",
    "Config",
    "CoreSession",
    "CredentialResolver",
    "CubicCalculator",
    "HTTPClientError",
    "ProfileNotFound",
    "RateClocker",
    "RetryEventAdapter",
    "Session",
    "StandardRetryConditions",
    "ThrottlingErrorDetector",
    "TokenBucket",
    "error_code",
    "errors",
    "http_status",
    "message",
    "parse_timestamp",
]

NAME: Final = "s3"
FAILURES: Final = (BotoCoreError, ClientError, URLLib3SSLError, OSError)
"""What the library raises, and lets through in the middle of a content."""
CREDENTIALS: Final = (CredentialRetrievalError, NoCredentialsError, PartialCredentialsError)
"""Nothing found to sign requests with."""
CERTIFICATE: Final = SSLError
UNREACHABLE: Final = (NoConnection, HTTPClientError, URLLib3SSLError, OSError)
"""Nobody answered, or not to the end."""
UNREADABLE: Final = (ResponseParserError, KeyError)
"""An answer that is not S3's: a web page, or one without what S3 always says."""
MALFORMED: Final = ParamValidationError
"""A request that the library does not send."""

_MISSING: Final = {"404", "NoSuchKey", "NoSuchUpload", "NotFound"}
_UNMET: Final = {"409", "412", "ConditionalRequestConflict", "PreconditionFailed"}
_FULL: Final = {"QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"}


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
        return "a header cannot be sent: the credentials or settings contain characters that headers cannot"
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
            raise unmet("changed by another writer at the same time", driver=NAME, path=key) from error
        status = http_status(error)
        kind: type[StorageError] = StorageUnavailable if status == 429 or status >= 500 else StorageError
        kind = StorageFull if code in _FULL else kind
        raise kind(message(error), driver=NAME, path=key) from error
    except UNREADABLE as error:
        problem = "this is not an answer of S3: check storage.s3.regionendpoint and any proxy"
        raise StorageError(problem, driver=NAME, path=key) from error
    except UNREACHABLE as error:
        raise StorageUnavailable(message(error), driver=NAME, path=key) from error
    except BotoCoreError as error:
        raise StorageError(message(error), driver=NAME, path=key) from error
