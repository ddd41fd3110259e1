"""What keeps a bucket from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.objects.pauses import PROBE_PATIENCE
from udist_plugin.drivers.oss.client import (
    FOREIGN,
    NAME,
    NEEDED,
    NO_ANSWER,
    UNTRUSTED,
    OssClient,
    error_code,
    message,
)
from udist_plugin.drivers.oss.library import ListObjectsV2Request, OperationError, ServiceError
from udist_plugin.errors import ConfigurationError, StorageError, StorageUnavailable
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from udist_plugin.drivers.oss.settings import Settings

BOUNDS: Final = {"connect_timeout": 5.0, "readwrite_timeout": 10.0}


def probe(settings: Settings) -> None:
    """See ``ObjectStore.probe``."""
    client = OssClient(settings, patience=PROBE_PATIENCE, **BOUNDS)
    where = f"the bucket {settings.bucket} at {shown(client.url)}"
    try:
        answer, _ = client.ask("list_objects_v2", ListObjectsV2Request, max_keys=1)
    except StorageError as error:
        found = error.__cause__
        found = found.unwrap() if isinstance(found, OperationError) else found
        if isinstance(found, ServiceError) and isinstance(error, StorageUnavailable):
            raise StorageUnavailable(f"{where} is busy: {message(found)}", driver=NAME) from error
        key, problem = _problem(where, found, error)
        raise ConfigurationError(problem, key=f"storage.oss.{key}") from error
    if answer.is_truncated is None:
        raise ConfigurationError(f"{where}: {FOREIGN}", key="storage.oss.endpoint")


def _problem(where: str, found: Any, error: StorageError) -> tuple[str, str]:
    """The key to mend, and what to do."""
    said = message(found) if found is not None else str(error)
    if isinstance(found, NO_ANSWER):
        if UNTRUSTED in str(found):
            cure = "set REQUESTS_CA_BUNDLE to its authority's file"
            return "endpoint", f"the certificate of {where} is not trusted: {cure}"
        cure = "check region, endpoint, the network and any proxy"
        return "endpoint", f"{where} cannot be reached: {cure} ({said})"
    match error_code(found):
        case "NoSuchBucket":
            return "bucket", f"{where} does not exist: create it, or correct its name ({said})"
        case "InvalidAccessKeyId":
            return "accesskeyid", f"the access key for {where} is refused: correct or renew it ({said})"
        case "SignatureDoesNotMatch":
            return (
                "accesskeysecret",
                f"the signature for {where} is refused: correct the secret, or the region ({said})",
            )
        case "RequestTimeTooSkewed":
            return "accesskeyid", f"this machine's clock is wrong, so {where} refuses its signature ({said})"
        case "InvalidBucketName":
            return "bucket", f"{where} cannot exist: correct its name ({said})"
        case "AccessDenied" if "specified endpoint" in said:
            return "region", f"{where} is in another region: correct region or endpoint ({said})"
        case "AccessDenied" | "UserDisable":
            return "bucket", f"{where} is denied to these credentials: a registry needs {NEEDED} ({said})"
        case "" | "BadErrorResponse":
            return "endpoint", f"{where}: {FOREIGN} ({said})"
    return "bucket", f"{where} cannot be listed: {said}"
