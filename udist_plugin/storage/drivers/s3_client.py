"""The one door to boto3: credentials, bounds in time, the library's errors as ours."""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit, urlunsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoRegionError
from botocore.exceptions import ConnectionError as NoConnection
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from udist_plugin.errors import ConfigurationError, PathBusy, PathNotFound, StorageError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client

    from udist_plugin.storage.drivers.s3 import Settings

NAME: Final = "s3"
CONNECT_TIMEOUT, READ_TIMEOUT = 10, 60
"""Seconds to connect, and to wait for the next bytes."""
ATTEMPTS: Final = 5
CONNECTIONS: Final = 64
"""Connections kept open for reuse."""
SIGNED_FOR: Final = 20 * 60
"""Seconds for which a signed URL serves, as in distribution."""

_FAILURES: Final = (ClientError, BotoCoreError, HTTPError, OSError)
_MISSING: Final = {"404", "NoSuchKey", "NotFound"}
_TAKEN: Final = {"409", "412", "ConditionalRequestConflict", "PreconditionFailed"}


def connect(settings: Settings, **bounds: Any) -> S3Client:
    """A client of the bucket's service; ``bounds`` are botocore's, in place of those above.

    Credentials are those of the section, else what boto3 finds: the environment, shared files, a web
    identity, the machine's metadata. Raises ``ConfigurationError``.
    """
    if settings.verify is False:
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)  # asked for with skipverify
    style = {True: "path", False: "virtual", None: "auto"}[settings.path_style]
    options: Any = {
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "retries": {"mode": "adaptive", "total_max_attempts": ATTEMPTS},
        "s3": {"addressing_style": style, "use_accelerate_endpoint": settings.accelerate},
        **bounds,
    }
    config = Config(
        max_pool_connections=CONNECTIONS,
        signature_version=settings.signature,
        request_checksum_calculation="when_required",  # not every store takes trailing checksums
        response_checksum_validation="when_required",
        user_agent_extra=settings.user_agent,
        use_dualstack_endpoint=settings.dual_stack,
        use_fips_endpoint=settings.fips,
        **options,
    )
    try:
        client: S3Client = _session(settings).client(
            "s3",
            endpoint_url=settings.endpoint,
            use_ssl=settings.secure,
            verify=settings.verify,
            config=config,
        )
    except NoRegionError:
        raise ConfigurationError("is missing: the bucket's region", key="storage.s3.region") from None
    except (BotoCoreError, ValueError) as error:
        raise ConfigurationError(f"{error}", key="storage.s3") from error
    return client


def _session(settings: Settings) -> boto3.session.Session:
    import botocore.session

    session = botocore.session.Session(profile=settings.profile)
    if settings.credentials_file is not None:
        if not os.path.isfile(settings.credentials_file):
            raise ConfigurationError(
                f"there is no file {settings.credentials_file}", key="storage.s3.credentialsconfigpath"
            )
        session.set_config_variable("credentials_file", settings.credentials_file)
    return boto3.session.Session(
        aws_access_key_id=settings.access_key,
        aws_secret_access_key=settings.secret_key,
        aws_session_token=settings.session_token,
        region_name=settings.region,
        botocore_session=session,
    )


def error_code(error: BaseException | None) -> str:
    """The service's code for what went wrong, empty if it was not the service that said so."""
    cause = error if isinstance(error, ClientError) else getattr(error, "__cause__", None)
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""


def message(error: BaseException) -> str:
    """What went wrong, in the words of whoever said so last."""
    if isinstance(error, ClientError):
        said = error.response.get("Error", {})
        return f"{said.get('Code', 'unknown')}: {said.get('Message', '')}"
    return str(getattr(error, "kwargs", {}).get("error") or error)


@contextmanager
def errors(key: str, *, unmet: type[StorageError] = PathBusy) -> Iterator[None]:
    """The library's errors become ours; ``unmet`` is what a condition not met becomes."""
    try:
        yield
    except _FAILURES as error:
        code = error_code(error)
        if code in _MISSING:
            raise PathNotFound("not found", driver=NAME, path=key) from error
        if code in _TAKEN:
            raise unmet("changed by another meanwhile", driver=NAME, path=key) from error
        kind = StorageUnavailable if _passes(error) else StorageError
        raise kind(message(error), driver=NAME, path=key) from error


def _passes(error: Exception) -> bool:
    """Whether a while later it may be well: nobody answered, or the service was throttled or broken."""
    if isinstance(error, ClientError):
        status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status == 429 or status >= 500
    return isinstance(error, NoConnection | HTTPClientError | HTTPError | OSError)


def signed_url(client: S3Client, settings: Settings, key: str) -> str:
    """A URL that serves the object for ``SIGNED_FOR`` seconds, at the endpoint for redirects if there is
    one: a name that callers can reach."""
    with errors(key):
        url = client.generate_presigned_url(
            "get_object", Params={"Bucket": settings.bucket, "Key": key}, ExpiresIn=SIGNED_FOR
        )
    if settings.redirect_endpoint is None:
        return url
    other = urlsplit(settings.redirect_endpoint)
    return urlunsplit(urlsplit(url)._replace(scheme=other.scheme, netloc=other.netloc))
