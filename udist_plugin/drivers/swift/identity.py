"""Who asks for tokens: one of OpenStack's identity services (Keystone), or Swift's own, version 1."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from udist_plugin.drivers.swift.library import PasswordPlugin, v2, v3

if TYPE_CHECKING:
    from keystoneauth1.plugin import BaseAuthPlugin

    from udist_plugin.drivers.swift.settings import Settings

DEFAULT_DOMAIN: Final = "default"
"""The id of the domain that every Keystone has."""


def identity(settings: Settings) -> BaseAuthPlugin:
    """What gets tokens, and renews them."""
    if settings.auth_version == 1:
        plugin: BaseAuthPlugin = PasswordPlugin(settings.auth_url, settings.username, settings.password)
        return plugin
    if settings.auth_version == 2:
        return v2.Password(
            settings.auth_url,
            settings.username,
            settings.password,
            trust_id=settings.trust_id,
            tenant_id=settings.tenant_id,
            tenant_name=None if settings.tenant_id else settings.tenant,
        )
    return _version_3(settings)


def _version_3(settings: Settings) -> BaseAuthPlugin:
    """For a trust, or else the project. A name needs a domain: the project's is the user's unless given."""
    scope: dict[str, Any] = {"trust_id": settings.trust_id}
    if settings.trust_id is None and (settings.tenant_id or not settings.tenant):
        scope = {"project_id": settings.tenant_id}
    elif settings.trust_id is None:
        names = _domain("project", settings.tenant_domain, settings.tenant_domain_id)
        names = names or _domain("project", settings.domain, settings.domain_id)
        scope = {"project_name": settings.tenant, **(names or {"project_domain_id": DEFAULT_DOMAIN})}
    domain = _domain("user", settings.domain, settings.domain_id) or {"user_domain_id": DEFAULT_DOMAIN}
    return v3.Password(settings.auth_url, settings.password, username=settings.username, **domain, **scope)


def _domain(of: str, name: str | None, number: str | None) -> dict[str, Any]:
    """The name counts before the id, as in distribution."""
    if name:
        return {f"{of}_domain_name": name}
    return {f"{of}_domain_id": number} if number else {}
