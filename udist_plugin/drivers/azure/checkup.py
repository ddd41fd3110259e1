"""What ``udist config check`` looks at of the ``azure`` section."""

from __future__ import annotations

from typing import TYPE_CHECKING

from udist_plugin.drivers.azure.client import AzureClient
from udist_plugin.drivers.azure.identity import token_credential
from udist_plugin.drivers.azure.settings import settings
from udist_plugin.drivers.section import every_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.drivers.azure.settings import Settings
    from udist_plugin.errors import ConfigurationError


def problems(parameters: Mapping[str, object]) -> list[ConfigurationError]:
    """See ``drivers.problems``."""
    return every_error(settings, parameters, token_credential, _client)


def _client(found: Settings) -> None:
    """With the public cloud's authority: ``token_credential`` has told of another that is wrong."""
    AzureClient(found._replace(authority=None))
