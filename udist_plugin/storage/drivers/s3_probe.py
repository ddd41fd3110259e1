"""What keeps a bucket from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,  # noqa: A004
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    SSLError,
)

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.drivers.s3_client import connect, error_code, message

if TYPE_CHECKING:
    from botocore.awsrequest import AWSRequest

    from udist_plugin.storage.drivers.s3 import Settings

BOUNDS: Final = {
    "connect_timeout": 5.0,
    "read_timeout": 10.0,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
}
"""A bucket has half a minute to answer."""
PERMISSIONS: Final = (
    "s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, "
    "s3:DeleteObject and s3:AbortMultipartUpload on what is in it"
)

_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"}
_REGION: Final = {
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidRegion",
    "PermanentRedirect",
}


def probe(settings: Settings) -> None:
    """See ``ObjectStore.probe``."""
    client = connect(settings, **BOUNDS)
    regions: set[str] = set()  # botocore asks again in another region where it is told to

    def signing(request: AWSRequest, **_: object) -> None:
        regions.add(request.context.get("signing", {}).get("region"))

    client.meta.events.register("before-sign.s3", signing)
    where = f"the bucket {settings.bucket} at {client.meta.endpoint_url}"
    try:
        client.list_objects_v2(Bucket=settings.bucket, MaxKeys=1)
    except ClientError as error:
        raise _refused(settings, where, error) from error
    except (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError) as error:
        raise ConfigurationError(
            f"no credentials for {where}: give accesskey and secretkey, credentialsconfigpath or profile, or "
            f"let the SDK find some ({error})",
            key="storage.s3.accesskey",
        ) from error
    except SSLError as error:
        problem = f"the certificate of {where} is not trusted: name the file of its authority ({error})"
        raise ConfigurationError(problem, key="storage.s3.cafile") from error
    except (ConnectionError, HTTPClientError) as error:
        key = "regionendpoint" if settings.endpoint else "region"
        problem = f"{where} cannot be reached: check {key}, the network and any proxy ({error})"
        raise ConfigurationError(problem, key=f"storage.s3.{key}") from error
    except ParamValidationError as error:
        raise ConfigurationError(f"no bucket has such a name: {error}", key="storage.s3.bucket") from error
    except BotoCoreError as error:
        raise ConfigurationError(f"{where} cannot be listed: {error}", key="storage.s3") from error
    if others := regions - {client.meta.region_name}:
        problem = f"{where} is not in {client.meta.region_name}, but in {others.pop()}: name that region"
        raise ConfigurationError(problem, key="storage.s3.region")


def _refused(settings: Settings, where: str, error: ClientError) -> ConfigurationError:
    match error_code(error):
        case "NoSuchBucket":
            key, problem = "bucket", f"{where} does not exist: create it, or correct its name"
        case "InvalidAccessKeyId" | "XAdminUserNotFound":  # the latter is versitygw's
            key, problem = "accesskey", f"the access key for {where} is refused: correct or renew it"
        case "SignatureDoesNotMatch":
            key, problem = "secretkey", f"the secret key for {where} is refused: correct it"
        case "RequestTimeTooSkewed":
            key, problem = "accesskey", f"the signature for {where} is refused: set this machine's clock"
        case "AccessDenied" | "403":
            key, problem = "bucket", f"{where} is denied to these credentials: grant them {PERMISSIONS}"
        case code if code in _EXPIRED:
            key = "sessiontoken" if settings.session_token else "accesskey"
            problem = f"the credentials for {where} have expired or are no such: renew them"
        case code if code in _REGION:
            key, problem = "region", f"{where} is not in this region: correct it"
        case _:
            key, problem = "bucket", f"{where} cannot be listed"
    return ConfigurationError(f"{problem}: {message(error)}", key=f"storage.s3.{key}")
