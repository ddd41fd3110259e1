"""What keeps a container from being used, and what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from udist_plugin.drivers.azure.bounds import PROBE_BOUNDS
from udist_plugin.drivers.azure.client import (
    FAILURES,
    MISPARSED,
    NO_ANSWER,
    NO_TOKEN,
    code,
    message,
    unreached,
)
from udist_plugin.errors import ConfigurationError
from udist_plugin.redaction import shown

if TYPE_CHECKING:
    from udist_plugin.drivers.azure.client import AzureClient

AUTHORITY: Final = "https://login.microsoftonline.com"
"""Azure's own, unless another is configured."""
UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"


def probe(client: AzureClient) -> None:
    """See ``ObjectStore.probe``."""
    where = f"the container {client.container.container_name} of {client.account}"
    try:
        legacy = _holds(client, "/docker/registry/") and not _holds(client, "docker/registry/")
    except FAILURES as error:
        key, problem = _problem(client, where, error)
        problem += "" if isinstance(error, MISPARSED) else f" ({message(error)})"
        raise ConfigurationError(problem, key=key) from error
    if legacy and client.settings.legacy_root is None:
        raise ConfigurationError(
            f"{where} holds a registry of distribution 2, whose names begin with a slash: set false to "
            "use it, or true to leave it alone",
            key="storage.azure.trimlegacyrootprefix",
        )


def _holds(client: AzureClient, prefix: str) -> bool:
    pages = client.container.list_blobs(prefix, results_per_page=1, **PROBE_BOUNDS).by_page()
    return next(iter(next(iter(pages), iter(()))), None) is not None


def _problem(client: AzureClient, where: str, error: Exception) -> tuple[str, str]:
    """The key to mend, and what to do."""
    at = f"{where} at {shown(client.url)}"
    if isinstance(error, NO_ANSWER):
        if UNTRUSTED in str(error):
            return "storage.azure", _untrusted(at)
        return "storage.azure", f"{at} cannot be reached: check accountname, realm and the network"
    if isinstance(error, NO_TOKEN) and (cause := unreached(error)) is not None:
        authority = f"{client.settings.authority or AUTHORITY}, which issues tokens for {where},"
        if UNTRUSTED in str(cause):
            return "storage.azure.aad_endpoint", _untrusted(authority)
        problem = f"{authority} cannot be reached: check aad_endpoint, the network and any proxy"
        return "storage.azure.aad_endpoint", problem
    status = getattr(error, "status_code", None)
    keyed = client.settings.credentials == "shared_key"  # which may do everything
    if isinstance(error, NO_TOKEN) and not status and "failed to retrieve a token" in message(error):
        problem = f"{where} needs credentials, and neither the environment nor this machine has an identity"
        return "storage.azure.credentials", f"{problem}: set credentials, accountkey or connectionstring"
    if isinstance(error, NO_TOKEN) or (status == 403 and keyed):
        return _credentials(client), f"the credentials for {where} are refused: correct or renew them"
    if isinstance(error, MISPARSED) or (status or 0) < 400 or (status == 404 and not code(error)):
        key = "connectionstring" if client.settings.connection_string else "serviceurl"
        return f"storage.azure.{key}", f"{at} does not answer as Azure's blob service does: check {key}"
    match status:
        case 403:
            return "storage.azure", f"{where} is denied: {client.cure}"
        case 404:
            return "storage.azure.container", f"{where} does not exist: create it, or correct its name"
    return "storage.azure.container", f"{where} cannot be listed"


def _credentials(client: AzureClient) -> str:
    keys = {"shared_key": "accountkey", "connection_string": "connectionstring"}
    return f"storage.azure.{keys.get(client.settings.credentials, 'credentials')}"


def _untrusted(where: str) -> str:
    return f"the certificate of {where} is not trusted: set REQUESTS_CA_BUNDLE to its authority's file"
