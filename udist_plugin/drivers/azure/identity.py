"""Who asks Azure for tokens: a service principal, or whatever the environment or the machine says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from azure.identity import ClientSecretCredential, DefaultAzureCredential

from udist_plugin.errors import ConfigurationError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from udist_plugin.drivers.azure.settings import Settings

BOUNDS: Final = {"connection_timeout": 5, "read_timeout": 10, "retry_total": 1}


def token_credential(settings: Settings) -> TokenCredential | None:
    """``None`` where a key signs. Raises ``ConfigurationError``."""
    options: dict[str, Any] = dict(BOUNDS)
    if settings.authority:  # trusted as it is given, or another cloud would be asked about it
        options |= {"authority": settings.authority, "disable_instance_discovery": True}
    try:
        if settings.credentials == "client_secret":
            return ClientSecretCredential(settings.tenant, settings.client, settings.secret, **options)
        if settings.credentials == "default_credentials":
            return DefaultAzureCredential(**options)
    except ValueError as error:
        key = "aad_endpoint" if "authority" in str(error) else "credentials"
        raise ConfigurationError(str(error), key=f"storage.azure.{key}") from error
    return None
