"""From a file's text, or a mapping, and variables to a ``Configuration``, or to all that is wrong."""

from __future__ import annotations

from udist_plugin.config.examining import examine
from udist_plugin.config.part import Part
from udist_plugin.config.reading import Reader
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from udist_plugin.config.model import Configuration


class Loaded(Part):
    """``warnings`` and ``notices`` are sentences for the log: mistakes, and what has no effect here."""

    configuration: Configuration
    warnings: list[str]
    notices: list[str]


def load(
    config: str | Mapping[str, object] | None,
    environ: Mapping[str, str],
    *,
    config_name: str = "configuration",
    on_pipes: bool = False,
) -> Loaded:
    """The configuration of YAML text or a mapping (none: the defaults), overlaid by ``REGISTRY_*`` variables.

    ``environ`` is an environment, as ``os.environ`` is: its ``REGISTRY_*`` variables count, and those
    that say where the user keeps data. ``config_name`` is what errors call the text: a file's name. With
    ``on_pipes`` the registry is reached through the plugin's pipes alone, and what would guard a
    listener is left out. Raises ``ConfigurationError`` with everything that is wrong.
    """
    examined = examine(config, environ, config_name=config_name, reader=Reader(on_pipes=on_pipes))
    if examined.configuration is None:
        from udist_plugin.config.explaining import explain

        explained = explain(config, environ, config_name=config_name, on_pipes=on_pipes)
        raise ConfigurationError.of(explained.problems())
    return Loaded(examined.configuration, examined.warnings, examined.notices)
