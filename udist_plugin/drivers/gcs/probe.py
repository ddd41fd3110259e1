"""What keeps a bucket from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.gcs.client import (
    ANSWERED,
    DENIED,
    FAILURES,
    MISPARSED,
    MISSING,
    REFUSED,
    RETRY,
    ROLE,
    UNREACHABLE,
)
from udist_plugin.drivers.objects.pauses import PROBE_PATIENCE
from udist_plugin.errors import ConfigurationError
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from udist_plugin.drivers.gcs.client import GcsClient

PROBE_BOUNDS: Final = {"timeout": (5.0, 10.0), "retry": RETRY.with_timeout(PROBE_PATIENCE)}


def probe(client: GcsClient) -> None:
    """See ``ObjectStore.probe``; asks for what the least role that serves a registry may do."""
    try:
        next(iter(client.library.list_blobs(client.bucket, max_results=1, **PROBE_BOUNDS)), None)
    except (*FAILURES, *MISPARSED) as error:
        key, problem = _problem(client, f"the bucket {client.bucket.name}", error)
        raise ConfigurationError(problem, key=key) from error


def _problem(client: GcsClient, bucket: str, error: Exception) -> tuple[str, str]:
    """The key to mend, and what to do."""
    at = f"{bucket} at {client.library.api_endpoint}"
    said = shown(getattr(error, "cause", None) or getattr(error, "message", None) or error)
    if isinstance(error, MISSING):
        return "storage.gcs.bucket", f"{bucket} does not exist: create it, or correct its name"
    if isinstance(error, DENIED):
        return "storage.gcs.bucket", f"{bucket} is denied: {ROLE} ({said})"
    if isinstance(error, UNREACHABLE):
        return "storage.gcs", _unreachable(at, said)
    if isinstance(error, REFUSED):
        problem = f"the credentials for {bucket} are refused: correct or renew them ({said})"
        return "storage.gcs.keyfile", problem
    if isinstance(error, ANSWERED):
        return "storage.gcs.bucket", f"{bucket} cannot be listed: {said}"
    if isinstance(error, MISPARSED):
        problem = f"{at} does not answer as Google's storage does: check STORAGE_EMULATOR_HOST"
        return "storage.gcs", f"{problem} and any proxy"
    return "storage.gcs", _unreachable(at, said)


def _unreachable(where: str, said: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return f"the certificate of {where} is not trusted: set REQUESTS_CA_BUNDLE to its authority's file"
    return f"{where} cannot be reached: check the network and any proxy ({said})"
