"""What keeps a bucket from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.pauses import PROBE_PATIENCE
from udist_plugin.drivers.s3.client import (
    CERTIFICATE,
    CREDENTIALS,
    FAILURES,
    MALFORMED,
    NAME,
    UNREACHABLE,
    UNREADABLE,
    ClientError,
    error_code,
    http_status,
    message,
)
from udist_plugin.drivers.s3.connection import connect
from udist_plugin.drivers.s3.permissions import NEEDED
from udist_plugin.errors import ConfigurationError, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.s3.client import Session
    from udist_plugin.drivers.s3.refusals import Proven
    from udist_plugin.drivers.s3.settings import Settings

BOUNDS: Final[dict[str, Any]] = {
    "connect_timeout": 5.0,
    "read_timeout": 10.0,
}

_EXPIRED: Final = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidToken",
    "InvalidTokenId",
    "TokenRefreshRequired",
}
_REGION: Final = {
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "InvalidRegion",
    "PermanentRedirect",
}


def probe(session: Session, settings: Settings, proven: Proven) -> None:
    """See ``ObjectStore.probe``."""
    client = connect(session, settings, proven=proven, patience=PROBE_PATIENCE, **BOUNDS)
    regions: set[str] = set()  # botocore asks again in another region where it is told to

    def signing(request: Any, **_: object) -> None:
        regions.add(request.context.get("signing", {}).get("region"))

    client.meta.events.register("before-sign.s3", signing)
    where = f"the bucket {settings.bucket} at {client.meta.endpoint_url}"
    try:
        answer: Mapping[str, object] = client.list_objects_v2(Bucket=settings.bucket, MaxKeys=1)
    except ClientError as error:
        if _is_busy(error):
            raise StorageUnavailable(f"{where} is busy: {message(error)}", driver=NAME) from error
        raise _problem(settings, where, error) from error
    except (*FAILURES, *UNREADABLE) as error:
        raise _problem(settings, where, error) from error
    if "IsTruncated" not in answer:
        key, problem = _foreign(settings, where)
        raise ConfigurationError(problem, key=f"storage.s3.{key}")
    if others := regions - {client.meta.region_name}:
        problem = f"{where} is in {others.pop()}, not in {client.meta.region_name}: set that region"
        raise ConfigurationError(problem, key="storage.s3.region")


def _is_busy(error: ClientError) -> bool:
    """Of a proxy's page no more than its status is known, and botocore calls one of status 200 a 500."""
    status = http_status(error)
    return status in (429, 502, 503, 504) or (status == 500 and not error_code(error).isdigit())


def _problem(settings: Settings, where: str, error: Exception) -> ConfigurationError:
    if isinstance(error, CREDENTIALS):
        key = "accesskey"
        problem = (
            f"no credentials for {where}: set accesskey and secretkey, credentialsconfigpath or a profile"
        )
    elif isinstance(error, CERTIFICATE):
        key, problem = _untrusted(settings, where, str(error))
    elif isinstance(error, UNREACHABLE):
        key = _place(settings)
        problem = f"{where} cannot be reached: check {key}, the network and any proxy"
    elif isinstance(error, MALFORMED):
        key, problem = "bucket", f"{where} cannot exist: that is not a valid bucket name"
    elif isinstance(error, UNREADABLE):
        key, problem = _foreign(settings, where)
    else:
        key, problem = _refused(settings, where, error_code(error))
    key = key if key.startswith("udist.") else f"storage.s3.{key}"
    return ConfigurationError(f"{problem} ({message(error)})", key=key)


def _place(settings: Settings) -> str:
    """The key that says where the service is."""
    return "regionendpoint" if settings.endpoint else "region"


def _foreign(settings: Settings, where: str) -> tuple[str, str]:
    key = _place(settings)
    return key, f"the server that answers for {where} is not S3; perhaps it is a web page: correct {key}"


def _untrusted(settings: Settings, where: str, error: str) -> tuple[str, str]:
    """The key to mend, and what to do, where TLS failed."""
    if "CERTIFICATE_VERIFY_FAILED" in error:
        return (
            "udist.s3.cafile",
            f"the certificate of {where} is not trusted: set this to the file of its certificate authority",
        )
    if "[Errno" in error or "[X509" in error:
        file = settings.verify if isinstance(settings.verify, str) else "AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE"
        return (
            "udist.s3.cafile",
            f"{file} holds no certificates to check {where} with: name a PEM file of them",
        )
    key = _place(settings)
    return key, f"{where} does not use TLS on that port: correct the port in {key}, or use http://"


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
            return (
                "accesskey",
                f"the signature for {where} is refused because this machine's clock is wrong: correct it",
            )
        case "AccessDenied" | "403":
            return "bucket", f"{where} is denied to these credentials: a registry needs {NEEDED}"
    if code in _EXPIRED:
        key = "sessiontoken" if settings.session_token else "accesskey"
        problem = f"the credentials for {where} have expired, are unknown to it, or lack their session token"
        return key, f"{problem}: renew them"
    if code in _REGION:
        return "region", f"{where} is not in this region: correct it"
    if not code or code.isdigit():
        return _foreign(settings, where)
    return "bucket", f"{where} cannot be listed"
