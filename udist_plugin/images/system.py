"""What sources and destinations are told of the system they work on."""

from __future__ import annotations

import os

from udist_plugin.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.remote.credentials.credential import Credential


def _log_warning(message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").warning("%s", message)


def _log_detail(message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").info("%s", message)


class SystemContext(NamedTuple):
    """``environ`` are the environment variables that say where configuration files and proxies are.

    ``warn`` gets sentences about what is unusual, but no error, and ``tell`` those about what was done, such
    as where a login was found. With ``insecure``, registries on the network need no TLS, or no certificate
    that is trusted. ``login``, and the folder ``certificates``, are used instead of what is configured.
    """

    environ: Mapping[str, str] = os.environ
    warn: Callable[[str], None] = _log_warning
    tell: Callable[[str], None] = _log_detail
    insecure: bool = False
    login: Credential | None = None
    certificates: str = ""


THIS_SYSTEM: Final = SystemContext()
"""This process's environment; warnings go to ``logging``'s logger ``udist_plugin``."""
