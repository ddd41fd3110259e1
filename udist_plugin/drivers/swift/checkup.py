"""What ``udist config check`` looks at of the ``swift`` section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.section import every_error
from udist_plugin.drivers.swift.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.errors import ConfigurationError


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``. A token is not asked for."""
    return every_error(settings, parameters)
