"""A driver's section as the configuration hands it on: typed by the keys that the driver states."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.config import load

if TYPE_CHECKING:
    from collections.abc import Mapping


def section(driver: str, values: Mapping[str, object]) -> Mapping[str, object]:
    """Raises ``ConfigurationError``."""
    return load({"storage": {driver: values}}, {}).configuration.storage.parameters
