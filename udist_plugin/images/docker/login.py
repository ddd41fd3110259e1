"""Whether a registry accepts a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.images.docker.connecting import connect_with
from udist_plugin.images.docker.transport import HUB
from udist_plugin.images.references import DEFAULT_DOMAIN

if TYPE_CHECKING:
    from udist_plugin.images.system import SystemContext
    from udist_plugin.remote.credentials.credential import Credential


def check_login(host: str, credential: Credential, system: SystemContext) -> bool:
    """``False`` if the registry at ``host`` asked for no login, so that nothing is known.

    Raises ``Unauthorized`` if it refuses this one, and ``TransportError``.
    """
    asked = False

    def find() -> Credential:
        nonlocal asked
        asked = True
        return credential

    registry, close = connect_with(find, HUB if host == DEFAULT_DOMAIN else host, system)
    try:
        registry.check_access()
    finally:
        close()
    return asked
