"""What other packages put around the registry: distribution's ``middleware.registry`` and
``middleware.repository``.

A package announces a callable in the group of entry points ``udist_plugin.registry_middleware``. It takes a
``Registry`` and the entry's options, a mapping as in the file whose values are text, lists and mappings, and
returns a ``Registry``: a ``RegistryWrapper``, say.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

from udist_plugin.config.keys.middleware import ENTRY_POINTS
from udist_plugin.config.nodes import Table, plain
from udist_plugin.errors import ConfigurationError
from udist_plugin.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from udist_plugin.config.keys.middleware import Middleware
    from udist_plugin.config.nodes import Node


def wrap(registry: Registry, section: str, entries: Sequence[Middleware]) -> Registry:
    """``registry`` in each of ``entries``, the last one outside. ``section`` is their key, for errors.

    Raises ``ConfigurationError``, also for whatever a package raises.
    """
    for entry in entries:
        (found,) = entry_points(group=ENTRY_POINTS, name=entry.name)
        options = _options(entry, section)
        try:
            make: Callable[[Registry, dict[str, Any]], object] = found.load()
            made = make(registry, options)
        except Exception as error:  # of another package's code
            problem = f"the middleware {entry.name} failed: {type(error).__name__}: {error}"
            raise ConfigurationError(problem, key=section, source=f"entry point {found.value}") from error
        if not isinstance(made, Registry):
            problem = f"the middleware {entry.name} returned no Registry, but a {type(made).__name__}"
            raise ConfigurationError(problem, key=section, source=f"entry point {found.value}")
        registry = made
    return registry


def _options(entry: Middleware, section: str) -> dict[str, Any]:
    if entry.options is None:
        return {}
    if not isinstance(entry.options, Table):
        problem = f"expected a mapping as the options of {entry.name}"
        raise ConfigurationError(problem, key=section, source=cast("Node", entry.options).source)
    return {name: plain(value) for name, value in entry.options.entries.items()}
