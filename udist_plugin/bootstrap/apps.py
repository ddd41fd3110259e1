"""Registries of this process."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.parts import Listeners
from udist_plugin.bootstrap.services import configured, open_app, with_variables
from udist_plugin.config import Configuration, Loaded
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from udist_plugin.service import RegistryApp


def create_app(
    config: str | os.PathLike[str] | Mapping[str, object] | Configuration | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    on_event: Callable[[dict[str, Any]], object] | None = None,
) -> RegistryApp:
    """A registry for this process: udistribution's ``NewClient`` and ``ServeHTTP``.

    ``config`` is YAML text, the path of a file (as a ``Path``), a mapping shaped like the file, or what
    ``udist_plugin.config.load`` gave; none stands for the defaults. ``environ`` are ``REGISTRY_*`` variables
    that go over it; the process's own are not looked at. Logs go to ``logging``'s logger ``udist_plugin``,
    and of requests to ``udist_plugin.access``: level and form are the process's to set there.
    ``on_event`` is called in a thread with each event, as distribution's notifications have it (``udist help
    notifications``); after an exception it is called with the same event again.
    Raises ``ConfigurationError`` and ``StorageError``.
    """
    if isinstance(config, Configuration):
        if environ:
            raise ConfigurationError("expected no variables beside a configuration that is already typed")
        app = open_app(Loaded(config, [], []), Listeners(on_event))
    else:
        path = os.fspath(config) if isinstance(config, os.PathLike) else None
        given = None if isinstance(config, os.PathLike) else config
        variables = with_variables(os.environ, environ or {})
        app = configured(path, given, variables, "configuration", listeners=Listeners(on_event))
    app.log_access(_access)
    app.start(record)
    app.warm_up()
    return app


def _access(line: str) -> None:
    import logging

    logging.getLogger("udist_plugin.access").info("%s", line)


def record(level: str, message: str) -> None:
    """Logs to ``logging``'s logger ``udist_plugin``."""
    import logging

    logging.getLogger("udist_plugin").log(
        logging.getLevelNamesMapping()[level.upper()], "%s", message, stacklevel=2
    )
