"""What ``udist config check`` looks at of the ``gcs`` section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.gcs.client import service_account
from udist_plugin.drivers.gcs.settings import settings
from udist_plugin.drivers.section import every_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.errors import ConfigurationError


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``. Default credentials are left alone: to find them a network may be asked."""
    return every_error(settings, parameters, service_account)
