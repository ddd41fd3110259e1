"""A registry's configuration, in the forms that callers have it, as text for the plugin."""

from __future__ import annotations

import os

from udist_plugin.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def as_text(
    config: str | os.PathLike[str] | Mapping[str, object] | None, name: str
) -> tuple[str | None, str]:
    """YAML, and what errors call it: ``name``, or else a file's path. A mapping need not name its version.

    Raises ``ConfigurationError``.
    """
    if config is None or isinstance(config, str):
        return config, name
    if isinstance(config, os.PathLike):
        from udist_plugin.config.files import read_file

        path = os.fspath(config)
        return read_file(path), name or path
    import json  # which YAML includes

    try:
        return json.dumps({"version": 0.1, **config}, default=os.fspath), name
    except (TypeError, ValueError) as error:
        from udist_plugin.errors import ConfigurationError

        raise ConfigurationError(f"expected text, numbers, paths, lists and mappings: {error}") from None
