"""Azure Blob Storage: distribution's ``azure`` section, and the driver it makes.

The names in the container are distribution's, so that either can use a container of the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from udist_plugin.storage.drivers.azure_store import AzureStore
from udist_plugin.storage.drivers.object_driver import ObjectDriver
from udist_plugin.storage.drivers.parameters import Parameters

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

REALM: Final = "core.windows.net"
RETRIES: Final = 5
RETRY_DELAY: Final = 0.1
CREDENTIALS: Final = ("shared_key", "client_secret", "default_credentials", "connection_string")


class Settings(NamedTuple):
    """What ``AzureStore`` is made of."""

    container: str
    url: str
    """The blob service's; unused with a connection string."""
    credentials: str
    """One of ``CREDENTIALS``."""
    account: str = ""
    account_key: str = ""
    connection_string: str = ""
    tenant: str = ""
    client: str = ""
    secret: str = ""
    authority: str | None = None
    """What issues tokens, Azure's public cloud unless given."""
    retries: int = RETRIES
    retry_delay: float = RETRY_DELAY
    """Seconds before the first retry."""
    verify: bool = True
    legacy_root: bool | None = None
    """Whether names begin with a slash, as distribution 2 writes them; ``None`` when nobody said."""


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every name. Raises ``ConfigurationError``."""
    section = Parameters("storage.azure", values)
    credentials = section.below("credentials")
    kind = _kind(section, credentials)
    account = section.text("accountname")
    if kind != "connection_string" and not account:
        account = section.required("accountname", "the name of the storage account")
    legacy = not section.flag("trimlegacyrootprefix", default=True)
    found = Settings(
        container=section.required("container", "the name of the container that holds the registry"),
        url=section.text("serviceurl", f"https://{account}.blob.{section.text('realm', REALM)}"),
        credentials=kind,
        account=account,
        account_key=section.text("accountkey"),
        connection_string=section.text("connectionstring") if kind == "connection_string" else "",
        tenant=credentials.text("tenantid"),
        client=credentials.text("clientid"),
        secret=credentials.text("secret"),
        authority=section.text("aad_endpoint") or None,
        retries=max(section.number("max_retries", 0, -1) or RETRIES, 0),  # -1 is none, as in distribution
        retry_delay=section.seconds("retry_delay", RETRY_DELAY),
        verify=not section.flag("skipverify"),
        legacy_root=legacy if section.given("trimlegacyrootprefix") else None,
    )
    root = section.text("rootdirectory").strip("/")
    prefix = f"{root}/" if root else ""
    return found, f"/{prefix}" if legacy else prefix


def _kind(section: Parameters, credentials: Parameters) -> str:
    """``credentials.type``, else what is given says it; the default credentials when nothing is."""
    kind = credentials.text("type")
    if kind == "default":
        kind = "default_credentials"
    if not kind:
        if section.text("connectionstring"):
            return "connection_string"
        if section.text("accountkey"):
            return "shared_key"
        return "client_secret" if credentials.text("secret") else "default_credentials"
    if kind not in CREDENTIALS[:3]:
        raise credentials.error("type", f"expected one of {', '.join(CREDENTIALS[:3])}, not {kind!r}")
    if kind == "shared_key":
        section.required("accountkey", "a key of the storage account")
    if kind == "client_secret":
        for name in ("tenantid", "clientid", "secret"):
            credentials.required(name, "client_secret needs it")
    return kind


class AzureDriver(ObjectDriver):
    """Files in a container."""

    name = "azure"

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, object]) -> Self:
        found, prefix = settings(parameters)
        return cls(AzureStore(found), prefix)
