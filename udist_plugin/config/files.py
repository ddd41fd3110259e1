"""A configuration file's text."""

from __future__ import annotations

from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import Final

MAX_FILE: Final = 1 << 20
"""Characters read of a file; the parser refuses far fewer."""


def read_file(path: str) -> str:
    """Raises ``ConfigurationError``, which names the path."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read(MAX_FILE)
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", source=path) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"not UTF-8 at byte {error.start}", source=path) from None


def read_document(path: str) -> object:
    """What a YAML file holds that is no configuration, as texts. Raises ``ConfigurationError``."""
    from udist_plugin.config.nodes import plain
    from udist_plugin.config.yaml_text import parse_yaml

    return plain(parse_yaml(read_file(path), path))
