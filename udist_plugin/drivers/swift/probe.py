"""What keeps a container from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.objects.pauses import PROBE_PATIENCE
from udist_plugin.drivers.swift.answers import DENIED, NO_SERVICE, UNREACHED, Refused
from udist_plugin.drivers.swift.library import HttpError, SSLError
from udist_plugin.errors import ConfigurationError, StorageError
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from udist_plugin.drivers.swift.client import SwiftClient

TIMEOUT: Final = (5.0, 10.0)


def probe(client: SwiftClient) -> None:
    """See ``ObjectStore.probe``."""
    try:
        client.attempt(
            "GET",
            "",
            accept={200, 204},
            patience=PROBE_PATIENCE,
            params={"limit": "1", "format": "json"},
            timeout=TIMEOUT,
        )
    except StorageError as error:
        key, problem = _problem(client, error)
        raise ConfigurationError(problem, key=f"storage.swift{key}") from error


def _problem(client: SwiftClient, error: StorageError) -> tuple[str, str]:
    """The key to mend, and what to do."""
    settings, cause = client.settings, error.__cause__
    container = f"the container {settings.container}"
    asked = f"{settings.auth_url}, which issues tokens for {container},"
    refused = f"the credentials for {container} are refused: correct username and password, and the tenant"
    if isinstance(cause, Refused):
        match cause.status:
            case 401:
                return ".password", f"{refused} ({cause})"
            case 403:
                return ".username", f"{container} is denied: {DENIED}"
            case 404:
                return ".container", f"{container} does not exist: create it, or correct its name"
        return ".container", f"{container} cannot be listed ({cause})"
    if isinstance(cause, SSLError):
        return "", f"the certificate of the service of {container} is not trusted: {_authority(cause)}"
    if isinstance(cause, UNREACHED):
        return ".authurl", f"{container} cannot be reached: check authurl and the network ({shown(cause)})"
    if isinstance(cause, HttpError):
        if cause.http_status in (401, 403):
            return ".password", f"{refused} ({shown(cause)})"
        if (cause.http_status or 0) >= 500:
            return ".authurl", f"{asked} fails: try again later ({shown(cause)})"
    if NO_SERVICE in str(error):
        return ".region", f"no Swift for {container}: {NO_SERVICE}: correct region or endpointtype"
    version = f"as an identity service of version {settings.auth_version}"
    return ".authurl", f"{asked} does not answer {version}: check authurl and authversion ({shown(error)})"


def _authority(error: SSLError) -> str:
    return f"set REQUESTS_CA_BUNDLE to its authority's file ({shown(error)})"
