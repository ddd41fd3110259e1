"""What sources and destinations are told of the system they work on."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _log_warning(message: str) -> None:
    logging.getLogger("udist_plugin").warning("%s", message)


class SystemContext(NamedTuple):
    """``environ`` are the environment variables that say where configuration files are; ``warn`` gets
    sentences about what is unusual, but no error."""

    environ: Mapping[str, str] = os.environ
    warn: Callable[[str], None] = _log_warning


THIS_SYSTEM: Final = SystemContext()
"""This process's environment; warnings go to ``logging``'s logger ``udist_plugin``."""
