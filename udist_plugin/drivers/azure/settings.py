"""What the ``azure`` section comes to: the settings of ``AzureStore``."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from udist_plugin.drivers.azure.keys import KEYS, RETRY_DELAY
from udist_plugin.drivers.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """What ``AzureStore`` is made of."""

    container: str
    url: str
    """The blob service's; unused with a connection string."""
    credentials: str
    """``shared_key``, ``client_secret``, ``default_credentials`` or ``connection_string``."""
    account: str = ""
    account_key: str = ""
    connection_string: str = ""
    tenant: str = ""
    client: str = ""
    secret: str = ""
    authority: str | None = None
    """What issues tokens, Azure's public cloud unless given."""
    retries: int | None = None
    """How often a request is repeated at most; ``None`` leaves it to the time that it may take."""
    retry_delay: float = RETRY_DELAY
    """Seconds before the first retry."""
    verify: bool = True
    legacy_root: bool | None = None
    """Whether names begin with a slash, as distribution 2 writes them; ``None`` when nobody said."""


def settings(values: Mapping[str, object]) -> tuple[Settings, str]:
    """The section's settings, and what stands before every name. Raises ``ConfigurationError``."""
    section = Section("storage.azure", KEYS, values)
    kind = _kind(section)
    account = section.text("accountname")
    if kind != "connection_string" and not account:
        account = section.required("accountname", "the name of the storage account")
    trimmed = section["trimlegacyrootprefix"]  # distribution 2 wrote a slash before names unless this is set
    legacy = trimmed is False
    found = Settings(
        container=section.required("container", "the name of the container that holds the registry"),
        url=section.text("serviceurl") or f"https://{account}.blob.{section['realm']}",
        credentials=kind,
        account=account,
        account_key=section.text("accountkey"),
        connection_string=section.text("connectionstring") if kind == "connection_string" else "",
        tenant=section.text("credentials.tenantid"),
        client=section.text("credentials.clientid"),
        secret=section.text("credentials.secret"),
        authority=section.text("aad_endpoint") or None,
        retries=_retries(section["max_retries"]),
        retry_delay=section["retry_delay"],
        verify=not section["skipverify"],
        legacy_root=legacy if section.given("trimlegacyrootprefix") else None,
    )
    prefix = section.prefix()
    return found, f"/{prefix}" if legacy else prefix


def _retries(given: int | None) -> int | None:
    """0 is as if nothing were given, and -1 none, as in distribution."""
    return max(given, 0) if given else None


def _kind(section: Section) -> str:
    """``credentials.type``, else what is given says it; the default credentials when nothing is."""
    kind = section.text("credentials.type")
    if kind == "default":
        kind = "default_credentials"
    if not kind:
        if section.given("connectionstring"):
            return "connection_string"
        if section.given("accountkey"):
            return "shared_key"
        return "client_secret" if section.given("credentials.secret") else "default_credentials"
    if kind == "shared_key":
        section.required("accountkey", "a key of the storage account")
    if kind == "client_secret":
        for name in ("tenantid", "clientid", "secret"):
            section.required(f"credentials.{name}", "client_secret needs it")
    return kind
