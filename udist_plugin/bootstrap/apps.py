"""Registries of this process."""

from __future__ import annotations

import os

from udist_plugin.bootstrap.parts import Listeners
from udist_plugin.bootstrap.services import configured, open_app, with_variables
from udist_plugin.bootstrap.store import driver_of, sizes_of
from udist_plugin.config import Configuration, Loaded
from udist_plugin.errors import ConfigurationError
from udist_plugin.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from udist_plugin.service import RegistryApp
    from udist_plugin.storage.collection.step import Step


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
    app.start(_record)
    app.warm_up()
    return app


def collect_garbage(
    config: str | os.PathLike[str] | Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    apply: bool = False,
    grace: float = 24 * 3600.0,
    untagged: bool = False,
    retention: os.PathLike[str] | Mapping[str, object] | None = None,
) -> Iterator[Step]:
    """``udist gc`` for this process: each step as it is done, or without ``apply`` as it would be.

    ``config`` and ``environ`` are those of ``create_app``; ``grace`` is in seconds, at least a day's.
    ``untagged`` also removes manifests that no tag leads to; ``retention`` are policies as those of
    ``udist gc --retention``, a file or a mapping shaped like it, and take its place. Iterate
    to the end, or the run counts as killed. Raises ``ConfigurationError``, also if the store is read-only
    and ``apply`` is set, and ``StorageError`` before the first step if a link or manifest cannot be read.
    """
    from udist_plugin.bootstrap.upkeep import configuration_of
    from udist_plugin.config.files import read_document
    from udist_plugin.storage.collection.collect import collect
    from udist_plugin.storage.collection.retention import Policy, Retention
    from udist_plugin.storage.collection.retention_file import read_retention

    policies = Retention((Policy(untagged=True),) if untagged else ())
    if isinstance(retention, os.PathLike):
        policies = read_retention(read_document(os.fspath(retention)), os.fspath(retention))
    elif retention is not None:
        policies = read_retention(retention)

    configuration = configuration_of(config, environ, to_be="collected" if apply else "")
    driver, sizes = driver_of(configuration), sizes_of(configuration)
    try:
        driver.probe()
        sizes.start(_record)
        yield from collect(driver, apply=apply, grace=grace, retention=policies, forget=sizes.forget)
    finally:
        sizes.close()
        driver.close()


def _access(line: str) -> None:
    import logging

    logging.getLogger("udist_plugin.access").info("%s", line)


def _record(level: str, message: str) -> None:
    import logging

    logging.getLogger("udist_plugin").log(
        logging.getLevelNamesMapping()[level.upper()], "%s", message, stacklevel=2
    )
