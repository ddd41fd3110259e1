"""What keeps a bucket from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.errors import ConfigurationError
from udist_plugin.storage.drivers.s3_client import (
    CERTIFICATE,
    CREDENTIALS,
    FAILURES,
    MALFORMED,
    UNREACHABLE,
    connect,
    error_code,
    message,
)

if TYPE_CHECKING:
    from boto3.session import Session

    from udist_plugin.storage.drivers.s3 import Settings

BOUNDS: Final[dict[str, Any]] = {
    "connect_timeout": 5.0,
    "read_timeout": 10.0,
    "retries": {"total_max_attempts": 2, "mode": "standard"},
}
"""A bucket has half a minute to answer."""
PERMISSIONS: Final = (
    "s3:ListBucket and s3:ListBucketMultipartUploads on the bucket, and s3:GetObject, s3:PutObject, "
    "s3:DeleteObject, s3:AbortMultipartUpload and s3:ListMultipartUploadParts on what is in it"
)

_EXPIRED: Final = {"ExpiredToken", "ExpiredTokenException", "InvalidToken", "TokenRefreshRequired"}
_REGION: Final = {
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidRegion",
    "PermanentRedirect",
}


def probe(session: Session, settings: Settings) -> None:
    """See ``ObjectStore.probe``."""
    client = connect(session, settings, **BOUNDS)
    regions: set[str] = set()  # botocore asks again in another region where it is told to

    def signing(request: Any, **_: object) -> None:
        regions.add(request.context.get("signing", {}).get("region"))

    client.meta.events.register("before-sign.s3", signing)
    where = f"the bucket {settings.bucket} at {client.meta.endpoint_url}"
    try:
        client.list_objects_v2(Bucket=settings.bucket, MaxKeys=1)
    except FAILURES as error:
        raise _problem(settings, where, error) from error
    if others := regions - {client.meta.region_name}:
        problem = f"{where} is not in {client.meta.region_name}, but in {others.pop()}: name that region"
        raise ConfigurationError(problem, key="storage.s3.region")


def _problem(settings: Settings, where: str, error: Exception) -> ConfigurationError:
    if isinstance(error, CREDENTIALS):
        key = "accesskey"
        problem = f"no credentials for {where}: give secretkey, too, or credentialsconfigpath, or a profile"
    elif isinstance(error, CERTIFICATE):
        key, problem = "cafile", f"the certificate of {where} is not trusted: name the file of its authority"
    elif isinstance(error, UNREACHABLE):
        key = "regionendpoint" if settings.endpoint else "region"
        problem = f"{where} cannot be reached: check {key}, the network and any proxy"
    elif isinstance(error, MALFORMED):
        key, problem = "bucket", f"{where} has a name that no bucket has: correct it"
    else:
        key, problem = _refused(settings, where, error_code(error))
    return ConfigurationError(f"{problem} ({message(error)})", key=f"storage.s3.{key}")


def _refused(settings: Settings, where: str, code: str) -> tuple[str, str]:
    """The key to mend, and what to do, for a service's answer."""
    match code:
        case "NoSuchBucket":
            return "bucket", f"{where} does not exist: create it, or correct its name"
        case "InvalidAccessKeyId" | "XAdminUserNotFound":  # the latter is versitygw's
            return "accesskey", f"the access key for {where} is refused: correct or renew it"
        case "SignatureDoesNotMatch":
            return "secretkey", f"the secret key for {where} is refused: correct it"
        case "RequestTimeTooSkewed":
            return "accesskey", f"the signature for {where} is refused: set this machine's clock"
        case "AccessDenied" | "403":
            return "bucket", f"{where} is denied to these credentials: grant them {PERMISSIONS}"
    if code in _EXPIRED:
        key = "sessiontoken" if settings.session_token else "accesskey"
        return key, f"the credentials for {where} have expired, or are none of its: renew them"
    if code in _REGION:
        return "region", f"{where} is not in this region: correct it"
    return "bucket", f"{where} cannot be listed"
